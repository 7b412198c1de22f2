import { lstatSync, renameSync, rmSync } from 'node:fs';

/** When a log file makes way for a fresh one. */
export interface Rotation {
  /** Bytes that a file may grow to; 0: it never makes way. */
  readonly maxSize: number;
  /** Older files that are kept, 1 or more. */
  readonly maxFiles: number;
}

/** Where the file goes that was written `age` rotations ago: `engine.log.1` is the newest of the older ones. */
export function olderLog(path: string, age: number): string {
  return `${path}.${age}`;
}

/**
 * Moves a log out of the way of a fresh one: each older file one place on, the oldest out when all places are taken. Whatever step it
 * dies after, every file that is to be kept is still there, and the next rotation closes the gap.
 * @throws what the file system says; the log itself is where it was then.
 */
export function makeWay(path: string, maxFiles: number): void {
  let free = 1;
  while (free <= maxFiles && isThere(olderLog(path, free))) free++;
  if (free > maxFiles) {
    // Left from a time when more were kept.
    for (let age = maxFiles + 1; isThere(olderLog(path, age)); age++) rmSync(olderLog(path, age));
    free = maxFiles;
  }
  for (let age = free; age > 1; age--) renameSync(olderLog(path, age - 1), olderLog(path, age));
  renameSync(path, olderLog(path, 1));
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
