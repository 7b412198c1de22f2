import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc/<pid>/stat: 100 on every architecture that Linux's user interface knows. */
const TICKS_PER_SECOND = 100;

/** Most memory that a process ever had resident, in bytes; undefined where there is no /proc. */
export function peakMemory(pid: number | undefined): number | undefined {
  const status = readProc(pid, 'status');
  const match = status && /^VmHWM:\s+(\d+) kB$/m.exec(status);
  return match ? Number(match[1]) * 1024 : undefined;
}

/** Seconds of processor time that a process has used; undefined where there is no /proc. */
export function processorSeconds(pid: number | undefined): number | undefined {
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // proc(5): the name, in parentheses, may hold anything; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function readProc(pid: number | undefined, file: string): string | undefined {
  if (pid === undefined || process.platform !== 'linux') return undefined;
  return readFileSync(`/proc/${pid}/${file}`, 'utf8');
}
