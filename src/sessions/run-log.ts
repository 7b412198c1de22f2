import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Ending, Run } from './replication.ts';

/** Bytes from the end of a log that tell how a run ended. */
const TAIL = 64 * 1024;

/** A line of the text log: `[2026-01-02T03:04:05+00:00] ERROR message code=CODE …`. */
const RECORD = /^\[([^\]]+)\] (ERROR|INFO |WARN |DEBUG|TRACE) (.*)$/;

/** The last lines of a log, at most `bytes` of it; empty when it cannot be read. */
export function readTail(path: string, bytes = TAIL): string[] {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    const lines = buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, buffer.length, start)).split('\n');
    // The first line may have lost its beginning.
    return (start > 0 ? lines.slice(1) : lines).filter((line) => line !== '');
  } finally {
    closeSync(descriptor);
  }
}

/** How a run that is over has ended: what its log says last, or that it was killed when it says nothing. */
export function readEnding({ logFile, started }: Pick<Run, 'logFile' | 'started'>): Ending {
  const lines = readTail(logFile);
  let last = started;
  for (let at = lines.length - 1; at >= 0; at--) {
    const [, stamp, level, text] = RECORD.exec(lines[at]) ?? [];
    if (stamp === undefined) continue;
    const time = Date.parse(stamp);
    // The stamps are whole seconds.
    if (time < started - 1000) break;
    last = Math.max(last, time);
    if (level === 'INFO ' && /^stopped as asked\b/.test(text))
      return { at: iso(Math.max(time, started)), how: 'stopped' };
    if (level !== 'ERROR') continue;
    const code = / code=([A-Z_]+)/.exec(text)?.[1];
    const fix = lines.slice(at + 1).flatMap((line) => /^ {4}(?:fix:)? *(.*)$/.exec(line)?.[1] ?? []);
    return {
      at: iso(Math.max(time, started)),
      how: 'failed',
      code,
      message: text.replace(/ code=[A-Z_]+.*$/, ''),
      ...(fix.length > 0 && { fix: fix.join('\n') }),
    };
  }
  return { at: iso(last), how: 'killed' };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
