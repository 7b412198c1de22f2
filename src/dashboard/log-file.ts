import { type FileHandle, open } from 'node:fs/promises';

/** A line of a log, without its line break. */
export interface LogLine {
  /** Where it begins, bytes from the beginning of the file. */
  readonly at: number;
  /** Where the line after it begins. */
  readonly end: number;
  readonly text: string;
}

/** What is read at once, bytes. */
const PIECE = 64 * 1024;
/** More than this is not read for one answer, bytes: a line that is longer is taken for several. */
const MOST = 4 * 1024 * 1024;
/** More of a line is not shown, characters. */
const SHOWN = 4096;
const NEWLINE = 0x0a;
/** Lines looked through at once in a search. */
const SEARCH_LINES = 2000;

/**
 * A log that may be of any size and grows while it is read: lines are fetched around a place, and nothing is kept. Each call opens
 * the file anew, so that one put in its place by a rotation is seen.
 */
export class LogFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Bytes; rejects when there is no such file. */
  async size(): Promise<number> {
    return this.#with(async (file) => (await file.stat()).size);
  }

  /** The last `count` lines that begin before `end`. */
  async before(end: number, count: number): Promise<LogLine[]> {
    return this.#with(async (file) => {
      const pieces: Buffer[] = [];
      let start = Math.min(end, (await file.stat()).size);
      const last = start;
      let breaks = 0;
      let length = 0;
      while (start > 0 && breaks <= count && length < MOST) {
        const piece = await read(file, Math.max(0, start - PIECE), Math.min(PIECE, start));
        if (piece.length === 0) break;
        start -= piece.length;
        length += piece.length;
        for (const byte of piece) if (byte === NEWLINE) breaks++;
        pieces.unshift(piece);
      }
      const lines = splitLines(Buffer.concat(pieces), start, last);
      // The first one is likely to be the end of a line, when there is more before it.
      return (start > 0 && lines.length > count ? lines.slice(1) : lines).slice(-count);
    });
  }

  /** The first `count` lines from `start` on, which must be where a line begins. */
  async after(start: number, count: number): Promise<LogLine[]> {
    return this.#with(async (file) => {
      const pieces: Buffer[] = [];
      let end = start;
      let breaks = 0;
      while (breaks < count && end - start < MOST) {
        const piece = await read(file, end, PIECE);
        if (piece.length === 0) break;
        end += piece.length;
        for (const byte of piece) if (byte === NEWLINE) breaks++;
        pieces.push(piece);
      }
      return splitLines(Buffer.concat(pieces), start, end).slice(0, count);
    });
  }

  /** The nearest line before `end` that has `words` in it, whatever the case; undefined when there is none, or `signal` aborts. */
  async findBefore(end: number, words: string, signal: AbortSignal): Promise<LogLine | undefined> {
    const sought = words.toLowerCase();
    for (let place = end; place > 0 && !signal.aborted; ) {
      const lines = await this.before(place, SEARCH_LINES);
      const found = lines.findLast(({ text }) => text.toLowerCase().includes(sought));
      if (found !== undefined) return found;
      if (lines.length === 0 || lines[0].at >= place) return undefined;
      place = lines[0].at;
    }
    return undefined;
  }

  /** The nearest such line from `start` on. */
  async findAfter(start: number, words: string, signal: AbortSignal): Promise<LogLine | undefined> {
    const sought = words.toLowerCase();
    for (let place = start; !signal.aborted; ) {
      const lines = await this.after(place, SEARCH_LINES);
      const found = lines.find(({ text }) => text.toLowerCase().includes(sought));
      if (found !== undefined) return found;
      const last = lines.at(-1);
      if (last === undefined || last.end <= place) return undefined;
      place = last.end;
    }
    return undefined;
  }

  async #with<T>(use: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = await open(this.path, 'r');
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The lines in `bytes`, which stand in the file at `start`; none that begins at `limit` or after it. */
function splitLines(bytes: Buffer, start: number, limit: number): LogLine[] {
  const lines: LogLine[] = [];
  for (let from = 0; from < bytes.length && start + from < limit; ) {
    const found = bytes.indexOf(NEWLINE, from);
    const to = found < 0 ? bytes.length : found;
    const text = bytes
      .toString('utf8', from, Math.min(to, from + 4 * SHOWN))
      .slice(0, SHOWN)
      .replace(/\r$/, '');
    const next = found < 0 ? to : to + 1;
    lines.push({ at: start + from, end: start + next, text });
    from = next;
  }
  return lines;
}
