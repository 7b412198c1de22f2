import { LogChain } from './log-chain.ts';

/** A line of a log, without its line break. */
export interface LogLine {
  /** Where it begins in the text of the log and its older files, bytes. */
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

/** Where a log begins and ends, bytes. */
export interface LogExtent {
  readonly begin: number;
  readonly end: number;
  /** Another one than before: the file was replaced, and places in it mean nothing any more. */
  readonly generation: number;
}

/**
 * A log that may be of any size and grows while it is read: lines are fetched around a place, and nothing is kept. The older files of
 * a rotation are read as one text with it, in which each line keeps its place.
 */
export class LogFile {
  readonly #chain: LogChain;

  constructor(path: string) {
    this.#chain = new LogChain(path);
  }

  /** Rejects when there is no such file. */
  extent(): Promise<LogExtent> {
    return this.#chain.read(async ({ begin, end, generation }) => ({ begin, end, generation }));
  }

  /** The last `count` lines that begin before `end`. */
  before(end: number, count: number): Promise<LogLine[]> {
    return this.#chain.read(async (log) => {
      const pieces: Buffer[] = [];
      let start = Math.min(end, log.end);
      const last = start;
      let breaks = 0;
      let length = 0;
      while (start > log.begin && breaks <= count && length < MOST) {
        const from = Math.max(log.begin, start - PIECE);
        const piece = await log.read(from, start - from);
        if (piece.length < start - from) break;
        start = from;
        length += piece.length;
        for (const byte of piece) if (byte === NEWLINE) breaks++;
        pieces.unshift(piece);
      }
      const lines = splitLines(Buffer.concat(pieces), start, last);
      // The first one is likely to be the end of a line, when there is more before it.
      return (start > log.begin && lines.length > count ? lines.slice(1) : lines).slice(-count);
    });
  }

  /** The first `count` lines from `start` on, which must be where a line begins; from the first that is left, when it is gone. */
  after(start: number, count: number): Promise<LogLine[]> {
    return this.#chain.read(async (log) => {
      const pieces: Buffer[] = [];
      const from = Math.max(start, log.begin);
      let end = from;
      let breaks = 0;
      while (breaks < count && end - from < MOST) {
        const piece = await log.read(end, PIECE);
        if (piece.length === 0) break;
        end += piece.length;
        for (const byte of piece) if (byte === NEWLINE) breaks++;
        pieces.push(piece);
      }
      return splitLines(Buffer.concat(pieces), from, end).slice(0, count);
    });
  }

  /** The nearest line before `end` that has `words` in it, whatever the case; undefined when there is none, or `signal` aborts. */
  async findBefore(end: number, words: string, signal: AbortSignal): Promise<LogLine | undefined> {
    const sought = words.toLowerCase();
    for (let place = end; !signal.aborted; ) {
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
