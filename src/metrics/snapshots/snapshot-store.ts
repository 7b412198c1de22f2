import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSnapshotName, type SnapshotName, snapshotName } from './snapshot-file.ts';

/** What is kept of the snapshots; at least one of the two is set. */
export interface Retention {
  /** Milliseconds; 0 for any age. */
  readonly time: number;
  /** Bytes of all files together; undefined for any size. */
  readonly size: number | undefined;
}

interface Kept extends SnapshotName {
  readonly bytes: number;
}

/** A file is written under such a name and then renamed: who finds a snapshot finds a whole one. */
const UNFINISHED = /^\.snapshot-.*\.unfinished$/;
/** Milliseconds after which nobody is writing such a file any more. */
const ABANDONED = 60_000;

/**
 * A folder of snapshots that never holds more than it may. What is in it is looked up once; afterwards its files are known by
 * time and size, so that a folder of tens of thousands is not read again for each new one. Files of other names are left alone.
 */
export class SnapshotStore {
  readonly folder: string;
  readonly #retention: Retention;
  /** The oldest in front. */
  #kept: Kept[] = [];
  #bytes = 0;
  #known = false;

  constructor(folder: string, retention: Retention) {
    this.folder = folder;
    this.#retention = retention;
  }

  /**
   * Writes a snapshot, whole or not at all, after those were removed that have to make room for it. The folder is made when it
   * is missing (0700), the file is closed to other users (0600). Rejects with the system's error.
   * @returns false when it alone is larger than all of them may be, and was not written
   */
  async add(name: SnapshotName, content: Buffer): Promise<boolean> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    if (!this.#known) await this.#look(name.at);
    const fits = content.length <= (this.#retention.size ?? Number.POSITIVE_INFINITY);
    await this.#prune(name.at, fits ? content.length : 0);
    if (!fits) return false;
    const path = join(this.folder, snapshotName(name));
    const unfinished = join(this.folder, `.${snapshotName(name)}.${process.pid}.unfinished`);
    try {
      const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
      const file = await open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        await file.writeFile(content);
        // Without this a machine that loses power could keep the name and lose what is in the file.
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {});
      throw error;
    }
    this.#kept.push({ ...name, bytes: content.length });
    this.#bytes += content.length;
    return true;
  }

  /** Removes what is too old at `now`, and the oldest until `room` bytes more may be there. */
  async #prune(now: number, room: number): Promise<void> {
    const { time, size = Number.POSITIVE_INFINITY } = this.#retention;
    let removed = 0;
    for (const { at, compression, bytes } of this.#kept) {
      const old = time > 0 && now - at > time;
      if (!old && this.#bytes + room <= size) break;
      await rm(join(this.folder, snapshotName({ at, compression })), { force: true });
      this.#bytes -= bytes;
      removed++;
    }
    if (removed > 0) this.#kept = this.#kept.slice(removed);
  }

  /** Finds what earlier runs have left here, and clears away what a crash has left unfinished. */
  async #look(now: number): Promise<void> {
    const kept: Kept[] = [];
    for (const file of await readdir(this.folder)) {
      const path = join(this.folder, file);
      const name = parseSnapshotName(file);
      const found = name === undefined && !UNFINISHED.test(file) ? undefined : await stat(path).catch(() => undefined);
      if (found === undefined) continue;
      if (name !== undefined) kept.push({ ...name, bytes: found.size });
      else if (now - found.mtimeMs > ABANDONED) await rm(path, { force: true });
    }
    this.#kept = kept.sort((a, b) => a.at - b.at);
    this.#bytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#known = true;
  }
}
