import { type ChildProcess, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The direct children of a process. PostgreSQL's own do not fork any further. */
export function childrenOf(pid: number): number[] {
  return processTable()
    .filter((entry) => entry.parent === pid)
    .map((entry) => entry.pid);
}

/** Kills a server and its children at once, so that none of them can write another byte, and waits until all are gone. */
export async function killServer(server: ChildProcess): Promise<void> {
  const pid = server.pid!;
  // A stopped postmaster starts no further child between the listing and the killing.
  signal(pid, 'SIGSTOP');
  const children = childrenOf(pid);
  for (const each of [pid, ...children]) signal(each, 'SIGKILL');
  await exited(server);
  while (children.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Resolves when the process has ended; until then it keeps this process alive. */
async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  await new Promise((resolve) => child.once('exit', resolve));
  child.unref();
}

/** Waits at most `milliseconds` for a process to end; tells whether it did. */
export async function exitsWithin(child: ChildProcess, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const ended = await Promise.race([exited(child).then(() => true), late]);
  clearTimeout(timer);
  return ended;
}

/** True while a process is there and still able to do something: a zombie is not. */
export function isAlive(pid: number): boolean {
  return processTable().some((entry) => entry.pid === pid);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface ProcessEntry {
  pid: number;
  parent: number;
}

function processTable(): ProcessEntry[] {
  return process.platform === 'linux' ? procfsTable() : psTable();
}

function procfsTable(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // proc(5): "pid (name) state ppid ..."; the name may hold anything, also parentheses.
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state !== 'Z') entries.push({ pid: Number(name), parent: Number(parent) });
    } catch {
      // ended while we were reading
    }
  }
  return entries;
}

function psTable(): ProcessEntry[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state]) => !state.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}
