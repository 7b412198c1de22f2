import type { LogExtent, LogFile, LogLine } from './log-file.ts';

/** What the pager shows; a new object whenever that has changed. */
export interface LogPage {
  readonly lines: readonly LogLine[];
  /** New lines are shown as they come. */
  readonly following: boolean;
  /** Where the log begins and ends now, its older files included. */
  readonly extent: LogExtent;
  /** Where the line that was found begins. */
  readonly found: number | undefined;
  readonly words: string;
  /** What is to be said of the last search, or of why there is no log. */
  readonly message: string | undefined;
}

/** Milliseconds between two looks for new lines. */
const LOOK_EVERY = 500;

const NOTHING: LogExtent = { begin: 0, end: 0, generation: 0 };

/** A page of a log and the ways to move it. Whatever is asked is done in the order that it was asked in. */
export class LogPager {
  readonly #file: LogFile;
  readonly #listeners = new Set<() => void>();
  #rows = 1;
  #page: LogPage = { lines: [], following: true, extent: NOTHING, found: undefined, words: '', message: 'reading' };
  #queue: Promise<void> = Promise.resolve();
  #search = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(file: LogFile) {
    this.#file = file;
  }

  /** For `useSyncExternalStore`. */
  readonly getPage = (): LogPage => this.#page;

  /** Reads along as long as somebody listens. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#timer === undefined) {
      void this.look();
      this.#timer = setInterval(() => void this.look(), LOOK_EVERY);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#search.abort();
    };
  };

  /** Lines that fit on the screen. */
  resize(rows: number): Promise<void> {
    if (rows === this.#rows) return this.#queue;
    this.#rows = Math.max(1, rows);
    return this.#do(async () => {
      const { lines, following } = this.#page;
      await (following || lines.length === 0 ? this.#toEnd() : this.#from(lines[0].at));
    });
  }

  /** Looks whether the log has grown, or has become another. */
  look(): Promise<void> {
    return this.#do(async () => {
      const { extent: before, following, message } = this.#page;
      const extent = await this.#file.extent();
      const another = extent.generation !== before.generation;
      if (extent.end === before.end && extent.begin === before.begin && !another && message !== MISSING) return;
      if (following || another) await this.#toEnd();
      else this.#show({ extent });
    });
  }

  /** By `rows` lines, up where negative. At the end of the file it begins to follow. */
  move(rows: number): Promise<void> {
    return this.#do(async () => {
      const { lines } = this.#page;
      const first = lines[0];
      if (first === undefined) return;
      if (rows < 0) {
        const above = await this.#file.before(first.at, -rows);
        if (above.length > 0) await this.#from(above[0].at, true);
      } else if (!this.#page.following) {
        const below = await this.#file.after(first.at, rows + this.#rows);
        const top = Math.min(rows, Math.max(0, below.length - this.#rows));
        await this.#from(below[top]?.at ?? first.at);
        if (below.length < rows + this.#rows) await this.#toEnd();
      }
    });
  }

  page(direction: -1 | 1): Promise<void> {
    return this.move(direction * Math.max(1, this.#rows - 1));
  }

  top(): Promise<void> {
    return this.#do(() => this.#from(Number.NEGATIVE_INFINITY, true));
  }

  /** The end, and what comes there. */
  follow(): Promise<void> {
    return this.#do(() => this.#toEnd());
  }

  /** Stays where it is from now on. */
  hold(): Promise<void> {
    return this.#do(async () => this.#show({ following: false }));
  }

  /** Goes to the nearest line above the end of the page that has `words` in it. Empty words end the search. */
  find(words: string): Promise<void> {
    this.#search.abort();
    this.#search = new AbortController();
    return this.#do(async () => {
      this.#show({ words, found: undefined, message: undefined });
      const bottom = this.#page.lines.at(-1);
      if (words !== '' && bottom !== undefined) await this.#seek(bottom.end, 'up');
    });
  }

  /** The next line with the words looked for last: `up` older ones, `down` newer ones. */
  next(direction: 'up' | 'down'): Promise<void> {
    return this.#do(async () => {
      const { found, lines, words } = this.#page;
      const here = lines.find(({ at }) => at === found) ?? lines[0];
      if (words !== '' && here !== undefined) await this.#seek(direction === 'up' ? here.at : here.end, direction);
    });
  }

  async #seek(from: number, direction: 'up' | 'down'): Promise<void> {
    const { signal } = this.#search;
    const { words } = this.#page;
    this.#show({ message: 'searching' });
    const file = this.#file;
    const line =
      direction === 'up' ? await file.findBefore(from, words, signal) : await file.findAfter(from, words, signal);
    if (signal.aborted) return;
    if (line === undefined) {
      this.#show({ message: `not found further ${direction}` });
      return;
    }
    const shown = this.#page.lines.some(({ at }) => at === line.at);
    if (!shown) {
      const above = await file.before(line.at, Math.floor(this.#rows / 2));
      await this.#from(above[0]?.at ?? line.at, true);
    }
    this.#show({ found: line.at, message: undefined, following: false });
  }

  async #toEnd(): Promise<void> {
    const extent = await this.#file.extent();
    const lines = await this.#file.before(extent.end, this.#rows);
    this.#show({ lines, extent, following: true, message: undefined });
  }

  async #from(start: number, hold = false): Promise<void> {
    const extent = await this.#file.extent();
    const lines = await this.#file.after(start, this.#rows);
    this.#show({ lines, extent, ...(hold ? { following: false } : {}) });
  }

  #show(change: Partial<LogPage>): void {
    this.#page = { ...this.#page, ...change };
    for (const listener of [...this.#listeners]) listener();
  }

  #do(step: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(step).catch((error: NodeJS.ErrnoException) => {
      const message = error.code === 'ENOENT' ? MISSING : `the log cannot be read: ${error.message}`;
      if (message !== this.#page.message) this.#show({ lines: [], extent: NOTHING, message });
    });
    return this.#queue;
  }
}

const MISSING = 'there is no log file yet';
