import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A mark that tells the process with this number from any other that has the number later: when it was started, and on
 * Linux also the boot of the machine. Undefined when there is no such process, or it has ended and nobody has asked how.
 */
export function processIdentity(pid: number): string | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

/** proc(5): what follows the command's name in parentheses begins with the state; the start time is field 22. */
function fromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

function fromPs(pid: number): string | undefined {
  const { status, stdout } = spawnSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [, state, started] = /^\s*(\S)\S*\s+(.+?)\s*$/.exec(stdout ?? '') ?? [];
  return status === 0 && state !== 'Z' && started !== undefined ? started : undefined;
}
