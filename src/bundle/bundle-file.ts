import { constants, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type ArchivedFile, TarWriter } from '../archive/tar.ts';
import { OperatorError } from '../errors.ts';

/**
 * Writes a bundle, whole or not at all, closed to other users (0600). `fill` adds its files; nothing is overwritten.
 * @returns its path and its bytes
 * @throws OperatorError BUNDLE_NOT_WRITTEN
 */
export async function writeBundle(
  output: string,
  fill: (add: (file: ArchivedFile) => Promise<void>) => Promise<void>,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const path = resolve(output);
  if (existsSync(path)) throw notWritten(path, 'there is a file of that name already', '--output ANOTHER.tar.gz');
  const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}.unfinished`);
  let bytes = 0;
  try {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const file = await open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      const archive = new TarWriter(async (piece) => {
        await file.writeFile(piece);
        bytes += piece.length;
      });
      await fill((one) => archive.add(one));
      await archive.end();
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
    return { path, bytes };
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof OperatorError) throw error;
    throw notWritten(path, code === 'ENOSPC' ? 'the disk is full' : message, `df -h ${dirname(path)}`, error);
  }
}

function notWritten(path: string, reason: string, fix: string, cause?: unknown): OperatorError {
  return new OperatorError(
    'BUNDLE_NOT_WRITTEN',
    `the bundle ${path} was not written: ${reason}; the replication is not touched by it`,
    { fix: `${fix}\n--output /a/place/with/room.tar.gz`, cause },
  );
}
