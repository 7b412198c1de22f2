import { closeSync, mkdirSync, openSync, read, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from '../errors.ts';
import { ChangeLog } from './change-log.ts';
import { Ordinals } from './ordinals.ts';
import type { SourceTable } from './table.ts';

/** Bytes gathered in memory before a write to the file, and so the usual size of the logs that `read` yields. */
const WRITE_SIZE = 1024 * 1024;

/** What a transaction that rests, or has just begun, takes in memory. */
const FIRST_CAPACITY = 1024;

const readFile = promisify(read);

/** Is told what happens to a spilled transaction, to work on it before it ends. */
export interface SpillFollower {
  /** There is another block to read. */
  grown(): void;
  /** A subtransaction was rolled back. */
  rolledBack(): void;
  /** The transaction was rolled back, or is no longer wanted. */
  discarded(): void;
}

/**
 * A transaction that is still open at the source, gathered in a file (mode 0600) because it may be larger than memory and
 * may still be rolled back, whole or in part. The file is only a buffer: after a crash the source sends everything again,
 * so it is never synced, and its name is removed at once, so that no crash leaves it behind.
 */
export class SpilledTransaction {
  readonly #directory: string;
  readonly #descriptor: number;
  readonly #tables: SourceTable[] = [];
  readonly #aborted = new Set<number>();
  /** Changes that were taken back one by one, by their ordinals. */
  readonly #dropped = new Ordinals();
  #drops = false;
  /** Where each write to the file began: always at the start of an entry. */
  readonly #blocks: number[] = [];
  /** Changes in the file before each block. */
  readonly #blockCounts: number[] = [];
  /** Where another subtransaction's entries begin, and which; parallel arrays, as there may be millions of savepoints. */
  readonly #segmentStarts: number[] = [];
  readonly #segmentSubtransactions: number[] = [];
  #pending = this.#newLog();
  #fileLength = 0;
  #fileCount = 0;
  #discarded = false;
  /** Blocks being read. */
  #reads = 0;
  follower: SpillFollower | undefined;

  /**
   * Creates the file in `directory`, which is made when missing. Throws OperatorError SPILL_FAILED, as every other method
   * that touches the file does.
   */
  constructor(directory: string, name: string) {
    this.#directory = directory;
    const path = join(directory, `${name}.spill`);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      rmSync(path, { force: true });
      this.#descriptor = openSync(path, 'wx+', 0o600);
      rmSync(path, { force: true });
    } catch (cause) {
      throw this.#failed('create a file', cause);
    }
  }

  /** The log to append to for a subtransaction (the top transaction is one too). Call it anew for each change. */
  changesOf(subtransaction: number): ChangeLog {
    if (this.#pending.length >= WRITE_SIZE) this.#write(this.#pending);
    const last = this.#segmentSubtransactions.length - 1;
    if (last < 0 || this.#segmentSubtransactions[last] !== subtransaction) {
      this.#segmentStarts.push(this.bytes);
      this.#segmentSubtransactions.push(subtransaction);
    }
    return this.#pending;
  }

  /** Forgets what a rolled-back subtransaction did. */
  abort(subtransaction: number): void {
    this.#aborted.add(subtransaction);
    this.follower?.rolledBack();
  }

  /** Forgets a single change, by its ordinal among those appended; for a source that takes back changes and not subtransactions. */
  drop(ordinal: number): void {
    this.#dropped.add(ordinal);
    this.#drops = true;
    this.follower?.rolledBack();
  }

  /** Blocks that can be read by `readBlock`. */
  get blocks(): number {
    return this.#blocks.length;
  }

  /** All the changes of a block, those of subtransactions that were rolled back included. */
  readBlock(block: number): Promise<ChangeLog> {
    const start = this.#blocks[block];
    return this.#readBlock(start, (this.#blocks[block + 1] ?? this.#fileLength) - start);
  }

  /** Changes appended, those of rolled-back subtransactions included. */
  get count(): number {
    return this.#fileCount + this.#pending.count;
  }

  /** Bytes on disk and in memory, those of rolled-back subtransactions included. */
  get bytes(): number {
    return this.#fileLength + this.#pending.length;
  }

  /** Moves what is still in memory to the file, so that a transaction that rests costs no buffer. */
  settle(): void {
    if (this.#pending.length === 0) return;
    this.#write(this.#pending);
    this.#pending = this.#newLog();
  }

  /** Appends a log to the file, and empties it: its buffer is used again. */
  #write(log: ChangeLog): void {
    try {
      let written = 0;
      while (written < log.length) {
        written += writeSync(this.#descriptor, log.buffer, written, log.length - written, this.#fileLength + written);
      }
    } catch (cause) {
      throw this.#failed('write', cause);
    }
    this.#blocks.push(this.#fileLength);
    this.#blockCounts.push(this.#fileCount);
    this.#fileLength += log.length;
    this.#fileCount += log.count;
    this.#tables.push(...log.tables.slice(this.#tables.length));
    log.clear();
    for (const table of this.#tables) log.tableIndex(table);
    this.follower?.grown();
  }

  /**
   * The surviving changes in order, as logs of about a megabyte (more when a single change is larger). Can be read
   * again, as after a failed attempt to apply it.
   */
  async *read(): AsyncGenerator<ChangeLog> {
    this.settle();
    let segment = 0;
    for (let block = 0; block < this.#blocks.length; block++) {
      const start = this.#blocks[block];
      const end = this.#blocks[block + 1] ?? this.#fileLength;
      while ((this.#segmentStarts[segment + 1] ?? Infinity) <= start) segment++;
      if (!this.#survives(segment, end)) continue;
      const log = await this.#readBlock(start, end - start);
      if (this.#drops) this.#dropChanges(log, this.#blockCounts[block]);
      if (this.#aborted.size > 0) this.#dropAborted(log, segment, start, end);
      log.count = countEntries(log);
      yield log;
    }
  }

  /** True once the file is gone. */
  get discarded(): boolean {
    return this.#discarded;
  }

  /** Closes and so deletes the file. */
  discard(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    this.follower?.discarded();
    // A descriptor that is closed under a read may be another file's by the time the read takes place.
    if (this.#reads === 0) closeSync(this.#descriptor);
  }

  /** True when a segment between the given one and the end of a block was not rolled back. */
  #survives(segment: number, end: number): boolean {
    if (this.#aborted.size === 0) return true;
    for (let i = segment; i < this.#segmentStarts.length && this.#segmentStarts[i] < end; i++) {
      if (!this.#aborted.has(this.#segmentSubtransactions[i])) return true;
    }
    return false;
  }

  async #readBlock(start: number, length: number): Promise<ChangeLog> {
    const log = new ChangeLog(length);
    for (const table of this.#tables) log.tableIndex(table);
    if (this.#discarded) throw this.#failed('read', new Error('the transaction was discarded'));
    this.#reads++;
    try {
      while (log.length < length) {
        const { bytesRead } = await readFile(
          this.#descriptor,
          log.buffer,
          log.length,
          length - log.length,
          start + log.length,
        ).catch((cause: unknown) => {
          throw this.#failed('read', cause);
        });
        if (bytesRead === 0) throw this.#failed('read', new Error('the file is shorter than what was written'));
        log.length += bytesRead;
      }
    } finally {
      if (--this.#reads === 0 && this.#discarded) closeSync(this.#descriptor);
    }
    return log;
  }

  /** Closes the gaps that rolled-back segments leave in a block that stood in the file at [start, end). */
  #dropAborted(log: ChangeLog, segment: number, start: number, end: number): void {
    let to = 0;
    for (let i = segment; i < this.#segmentStarts.length && this.#segmentStarts[i] < end; i++) {
      if (this.#aborted.has(this.#segmentSubtransactions[i])) continue;
      const from = Math.max(this.#segmentStarts[i], start) - start;
      const until = Math.min(this.#segmentStarts[i + 1] ?? end, end) - start;
      log.buffer.copyWithin(to, from, until);
      to += until - from;
    }
    log.length = to;
  }

  /** Closes the gaps that single changes leave in a block whose first one has the ordinal `first`. */
  #dropChanges(log: ChangeLog, first: number): void {
    let to = 0;
    for (let at = 0, ordinal = first; at < log.length; ordinal++) {
      const length = log.buffer.readUInt32BE(at);
      if (!this.#dropped.has(ordinal)) {
        if (to < at) log.buffer.copyWithin(to, at, at + length);
        to += length;
      }
      at += length;
    }
    log.length = to;
  }

  #newLog(): ChangeLog {
    const log = new ChangeLog(FIRST_CAPACITY);
    for (const table of this.#tables) log.tableIndex(table);
    return log;
  }

  #failed(action: string, cause: unknown): OperatorError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new OperatorError(
      'SPILL_FAILED',
      `cannot ${action} in ${this.#directory}, where a large open transaction is gathered: ${reason}; nothing of it was applied, and the source sends it again`,
      { fix: 'Make room there, or point --dataDir to a larger disk, then start again.', cause },
    );
  }
}

function countEntries(log: ChangeLog): number {
  let count = 0;
  for (let at = 0; at < log.length; at += log.buffer.readUInt32BE(at)) count++;
  return count;
}
