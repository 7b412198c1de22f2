import { ChangeLog, decodeTuple, ENTRY_HEADER, OldTuple, tupleEnd } from '../changes/change-log.ts';
import type { SourceTable } from '../changes/table.ts';
import { OperatorError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import type { Catalogue } from '../target/catalogue.ts';
import type { Dialect } from '../target/dialect.ts';
import type { SchemaName } from '../target/identifiers.ts';
import { sqlState } from '../target/retry.ts';
import { type CompiledScript, compileScript } from './compile.ts';
import type { Configuration, ThrownText } from './realm/io.ts';
import { ScriptFailure } from './sandbox.ts';
import { type Answerer, type ScriptLimits, ScriptWorker, WorkerEnded } from './script-worker.ts';
import { type Subject, scriptError } from './script-error.ts';
import { schemaNames, TablePlans } from './table-plans.ts';

/** What errors say that befell while rows were on their way. */
const NOTHING_APPLIED = 'nothing of the transaction was applied, and the checkpoint stands before it';

/** Megabytes that a script may hold. */
const MEMORY = 512;
/** Characters that one call of a handler may return. */
const OUTPUT = 32 * 1024 * 1024;

/** What is counted, for each handler that is configured. */
export interface HandlerCounts {
  /** The target table; empty for the handlers of a schema. */
  readonly tables: readonly string[];
  readonly handler: string;
  readonly calls: number;
  readonly filtered: number;
  readonly processed: number;
  /** Milliseconds in handlers, and those that the rows waited for their turn. */
  readonly milliseconds: number;
  readonly waited: number;
}

export interface UserscriptOptions {
  readonly path: string;
  /** Milliseconds that one call of a handler may take. */
  readonly timeout: number;
  /** Megabytes that the script may hold; 512 unless told otherwise. */
  readonly memory?: number;
  readonly log: Logger;
  /** True when rows may go to tables that the target is not known to have. */
  readonly open?: boolean;
  /** Is told what was counted since the last time. */
  readonly onCounts?: (counts: readonly HandlerCounts[]) => void;
  readonly onError?: (handler: string, table: string) => void;
}

/** What became of transactions. */
export interface Transformed {
  /** The log that was given, when every row goes on as it is. */
  readonly log: ChangeLog;
  /** Where those end that went well, and the changes of each: the first so many of those that were given. */
  readonly ends: readonly number[];
  readonly counts: readonly number[];
  /** Why the one behind them did not. */
  readonly error: OperatorError | undefined;
}

/** A userscript that is loaded. */
export class Userscript {
  readonly script: CompiledScript;
  readonly configuration: Configuration;
  readonly #worker: ScriptWorker;
  readonly #options: UserscriptOptions;
  #target: { readonly schema: SchemaName; readonly dialect: Dialect } | undefined;
  #plans: TablePlans | undefined;
  #planId = 0;
  /** When the requests under way were made, and when the last one was through, milliseconds. */
  readonly #entered: number[] = [];
  #finished = 0;

  private constructor(
    script: CompiledScript,
    worker: ScriptWorker,
    configuration: Configuration,
    options: UserscriptOptions,
  ) {
    this.script = script;
    this.configuration = configuration;
    this.#worker = worker;
    this.#options = options;
  }

  /** Compiles and evaluates a script. @throws OperatorError SCRIPT_… */
  static async open(options: UserscriptOptions): Promise<Userscript> {
    const script = await compileScript(options.path);
    const limits: ScriptLimits = { time: options.timeout, memory: options.memory ?? MEMORY, output: OUTPUT };
    let opened: Userscript | undefined;
    let counted: Float64Array = new Float64Array(0);
    const worker = new ScriptWorker(script.code, limits, {
      log: (level, message) => logLine(options.log, level, message),
      counters: (counters) => {
        if (opened !== undefined) opened.#count(counted, counters);
        counted = counters;
      },
      started: () => {
        if (opened !== undefined) opened.#entered.length = 0;
        counted = new Float64Array(0);
      },
    });
    try {
      const configuration = await worker.start();
      opened = new Userscript(script, worker, configuration, options);
      return opened;
    } catch (failure) {
      await worker.close();
      if (!(failure instanceof ScriptFailure)) throw failure;
      throw scriptError(script, failure.thrown, undefined, 'nothing was started');
    }
  }

  /**
   * Names the schema that rows go to. @throws OperatorError SCRIPT_SCHEMA or SCRIPT_TABLE when handlers would never run: the
   * target would get other data than the script's author wants.
   */
  bind(schema: SchemaName, dialect: Dialect, catalogue: Catalogue): void {
    this.#target = { schema, dialect };
    const plans = this.follow(catalogue);
    const { schemas, tables } = this.configuration;
    if (schemas.length > 0 && plans.handlers < 0) {
      const names = schemas.map(({ name }) => JSON.stringify(name)).join(', ');
      throw new OperatorError(
        'SCRIPT_SCHEMA',
        `the userscript configures the target schema ${names}, but rows go to ${schema.raw}, whose name it has not: its handlers would never run; nothing was started`,
        { fix: `configureTargetSchema(${JSON.stringify(schemaNames(schema)[0])}, …); // in ${this.script.path}` },
      );
    }
    if (schemas.length === 0 && tables.length === 0) {
      throw new OperatorError(
        'SCRIPT_EMPTY',
        `the userscript ${this.script.path} configures nothing, so that every row would go on as it is; nothing was started`,
        {
          fix: `configureTargetSchema(${JSON.stringify(schema.raw)}, { onRowUpsert, onRowDelete }); // or leave --userscript out`,
        },
      );
    }
    const [unknown] = plans.unknownTables;
    if (unknown === undefined) return;
    const near = [...catalogue.tables.keys()].find(
      (name) => name.toLowerCase() === unknown.toLowerCase().split('.').at(-1),
    );
    throw new OperatorError(
      'SCRIPT_NO_TABLE',
      `the userscript configures the target table ${unknown}, which ${schema.raw} does not have: its handlers would never run; nothing was started`,
      {
        fix:
          near === undefined
            ? `Create the table on the target, or take its name out of configureTargetTables in ${this.script.path}.`
            : `configureTargetTables([${JSON.stringify(near)}], …); // case counts, in ${this.script.path}`,
      },
    );
  }

  /** Goes by a catalogue from here on. */
  follow(catalogue: Catalogue): TablePlans {
    if (this.#target === undefined) throw new Error('the userscript was not bound to a schema');
    if (this.#plans?.catalogue === catalogue) return this.#plans;
    const { schema, dialect } = this.#target;
    const plans = new TablePlans(this.configuration, schema, dialect, catalogue, () => ++this.#planId);
    this.#plans = plans;
    for (const kind of ['plans', 'targets'] as const) this.#worker.forget(kind);
    this.#worker.tell({
      kind: 'targets',
      targets: plans.targets(),
      bindings: [...plans.bindings],
      open: this.#options.open ?? false,
    });
    return plans;
  }

  /**
   * Takes the transactions of a log through the row handlers, of which the first begins at `start` and each ends at one of
   * `ends`. Resolves earlier than all are through when one of them fails, or when there is much to go on with already.
   */
  async transform(log: ChangeLog, start: number, ends: readonly number[], catalogue: Catalogue): Promise<Transformed> {
    const plans = this.follow(catalogue);
    const numbers = log.tables.map((table) => (plans.handles(table) ? plans.planOf(table).id : -1));
    this.#tellPlans(plans);
    const end = ends[ends.length - 1];
    const buffer = Uint8Array.prototype.slice.call(log.buffer, start, end);
    this.#entered.push(performance.now());
    try {
      const done = await this.#worker.rows({ buffer, plans: numbers, ends: ends.map((one) => one - start) });
      const error = done.error && this.#error(done.error, log, start + done.errorAt, plans);
      if (done.buffer === undefined && start === 0 && end === log.length) {
        return { log, ends: done.ends, counts: done.counts, error };
      }
      const made = new ChangeLog(0);
      // One table may stand there twice, each with a number of its own.
      made.tables.push(...(done.buffer === undefined ? log.tables : plans.tablesOf(done.tables, log.tables)));
      made.buffer = done.buffer === undefined ? Buffer.from(log.buffer.subarray(start, end)) : bufferOf(done.buffer);
      made.length = made.buffer.length;
      made.count = done.counts.reduce((sum, count) => sum + count, 0);
      return { log: made, ends: done.ends, counts: done.counts, error };
    } catch (failure) {
      if (!(failure instanceof WorkerEnded)) throw failure;
      const error = this.#error(failure.thrown, log, start + failure.entry, plans);
      return { log: new ChangeLog(0), ends: [], counts: [], error };
    }
  }

  /** Whether a table's rows go through row handlers. */
  handles(table: SourceTable, catalogue: Catalogue): boolean {
    return this.follow(catalogue).handles(table);
  }

  /** True when handlers of a schema see the rows of every table. */
  get handlesEveryTable(): boolean {
    return (this.#plans?.handlers ?? -1) >= 0;
  }

  /** Name of the target table for a table's rows. */
  targetOf(table: SourceTable, catalogue: Catalogue): string {
    return this.follow(catalogue).targetOf(table);
  }

  /** Number of the handlers whose onWrite gets the rows of a table. */
  writerOf(table: SourceTable, catalogue: Catalogue): number | undefined {
    return this.follow(catalogue).writerOf(table);
  }

  /** Gives rows, all of one target table, to an onWrite. @throws OperatorError SCRIPT_…, or the database's error that it let through. */
  async write(
    log: ChangeLog,
    handler: number,
    target: WriteTarget,
    catalogue: Catalogue,
    answer: Answerer,
  ): Promise<void> {
    const plans = this.follow(catalogue);
    const numbers = log.tables.map((table) => plans.planOf(table).id);
    this.#tellPlans(plans);
    const buffer = Uint8Array.prototype.slice.call(log.buffer, 0, log.length);
    const refused = new Map<number, Error>();
    const answering: Answerer = async (ask) => {
      try {
        return await answer(ask);
      } catch (error) {
        refused.set(ask.request, error as Error);
        const state = sqlState(error);
        const { message } = error as Error;
        throw new Error(state === undefined ? message : `ERROR: ${message} (SQLSTATE ${state})`);
      }
    };
    let thrown: ThrownText | undefined;
    this.#entered.push(performance.now());
    try {
      thrown = await this.#worker.write({ handler, buffer, plans: numbers, ...target }, answering);
    } catch (failure) {
      if (!(failure instanceof WorkerEnded)) throw failure;
      thrown = failure.thrown;
    }
    if (thrown === undefined) return;
    const own = refused.get(thrown.request);
    if (own !== undefined) throw own;
    this.#options.onError?.('onWrite', target.target);
    throw scriptError(this.script, thrown, { table: target.target, key: '', values: [] }, NOTHING_APPLIED);
  }

  /** The tables of rows that an onWrite has made. */
  writtenTables(tables: Parameters<TablePlans['tablesOf']>[0], catalogue: Catalogue): SourceTable[] {
    return this.follow(catalogue).tablesOf(tables, []);
  }

  /** Ends what the script is doing; it fails with SCRIPT_TIMEOUT. */
  cut(message: string): void {
    this.#worker.cut('SCRIPT_TIMEOUT', message);
  }

  async close(): Promise<void> {
    await this.#worker.close();
  }

  #tellPlans(plans: TablePlans): void {
    const fresh = plans.takeFresh();
    if (fresh.length > 0) this.#worker.tell({ kind: 'plans', plans: fresh });
  }

  #error(thrown: ThrownText, log: ChangeLog, at: number, plans: TablePlans): OperatorError {
    const source = log.tables[log.buffer.readUInt16BE(at + 6)];
    const row = rowAt(log, at, source, plans.planOf(source).key);
    this.#options.onError?.(thrown.handler, thrown.table);
    if (this.#options.log.enabled('trace')) {
      this.#options.log.trace('the row that the userscript failed on', {
        table: source.name,
        row: JSON.stringify(row.all),
      });
    }
    const subject: Subject = { table: thrown.table || source.name, key: row.key, values: row.values };
    return scriptError(this.script, thrown, subject, NOTHING_APPLIED);
  }

  #count(before: Float64Array, now: Float64Array): void {
    if (this.#options.onCounts === undefined) return;
    const { schemas, tables } = this.configuration;
    const entered = this.#entered.shift() ?? this.#finished;
    const waited = Math.max(0, this.#finished - entered);
    this.#finished = performance.now();
    const entries = [
      ...schemas.map(({ counters }) => ({ counters, names: [] as readonly string[] })),
      ...tables.map(({ counters, names }) => ({ counters, names })),
    ];
    const counts: HandlerCounts[] = [];
    for (const { counters, names } of entries) {
      ['onRowUpsert', 'onRowDelete', 'onWrite'].forEach((handler, i) => {
        const at = counters + 4 * i;
        const [calls, filtered, processed, milliseconds] = [0, 1, 2, 3].map((j) => now[at + j] - (before[at + j] ?? 0));
        if (calls > 0) counts.push({ tables: names, handler, calls, filtered, processed, milliseconds, waited });
      });
    }
    if (counts.length > 0) this.#options.onCounts(counts);
  }
}

/** A target table as onWrite is told of it. */
export interface WriteTarget {
  readonly target: string;
  /** Quoted. */
  readonly schema: string;
  readonly table: string;
  /** JSON of what `columns()` tells. */
  readonly columns: string;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The row that an entry is about: its key, and the texts that errors must not show. */
function rowAt(
  log: ChangeLog,
  at: number,
  table: SourceTable,
  key: readonly number[],
): { key: string; values: string[]; all: Record<string, string | null> } {
  const end = at + log.buffer.readUInt32BE(at);
  let tuple = at + ENTRY_HEADER;
  if (tuple >= end) return { key: '', values: [], all: {} };
  const old = log.buffer[at + 5];
  if (old !== OldTuple.none && tupleEnd(log.buffer, tuple) < end) tuple = tupleEnd(log.buffer, tuple);
  const parts: string[] = [];
  const values: string[] = [];
  const all = new Map<string, string | null>();
  decodeTuple(log.buffer, tuple).forEach((value, i) => {
    if (value === undefined) return;
    all.set(table.columns[i].name, value);
    if (key.includes(i)) parts.push(`${table.columns[i].name}=${value ?? 'NULL'}`);
    else if (value !== null) values.push(value);
  });
  return { key: parts.join(', '), values, all: Object.fromEntries(all) };
}

function logLine(log: Logger, level: string, message: string): void {
  const fields = { from: 'userscript' };
  if (level === 'error') log.error(message, fields);
  else if (level === 'warning') log.warn(message, fields);
  else if (level === 'debug') log.debug(message, fields);
  else if (level === 'trace') log.trace(message, fields);
  else log.info(message, fields);
}
