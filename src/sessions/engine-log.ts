import { closeSync, constants, fchmodSync, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError } from '../errors.ts';
import { textLine } from '../log/format.ts';

/** Bytes after which a log is put aside when an engine starts; the one before it is dropped. */
const LIMIT = 32 * 1024 * 1024;

/**
 * Opens the log of an engine, closed to other users, to append to. The first line of the run is written at once: an engine whose
 * log cannot be written would end without a word.
 * @returns a descriptor, to be closed by the caller
 * @throws OperatorError LOG_NOT_WRITABLE
 */
export function openEngineLog(path: string, firstLine: string): number {
  let descriptor: number | undefined;
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LIMIT) renameSync(path, `${path}.1`);
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
    descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    if (!fstatSync(descriptor).isFile()) throw new Error(`${path} is not a file`);
    fchmodSync(descriptor, 0o600);
    writeSync(descriptor, textLine({ time: new Date(), level: 'info', message: firstLine, fields: {} }));
    return descriptor;
  } catch (cause) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw new OperatorError(
      'LOG_NOT_WRITABLE',
      `the engine was not started because its log cannot be written: ${(cause as Error).message}; nothing is lost`,
      { fix: `df -h ${dirname(path)}\nls -l ${path}`, cause },
    );
  }
}
