import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchivedFile } from '../archive/tar.ts';
import {
  decodeSnapshot,
  encodeSnapshot,
  parseSnapshotName,
  SNAPSHOT_FOLDER,
  type SnapshotName,
  snapshotName,
} from '../metrics/snapshots/snapshot-file.ts';
import { maskedJson, maskedText } from './masking.ts';

/** Snapshots that go into a bundle. */
export interface SnapshotChoice {
  /** The oldest in front; the newest of those that are there. */
  readonly files: readonly (SnapshotName & { readonly path: string })[];
  /** Older ones, for which there is no room. */
  readonly left: number;
}

/** The newest snapshots of `dataDir` that have at most `most` bytes together; none when there is no such folder. */
export async function chooseSnapshots(dataDir: string, most: number): Promise<SnapshotChoice> {
  const folder = join(dataDir, SNAPSHOT_FOLDER);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const found = names
    .flatMap((file) => {
      const name = parseSnapshotName(file);
      return name === undefined ? [] : [{ ...name, path: join(folder, file) }];
    })
    .sort((a, b) => b.at - a.at);
  const chosen: typeof found = [];
  let bytes = 0;
  for (const file of found) {
    bytes += (await stat(file.path).catch(() => ({ size: 0 }))).size;
    if (bytes > most) break;
    chosen.push(file);
  }
  return { files: chosen.reverse(), left: found.length - chosen.length };
}

/**
 * A snapshot as it is packed: compressed, and masked once more. Rejects with an Error that says what is wrong with the file.
 * @param folder in the archive
 */
export async function packedSnapshot(
  { at, compression, path }: SnapshotChoice['files'][number],
  folder: string,
): Promise<ArchivedFile> {
  const bytes = await readFile(path);
  const { varz, diag } = await decodeSnapshot(bytes, compression);
  const masked = maskedText(varz);
  const document = diag === undefined ? undefined : maskedJson(diag);
  const same = masked === varz && document === (diag === undefined ? undefined : JSON.stringify(diag));
  const content =
    same && compression === 'gzip'
      ? bytes
      : await encodeSnapshot({ varz: masked, diag: document === undefined ? undefined : JSON.parse(document) }, 'gzip');
  return { name: `${folder}/${SNAPSHOT_FOLDER}/${snapshotName({ at, compression: 'gzip' })}`, content, modified: at };
}
