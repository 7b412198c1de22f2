import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { ChangeLog } from './change-log.ts';
import type { SourceTable } from './table.ts';

/** Bytes gathered in memory before a write to the file. */
const WRITE_SIZE = 1024 * 1024;

interface Run {
  readonly subtransaction: number;
  readonly tables: readonly SourceTable[];
  readonly start: number;
  readonly length: number;
}

/**
 * A transaction that is still open at the source, gathered in a file (mode 0600) because it may be larger than memory and
 * may still be rolled back, whole or in part. The file is only a buffer: after a crash the source sends everything again,
 * so it is never synced and leftovers can be deleted.
 */
export class SpilledTransaction {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #runs: Run[] = [];
  readonly #aborted = new Set<number>();
  #pending = new ChangeLog(WRITE_SIZE);
  #subtransaction: number | undefined;
  #fileLength = 0;
  /** Changes appended, those of rolled-back subtransactions included. */
  count = 0;

  /** Creates the file in `directory`, which is made when missing. */
  constructor(directory: string, name: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#path = join(directory, `${name}.spill`);
    this.#descriptor = openSync(this.#path, 'w+', 0o600);
  }

  /** The log to append to for a subtransaction (the top transaction is one too). Call it anew for each change. */
  changesOf(subtransaction: number): ChangeLog {
    if (subtransaction !== this.#subtransaction || this.#pending.length >= WRITE_SIZE - 64 * 1024) {
      this.#flush();
      this.#subtransaction = subtransaction;
    }
    return this.#pending;
  }

  /** Forgets what a rolled-back subtransaction did. */
  abort(subtransaction: number): void {
    this.#aborted.add(subtransaction);
  }

  /** Bytes on disk and in memory. */
  get bytes(): number {
    return this.#fileLength + this.#pending.length;
  }

  /** The surviving changes in order, as logs of at most about a megabyte. */
  async *read(): AsyncGenerator<ChangeLog> {
    this.#flush();
    const file = await open(this.#path, 'r');
    try {
      for (const run of this.#runs) {
        if (this.#aborted.has(run.subtransaction)) continue;
        const log = new ChangeLog(run.length);
        log.tables.push(...run.tables);
        await file.read(log.buffer, 0, run.length, run.start);
        log.length = run.length;
        yield log;
      }
    } finally {
      await file.close();
    }
  }

  /** Closes and deletes the file. */
  discard(): void {
    closeSync(this.#descriptor);
    rmSync(this.#path, { force: true });
  }

  #flush(): void {
    const log = this.#pending;
    if (log.length === 0 || this.#subtransaction === undefined) return;
    let written = 0;
    while (written < log.length) {
      written += writeSync(this.#descriptor, log.buffer, written, log.length - written, this.#fileLength + written);
    }
    this.#runs.push({
      subtransaction: this.#subtransaction,
      tables: [...log.tables],
      start: this.#fileLength,
      length: log.length,
    });
    this.#fileLength += log.length;
    this.count += log.count;
    log.clear();
  }
}
