import { setTimeout as wait } from 'node:timers/promises';
import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { ChangeSink } from '../source.ts';
import type { OracleConnection } from './connection.ts';
import { collectLogFiles, readThreads } from './log-files.ts';
import { readLogHorizon } from './log-horizon.ts';
import { Col, type RedoRow } from './logminer-rows.ts';
import { type LogMinerSession, readCurrentScn } from './logminer-session.ts';
import type { OracleMetrics } from './metrics.ts';
import type { RedoReader } from './redo/redo-reader.ts';
import type { Scn } from './scn.ts';
import { flushRedo } from './sentinel.ts';
import { type OracleStatus, pointOf } from './status.ts';
import type { TablePlans } from './table-plans.ts';
import type { Transactions } from './transactions.ts';
import { LEAST_SCNS, type Windows } from './windows.ts';

/** Milliseconds between two looks at a server that has nothing new. */
const POLL = 250;
/** Milliseconds between two looks for a log that is being archived, and how many there are. */
const ARCHIVE_POLL = 500;
const ARCHIVE_POLLS = 60;
/** Milliseconds between two looks at how far back the logs go. */
const HORIZON_INTERVAL = 60_000;
/** SCNs behind the newest one from which on the log says that it is catching up, and how often, milliseconds. */
const FAR_BEHIND = 100_000n;
const TELL_INTERVAL = 30_000;

export interface MinerParts {
  /** Of the whole server: LogMiner runs here. */
  readonly mining: OracleConnection;
  /** Of the database that the tables are in. */
  readonly tables: OracleConnection;
  readonly owner: string;
  readonly session: LogMinerSession;
  readonly reader: RedoReader;
  readonly transactions: Transactions;
  readonly plans: TablePlans;
  readonly windows: Windows;
  readonly sink: ChangeSink;
  readonly status: OracleStatus;
  readonly log: Logger;
  readonly metrics?: OracleMetrics;
}

/** Reads the redo window by window, from an SCN on, until it is told to stop. */
export class Miner {
  readonly #parts: MinerParts;
  /** All redo up to it was read. */
  #read: Scn;
  /** All redo up to it is on disk at the server. */
  #flushed: Scn;
  #told = 0;
  #horizonAt = Number.NEGATIVE_INFINITY;
  /** A sink that takes nothing any more, because everything ends, is never drained. */
  #stopped: Promise<void> = new Promise(() => {});

  constructor(parts: MinerParts, from: Scn) {
    this.#parts = parts;
    this.#read = from;
    this.#flushed = from;
  }

  /** Resolves after an abort; rejects with whatever the server or the redo made fail. */
  async run(signal: AbortSignal): Promise<void> {
    this.#stopped = aborted(signal);
    while (!signal.aborted) {
      const head = await this.#head();
      if (head < this.#read + LEAST_SCNS) {
        await pause(POLL, signal);
        continue;
      }
      const end = this.#parts.windows.end(this.#read, head);
      const found = await this.#window(end, signal);
      if (signal.aborted) return;
      // A server that is busy is read again at once.
      if (end === head && !found) await pause(POLL, signal);
    }
  }

  /** The newest SCN up to which all redo can be read. */
  async #head(): Promise<Scn> {
    const { mining, tables, owner, status, reader, metrics, windows } = this.#parts;
    const { scn, offset } = await readCurrentScn(mining);
    reader.offset = offset;
    status.head = pointOf(scn);
    status.lastReceived = Date.now();
    metrics?.distance(Number(scn - this.#read));
    this.#tell(scn);
    await this.#lookBack();
    if (this.#read + windows.size <= this.#flushed) return this.#flushed;
    await flushRedo(tables, owner, scn);
    // Other instances of a cluster write their redo in their own time.
    let complete = scn;
    for (const { open, lastRedo } of await readThreads(mining)) {
      if (open && lastRedo - 1n < complete) complete = lastRedo - 1n;
    }
    if (complete > this.#flushed) this.#flushed = complete;
    return this.#flushed;
  }

  /** Now and then, how far back the logs go. It only informs: when that cannot be told, the redo is read on. */
  async #lookBack(): Promise<void> {
    const { mining, transactions, status, log } = this.#parts;
    const now = performance.now();
    if (now - this.#horizonAt < HORIZON_INTERVAL) return;
    this.#horizonAt = now;
    try {
      status.retention = await readLogHorizon(mining, transactions.positionAt(this.#read)?.mineFrom ?? this.#read);
    } catch (error) {
      log.debug('cannot ask how far back the logs go', { error: String(error) });
    }
  }

  /** Reads (read, end]. True when there was something for us in it. */
  async #window(end: Scn, signal: AbortSignal): Promise<boolean> {
    const { session, reader, sink, windows, transactions, metrics, status } = this.#parts;
    const from = this.#read;
    const started = performance.now();
    const files = await this.#files(from + 1n, end, signal);
    if (files === undefined) return false;
    await session.start(files, from + 1n, end);
    const queried = performance.now();
    let rows = 0;
    let ours = 0;
    for await (const batch of session.rows(from, end)) {
      if (signal.aborted) return false;
      rows += batch.length;
      ours += await this.#batch(batch);
      status.lastReceived = Date.now();
      if (sink.full) await Promise.race([sink.drained(), this.#stopped]);
    }
    if (reader.incomplete) throw unfinished(end);
    const ended = performance.now();
    this.#read = end;
    const position = transactions.positionAt(end);
    if (position !== undefined) sink.progress(position);
    windows.done(rows, ended - started);
    metrics?.window((ended - started) / 1000, (ended - queried) / 1000, Number(windows.size));
    metrics?.open(transactions.size);
    return ours > 0;
  }

  /** How many of the rows are of our tables. */
  async #batch(batch: readonly RedoRow[]): Promise<number> {
    const { reader, plans, status, owner } = this.#parts;
    let ours = 0;
    let bytes = 0;
    for (const row of batch) {
      if (row[Col.owner] === owner) ours++;
      bytes += row[Col.sql]?.length ?? 0;
      if (reader.read(row)) {
        await plans.load(row[Col.table] ?? undefined);
        reader.read(row);
      }
    }
    reader.count();
    status.received += bytes;
    return ours;
  }

  /** Undefined when it was told to stop meanwhile. */
  async #files(from: Scn, to: Scn, signal: AbortSignal) {
    const { mining } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        const patience = attempt < ARCHIVE_POLLS ? 'wait' : 'over';
        return await collectLogFiles(mining, from, to, await readThreads(mining), patience);
      } catch (error) {
        const soon = error instanceof OperatorError && error.code === 'ORACLE_LOG_NOT_YET';
        if (!soon || attempt === ARCHIVE_POLLS) throw error;
        await pause(ARCHIVE_POLL, signal);
        if (signal.aborted) return undefined;
      }
    }
  }

  #tell(head: Scn): void {
    const now = Date.now();
    if (head - this.#read < FAR_BEHIND || now - this.#told < TELL_INTERVAL) return;
    this.#told = now;
    this.#parts.log.info(`replicator is catching up to the current SCN at ${head} from ${this.#read}…`);
  }
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, { signal }).catch(() => {});
}

function unfinished(end: Scn): OperatorError {
  return new OperatorError(
    'ORACLE_REDO_HOLE',
    `the redo up to SCN ${end} ends in the middle of a statement; nothing of it was applied, and it is looked for again`,
    { transient: true },
  );
}
