import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * How this process signs a lease: host name, process number and, where the system tells, a mark of the running kernel and
 * the process number's namespace. Two processes with the same mark see each other's numbers.
 */
export function describeHolder(): string {
  const mark = namespaceMark();
  return `${hostname()} pid ${process.pid}${mark === undefined ? '' : ` on ${mark}`}`;
}

/**
 * True when the holder is certain to be gone: it ran where this process can see every process, and it is not among them.
 * False is no statement at all.
 */
export function isGone(holder: string): boolean {
  const [, pid, mark] = / pid (\d+) on ([0-9a-f]{12})$/.exec(holder) ?? [];
  if (pid === undefined || mark !== namespaceMark() || Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

function namespaceMark(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    const namespace = readlinkSync('/proc/self/ns/pid');
    return createHash('sha256').update(boot).update(namespace).digest('hex').slice(0, 12);
  } catch {
    return undefined;
  }
}
