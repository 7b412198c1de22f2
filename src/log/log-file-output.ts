import { closeSync, fstatSync, openSync, realpathSync, renameSync, statSync, writeSync } from 'node:fs';
import process from 'node:process';
import { UsageError } from '../errors.ts';
import { makeWay, olderLog, type Rotation } from './rotation.ts';

/** What the log writes of itself, as a line in its own form. */
export type OwnLine = (level: 'warning', message: string) => string;

/** Milliseconds before a rotation that failed is tried again. */
const TRY_AGAIN = 60_000;

/**
 * The file that a log is appended to, mode 0600. Every line is with the operating system when `write` returns, and in one file
 * whole: a file is only ever left between two lines. When the file cannot be written the process is not stopped: that is told on
 * stderr, once, and how many lines are missing stands in the log as soon as it takes lines again.
 */
export class LogFileOutput {
  readonly #path: string;
  readonly #rotation: Rotation;
  readonly #own: OwnLine;
  #file: number;
  /** Bytes in the file, as far as this process knows. */
  #size: number;
  /** Lines that could not be written since the last one that could. */
  #lost = 0;
  /** The last line broke off: the next one must not be appended to it. */
  #torn = false;
  /** When a rotation may be tried, by the monotonic clock. */
  #rotateFrom = 0;
  #closed = false;

  /** @throws UsageError when the file cannot be opened. */
  constructor(path: string, rotation: Rotation, own: OwnLine) {
    this.#path = path;
    this.#rotation = rotation;
    this.#own = own;
    try {
      this.#file = openSync(path, 'a', 0o600);
      this.#size = fstatSync(this.#file).size;
    } catch (cause) {
      throw new UsageError(`could not open log output file ${path}: ${(cause as Error).message}`, { cause });
    }
  }

  write(line: string): void {
    if (this.#closed) return;
    const { maxSize } = this.#rotation;
    const bytes = Buffer.from(line);
    if (maxSize > 0 && this.#size > 0 && this.#size + bytes.length > maxSize) this.#rotate(bytes.length);
    this.#append(bytes);
  }

  /** Opens the file by its name anew: whoever has moved it has taken the lines so far with it. Without success the old one stays. */
  reopen(): void {
    if (this.#closed) return;
    try {
      this.#exchange(openSync(this.#path, 'a', 0o600));
    } catch (error) {
      this.#tell(`cannot be opened again, the former file is written on: ${(error as Error).message}`);
    }
  }

  close(): void {
    if (!this.#closed) closeSync(this.#file);
    this.#closed = true;
  }

  /** Puts the file aside, and begins a fresh one with the `coming` bytes. */
  #rotate(coming: number): void {
    if (performance.now() < this.#rotateFrom) return;
    const { maxSize, maxFiles } = this.#rotation;
    try {
      const current = fstatSync(this.#file);
      const named = statSync(this.#path, { throwIfNoEntry: false });
      if (named === undefined || named.ino !== current.ino || named.dev !== current.dev) {
        // Somebody else has moved it.
        this.#exchange(openSync(this.#path, 'a', 0o600));
        return;
      }
      // Pipes and terminals have no size; a file may have been emptied in its place.
      this.#size = current.isFile() ? current.size : 0;
      if (this.#size === 0 || this.#size + coming <= maxSize) return;
      // A link stays what it is: the file that it leads to makes way.
      const path = realpathSync(this.#path);
      makeWay(path, maxFiles);
      this.#exchange(openFresh(path));
    } catch (error) {
      this.#rotateFrom = performance.now() + TRY_AGAIN;
      this.#tell(`grows beyond ${maxSize} bytes, as it cannot be put aside: ${(error as Error).message}`);
    }
  }

  #exchange(fresh: number): void {
    closeSync(this.#file);
    this.#file = fresh;
    this.#size = fstatSync(fresh).size;
    this.#torn = false;
  }

  #append(line: Buffer): void {
    try {
      if (this.#torn) {
        this.#put(Buffer.from('\n'));
        this.#torn = false;
      }
      if (this.#lost > 0) {
        const lost = this.#lost === 1 ? 'a line is' : `${this.#lost} lines are`;
        this.#put(Buffer.from(this.#own('warning', `${lost} missing here: the log could not be written`)));
        this.#lost = 0;
      }
      this.#put(line);
    } catch (error) {
      this.#lost++;
      if (this.#lost === 1)
        this.#tell(`cannot be written: ${(error as Error).message}; replication goes on without it`);
    }
  }

  #put(bytes: Buffer): void {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#file, bytes, written);
    } finally {
      this.#size += written;
      if (written > 0 && written < bytes.length) this.#torn = true;
    }
  }

  #tell(what: string): void {
    process.stderr.write(`the log file ${this.#path} ${what}\n`);
  }
}

/** A file in the place of one that was put aside; without success that one comes back, to be found under its name. */
function openFresh(path: string): number {
  try {
    return openSync(path, 'ax', 0o600);
  } catch (error) {
    renameSync(olderLog(path, 1), path);
    throw error;
  }
}
