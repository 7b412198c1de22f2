import { closeSync, constants, fchmodSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError } from '../errors.ts';
import { textLine } from '../log/format.ts';
import { makeWay, type Rotation } from '../log/rotation.ts';

/** `--logMaxSize` of the engines of saved replications, unless their options say otherwise. */
export const LOG_SIZE = '16MiB';

/**
 * Opens the log of an engine, closed to other users, to append to; what has grown too large makes way. The first line of the run is written at once: an engine whose
 * log cannot be written would end without a word.
 * @returns a descriptor, to be closed by the caller
 * @throws OperatorError LOG_NOT_WRITABLE
 */
export function openEngineLog(path: string, { maxSize, maxFiles }: Rotation, firstLine: string): number {
  let descriptor: number | undefined;
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (maxSize > 0 && size >= maxSize) makeWay(path, maxFiles);
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
