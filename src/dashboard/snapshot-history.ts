import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readTar } from '../archive/tar.ts';
import { OperatorError } from '../errors.ts';
import {
  decodeSnapshot,
  parseSnapshotName,
  type Snapshot,
  SNAPSHOT_FOLDER,
  type SnapshotName,
} from '../metrics/snapshots/snapshot-file.ts';

/** A snapshot that is there, not read yet. */
export interface SnapshotEntry extends SnapshotName {
  readonly file: string;
  /** Rejects with an Error that says what is wrong with the file. */
  read(): Promise<Snapshot>;
}

/** The snapshots of a replication, the oldest in front. */
export interface SnapshotHistory {
  /** For people: where they are from. */
  readonly title: string;
  readonly entries: readonly SnapshotEntry[];
  /** What else they should know. */
  readonly notes: readonly string[];
}

/** Bytes of one snapshot in a bundle, and of all that are held in memory. */
const LARGEST = 64 * 2 ** 20;
const MOST = 256 * 2 ** 20;

/** Whether the argument of `instar watch` means files, and not an endpoint. */
export async function meansFiles(argument: string): Promise<boolean> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(argument)) return false;
  if (/^(\.{0,2}\/|~\/)|\.(tar\.gz|tgz)$/.test(argument)) return true;
  return await stat(argument).then(
    () => true,
    () => false,
  );
}

/**
 * The snapshots in a folder: of snapshots, the `--dataDir` that it is in, or an unpacked bundle; or in a bundle as it was made.
 * @throws OperatorError SNAPSHOTS_MISSING, SNAPSHOTS_UNREADABLE
 */
export async function openHistory(path: string): Promise<SnapshotHistory> {
  try {
    const history = (await stat(path)).isDirectory() ? await inFolder(path) : await inBundle(path);
    if (history.entries.length === 0) throw missing(path);
    return history;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw missing(path);
    throw new OperatorError('SNAPSHOTS_UNREADABLE', `the metrics snapshots in ${path} cannot be read: ${message}`, {
      fix: `ls -l ${path}\ninstar watch replicator-data   # a folder that an engine has written, or a bundle`,
      cause: error,
    });
  }
}

function missing(path: string): OperatorError {
  return new OperatorError('SNAPSHOTS_MISSING', `there are no metrics snapshots in ${path}`, {
    fix: 'start the engine with --metricsSnapshotPeriod 15s; they are written to its --dataDir',
  });
}

async function inFolder(path: string): Promise<SnapshotHistory> {
  const inner = join(path, SNAPSHOT_FOLDER);
  const folder = await stat(inner).then(
    () => inner,
    () => path,
  );
  const entries = (await readdir(folder)).flatMap((file): SnapshotEntry[] => {
    const name = parseSnapshotName(file);
    if (name === undefined) return [];
    const read = async () => decodeSnapshot(await readFile(join(folder, file)), name.compression);
    return [{ ...name, file, read }];
  });
  const whole = resolve(folder);
  const title = basename(whole) === SNAPSHOT_FOLDER ? basename(dirname(whole)) : basename(whole);
  return { title, entries: sorted(entries), notes: [] };
}

async function inBundle(path: string): Promise<SnapshotHistory> {
  const entries: SnapshotEntry[] = [];
  const notes: string[] = [];
  const wanted = (name: string) => parseSnapshotName(basename(name)) !== undefined;
  let held = 0;
  try {
    for await (const { name, content } of readTar(path, wanted, LARGEST)) {
      held += content.length;
      if (held > MOST) {
        notes.push(`${path} holds more than ${MOST / 2 ** 20} MiB of snapshots; unpack it to see all of them`);
        break;
      }
      const file = basename(name);
      const parsed = parseSnapshotName(file)!;
      entries.push({ ...parsed, file, read: () => decodeSnapshot(content, parsed.compression) });
    }
  } catch (error) {
    // What came before the place where it is damaged is whole.
    if (entries.length === 0) throw error;
    const cut = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
    notes.push(`${path}: ${cut ? 'it is cut off' : (error as Error).message}; what was before that is shown`);
  }
  return { title: basename(path).replace(/\.(tar\.gz|tgz)$/, ''), entries: sorted(entries), notes };
}

function sorted(entries: SnapshotEntry[]): SnapshotEntry[] {
  return entries.sort((a, b) => a.at - b.at || a.file.localeCompare(b.file));
}
