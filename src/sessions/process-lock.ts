import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { processIdentity } from './process-identity.ts';

let mine: string | undefined;
let serial = 0;

/**
 * Takes a lock that is a file, for as long as this process lives or until what is returned is called. A process that has died,
 * or another that has its number by now, does not count.
 * @returns how to give it back, or the number of the process that has it.
 */
export function takeLock(path: string): (() => void) | number {
  mine ??= `${process.pid} ${processIdentity(process.pid)}`;
  const fresh = `${path}.${process.pid}-${serial++}`;
  // Linked when it is whole, so that nobody ever reads a lock that does not say whose it is.
  writeFileSync(fresh, mine, { mode: 0o600, flag: 'wx' });
  try {
    for (;;) {
      try {
        linkSync(fresh, path);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readOr(path);
      const [pid, ...identity] = (holder ?? '').split(' ');
      if (holder === undefined) continue;
      if (holder !== '' && processIdentity(Number(pid)) === identity.join(' ')) return Number(pid);
      takeAway(path, holder, `${fresh}-old`);
    }
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** Removes the lock of a process that has died, unless another process has taken its place since it was read. */
function takeAway(path: string, holder: string, aside: string): void {
  try {
    renameSync(path, aside);
    if (readOr(aside) === holder) rmSync(aside);
    else renameSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
