import { type FileHandle, open, stat } from 'node:fs/promises';

/** A log, and the older files that a rotation has put aside as `FILE.1`, `FILE.2` and so on: one text, the oldest first. */
interface Link {
  readonly file: FileHandle;
  /** What tells the file from others, wherever it is moved. */
  readonly id: string;
  /** Where its first byte stands in the text. */
  readonly base: number;
  /** Bytes of it that count: what was written to it after the next file was begun does not. */
  readonly length: number;
}

/** Numbers in a row without a file after which there are none: a process that died in a rotation may leave one out. */
const GAP = 2;

/**
 * Where each file of a log stands, remembered, so that a place in the text stays what it is when the files are renamed. Places may be
 * negative: of files that had been overlooked.
 */
export class LogChain {
  readonly #path: string;
  /** The places of the files that were seen last, the oldest first. */
  #known: readonly Pick<Link, 'id' | 'base' | 'length'>[] = [];
  /** Grows when another log stands in the place of the one that was known. */
  #generation = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Opens the files for one piece of work. @throws ENOENT when there is none. */
  async read<T>(use: (text: LogText) => Promise<T>): Promise<T> {
    const files = await openAll(this.#path);
    try {
      return await use(new LogText(this.#place(files), this.#generation));
    } finally {
      for (const { file } of files) await file.close();
    }
  }

  #place(files: readonly Found[]): Link[] {
    const last = this.#known.at(-1);
    // The number of a file that is gone may be that of a new one: the old one stands further to the front, and never shrinks.
    const anchor = files.findIndex(({ id, size }) => id === last?.id && size >= last.length);
    if (anchor < 0 && last !== undefined) this.#generation++;
    const bases: number[] = [];
    const from = Math.max(0, anchor);
    bases[from] = anchor < 0 ? 0 : last!.base;
    for (let at = from + 1; at < files.length; at++) bases[at] = bases[at - 1] + files[at - 1].size;
    for (let at = from - 1; at >= 0; at--) {
      const seen = this.#known.find(({ id }) => id === files[at].id);
      bases[at] = seen !== undefined && seen.base < bases[at + 1] ? seen.base : bases[at + 1] - files[at].size;
    }
    const links = files.map(({ file, id, size }, at) => {
      const next = bases[at + 1];
      return { file, id, base: bases[at], length: next === undefined ? size : Math.min(size, next - bases[at]) };
    });
    this.#known = links.map(({ id, base, length }) => ({ id, base, length }));
    return links;
  }
}

interface Found {
  readonly file: FileHandle;
  readonly id: string;
  /** Bytes. */
  readonly size: number;
}

/** Looks that are begun anew because a rotation came between. Who rotates without a pause is looked at as it is. */
const ATTEMPTS = 10;

/** All files, as they stood at one moment where that can be had. @throws ENOENT when there is none */
async function openAll(path: string): Promise<Found[]> {
  for (let attempt = 1; ; attempt++) {
    const found = await openOnce(path);
    const newest = await idOf(path);
    if (newest === found.at(-1)?.id || attempt === ATTEMPTS) return found;
    for (const { file } of found) await file.close();
  }
}

/** Undefined in the middle of a rotation. */
async function idOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/**
 * The newest is opened first: when a rotation comes between, a file is met twice, and none is left out. When several come between,
 * files are met that were begun later; they belong behind the first one, whose end is not known yet, and are left to the next look.
 */
async function openOnce(path: string): Promise<Found[]> {
  const found: Found[] = [];
  let missing: unknown;
  let newest: bigint | undefined;
  for (let age = 0, gap = 0; gap <= GAP; age++) {
    try {
      const file = await open(age === 0 ? path : `${path}.${age}`, 'r');
      const { dev, ino, size, birthtimeNs, ctimeNs } = await file.stat({ bigint: true });
      const id = `${dev}:${ino}`;
      // Where a file system does not know when a file was begun, the time of the last change stands in its place.
      const begun = birthtimeNs === ctimeNs ? undefined : birthtimeNs;
      if (found.length === 0) newest = begun;
      const later = begun !== undefined && newest !== undefined && begun > newest;
      if (later || found.some((each) => each.id === id)) await file.close();
      else found.unshift({ file, id, size: Number(size) });
      gap = 0;
    } catch (error) {
      if (age === 0) missing = error;
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && age === 0) throw error;
      gap++;
    }
  }
  if (found.length === 0) throw missing;
  return found;
}

/** The text of all files at one moment. */
export class LogText {
  readonly begin: number;
  readonly end: number;
  /** Another number than before: places that were remembered mean nothing any more. */
  readonly generation: number;
  readonly #links: readonly Link[];

  constructor(links: readonly Link[], generation: number) {
    this.#links = links;
    this.begin = links[0].base;
    const last = links[links.length - 1];
    this.end = last.base + last.length;
    this.generation = generation;
  }

  /** The bytes from `position` on, `length` of them or what there is. */
  async read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.end - position)));
    let filled = 0;
    for (const { file, base, length: most } of this.#links) {
      while (filled < buffer.length) {
        const within = position + filled - base;
        if (within < 0 || within >= most) break;
        const room = Math.min(buffer.length - filled, most - within);
        const { bytesRead } = await file.read(buffer, filled, room, within);
        if (bytesRead === 0) return buffer.subarray(0, filled);
        filled += bytesRead;
      }
    }
    return buffer.subarray(0, filled);
  }
}
