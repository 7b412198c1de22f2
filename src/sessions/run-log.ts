import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { olderLog } from '../log/rotation.ts';
import type { Ending, Run } from './replication.ts';

/** Bytes from the end of a log that tell how a run ended. */
const TAIL = 64 * 1024;

/** A line of the text log: `[2026-01-02T03:04:05+00:00] ERROR message code=CODE …`. */
const RECORD = /^\[([^\]]+)\] (ERROR|INFO |WARN |DEBUG|TRACE) (.*)$/;

/** What an engine says when it ends because it was asked to. */
/** Written by whoever starts an engine. */
const BEGUN = /^starting the engine of /;
const STOPPED = /^(stopped as asked\b|stopping at once\b|Interrupted: )/;

/** The last lines of a log, at most `bytes` of it, those in the file before it too; empty when it cannot be read. */
export function readTail(path: string, bytes = TAIL): string[] {
  const newer = readEnd(path, bytes);
  const older = newer.length < bytes ? readEnd(olderLog(path, 1), bytes - newer.length) : newer.subarray(0, 0);
  const text = Buffer.concat([older, newer]);
  const lines = text.toString('utf8').split('\n');
  // The first line may have lost its beginning.
  return (text.length === bytes ? lines.slice(1) : lines).filter((line) => line !== '');
}

/** At most the last `bytes` of a file. */
function readEnd(path: string, bytes: number): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return Buffer.alloc(0);
  }
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, start));
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
    // Where this run begins: what stands before it is of another, even if it ended in the same second.
    if (BEGUN.test(text)) break;
    if (STOPPED.test(text)) return { at: iso(Math.max(time, started)), how: 'stopped' };
    if (level !== 'ERROR') continue;
    const code = / code=([A-Z_]+)/.exec(text)?.[1];
    const fix = readBlock(lines.slice(at + 1), 'fix');
    return {
      at: iso(Math.max(time, started)),
      how: 'failed',
      code,
      message: text.replace(/ code=[A-Z_]+.*$/, ''),
      ...(fix !== undefined && { fix }),
    };
  }
  return { at: iso(last), how: 'killed' };
}

/** A field of several lines, written below its record: `    fix: first line`, then each line further in. */
function readBlock(lines: readonly string[], name: string): string | undefined {
  const start = lines.findIndex((line) => line.startsWith(`    ${name}: `));
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('        '));
  if (start < 0 || !lines.slice(0, start).every((line) => line.startsWith('    '))) return undefined;
  const block = lines.slice(start, end < 0 ? undefined : end);
  return block.map((line, at) => line.slice(at === 0 ? `    ${name}: `.length : 8)).join('\n');
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
