import { ChangeKind, ChangeLog } from '../changes/change-log.ts';
import type { SourceTable } from '../changes/table.ts';
import { OperatorError } from '../errors.ts';
import type { Position } from '../sources/source.ts';
import type { SchemaName } from '../target/identifiers.ts';
import { quoteIdentifier } from '../target/identifiers.ts';
import { verdict } from '../target/retry.ts';
import type { Session } from '../target/session.ts';
import type { Answerer } from '../userscript/script-worker.ts';
import type { Userscript } from '../userscript/userscript.ts';
import { isDrift, targetLost } from './apply-errors.ts';
import type { Batch, WorkQueue } from './batcher.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CollapseOptions, Collapser } from './collapse.ts';
import type { Commits } from './commits.ts';
import type { Commit } from './flights.ts';
import { UPSERT } from './recovery.ts';
import type { TargetTables } from './target-tables.ts';
import type { TargetTransactions } from './target-transactions.ts';
import { refusedStatement } from './transaction-control.ts';

/** The userscript, as far as rows are written by it. */
export interface ScriptParts {
  readonly userscript: Userscript;
  readonly schema: SchemaName;
  /** DEFAULT expressions of a target table's columns, by their names. */
  readonly defaultsOf: (table: string) => Promise<ReadonlyMap<string, string>>;
  /** Milliseconds that one call of onWrite may take, the target's answers included. */
  readonly timeout: number;
}

export interface ScriptedWritesParts extends ScriptParts {
  readonly batcher: WorkQueue;
  readonly session: Session;
  readonly tables: TargetTables;
  readonly collapser: Collapser;
  readonly checkpoint: Checkpoint;
  readonly commits: Commits;
  readonly transactions: TargetTransactions;
  readonly committed: (commit: Commit) => void;
}

/** Changes of one kind: of any tables that the engine writes, or of one that an onWrite does. */
interface Group {
  readonly handler: number | undefined;
  readonly table: SourceTable | undefined;
  readonly log: ChangeLog;
}

/**
 * Writes what an onWrite gets, inside of the target transaction that moves the checkpoint. Here the engine waits for each
 * answer: nothing else is under way on the connection meanwhile.
 */
export class ScriptedWrites {
  readonly #parts: ScriptedWritesParts;
  /** What `columns()` tells, by target table and catalogue. */
  readonly #columns = new Map<string, { catalogue: unknown; text: string }>();

  constructor(parts: ScriptedWritesParts) {
    this.#parts = parts;
  }

  /** Whether a log has rows that an onWrite gets. */
  concerns(log: ChangeLog): boolean {
    const { userscript, tables } = this.#parts;
    return log.tables.some((table) => userscript.writerOf(table, tables.catalogue) !== undefined);
  }

  /**
   * Sends the entries [start, end) as one target transaction; returns its error, after it has been rolled back. `release`
   * false: the log is needed again. @throws OperatorError when the connection was lost, or tables have changed.
   */
  async send(
    batch: Batch,
    start: number,
    end: number,
    position: Position,
    options: CollapseOptions,
    release: boolean,
  ): Promise<Error | undefined> {
    const { session, transactions, commits, checkpoint, committed, batcher } = this.#parts;
    const sync = commits.syncWanted;
    const started = performance.now();
    try {
      await session.send(transactions.begin(sync, options.exact, position));
      await this.apply(batch.log, start, end, options);
      const script = session.script();
      script.query('COMMIT');
      const { tags } = await session.send(script);
      if (tags.at(-1) !== 'COMMIT') throw abandoned();
    } catch (error) {
      transactions.takeWritten();
      if (!(error instanceof OperatorError) && verdict(error) === 'reconnect') throw targetLost(error as Error);
      await session.run('ROLLBACK').catch((lost: Error) => {
        throw targetLost(lost);
      });
      checkpoint.rollback();
      if (isDrift(error)) throw error;
      return error as Error;
    }
    checkpoint.advance(position);
    if (release) batcher.release(batch.log);
    committed({
      work: batch,
      position,
      sync,
      exact: options.exact,
      started,
      written: transactions.takeWritten().written,
    });
    return undefined;
  }

  /** Writes the entries [start, end) into the open target transaction. @throws what the database or the script refuses. */
  async apply(log: ChangeLog, start: number, end: number, options: CollapseOptions): Promise<void> {
    for (const group of this.#groups(log, start, end)) {
      if (group.handler === undefined) await this.#write(group.log, options);
      else await this.#call(group.handler, group.table!, group.log, options);
    }
  }

  async #write(log: ChangeLog, options: CollapseOptions): Promise<void> {
    const { session, collapser } = this.#parts;
    const script = session.script();
    try {
      collapser.write(log, 0, log.length, session, script, options);
    } catch (error) {
      session.forgetStatements();
      throw error;
    }
    await session.send(script);
  }

  async #call(handler: number, table: SourceTable, log: ChangeLog, options: CollapseOptions): Promise<void> {
    const { userscript, tables, timeout } = this.#parts;
    const work = tables.resolve(table);
    const { target } = work.writer.mapping;
    const description = {
      target: target.name,
      schema: this.#parts.schema.sql,
      table: target.qualified,
      columns: await this.#columnsOf(target.name),
    };
    const timer = setTimeout(() => {
      userscript.cut(
        `onWrite took more than ${timeout / 1000} s, the target's answers included (--applyTimeout), and was cut off`,
      );
    }, timeout);
    try {
      const { exact } = options;
      await userscript.write(log, handler, description, tables.catalogue, this.#answerer({ ...UPSERT, exact }));
    } finally {
      clearTimeout(timer);
    }
  }

  #answerer(options: CollapseOptions): Answerer {
    const { session, userscript, tables } = this.#parts;
    return async (ask) => {
      if (ask.kind === 'put') {
        const log = new ChangeLog(0);
        log.tables.push(...userscript.writtenTables(ask.tables, tables.catalogue));
        log.buffer = Buffer.from(ask.buffer.buffer, ask.buffer.byteOffset, ask.buffer.byteLength);
        log.length = log.buffer.length;
        log.count = ask.count;
        await this.#write(log, options);
        return undefined;
      }
      const refused = refusedStatement(ask.sql);
      if (refused !== undefined) {
        throw new OperatorError('SCRIPT_STATEMENT', `onWrite may not send ${ask.sql.slice(0, 80)}: ${refused}`, {
          fix: 'The engine begins and commits the transaction. For a part that may fail: SAVEPOINT and ROLLBACK TO SAVEPOINT.',
        });
      }
      const rows = await session.ask(ask.sql, ask.params);
      return ask.kind === 'query' ? rows : undefined;
    };
  }

  /**
   * The entries by who writes them. Rows of tables that refer to each other keep their order; else all rows of an onWrite's
   * table come to it at once.
   */
  #groups(log: ChangeLog, start: number, end: number): Group[] {
    const { userscript, tables } = this.#parts;
    const { catalogue } = tables;
    const handlers = log.tables.map((table) => userscript.writerOf(table, catalogue));
    const truncated = entriesOf(log, start, end).some(
      ({ at, table }) => log.buffer[at + 4] === ChangeKind.truncate && handlers[table] !== undefined,
    );
    const ordered = truncated || tables.related(log.tables);
    const groups: Group[] = [];
    const open = new Map<string, Group>();
    let last: Group | undefined;
    for (const { at, table } of entriesOf(log, start, end)) {
      const truncates = log.buffer[at + 4] === ChangeKind.truncate;
      const handler = truncates ? undefined : handlers[table];
      const source = handler === undefined ? undefined : log.tables[table];
      const name = source === undefined ? '' : `of ${userscript.targetOf(source, catalogue)}`;
      let group = open.get(name);
      if (group === undefined || (ordered && group !== last)) {
        group = { handler, table: source, log: new ChangeLog(4096) };
        open.set(name, group);
        groups.push(group);
      }
      group.log.appendEntries(log, at, at + log.buffer.readUInt32BE(at));
      last = group;
    }
    return groups;
  }

  /** Column names quoted, those of the key first, in its order. */
  async #columnsOf(name: string): Promise<string> {
    const { catalogue } = this.#parts.tables;
    const known = this.#columns.get(name);
    if (known?.catalogue === catalogue) return known.text;
    const target = catalogue.tables.get(name)!;
    const defaults = await this.#parts.defaultsOf(name);
    const place = (column: string) => (target.primaryKey.indexOf(column) + 1 || target.primaryKey.length + 1) - 1;
    const columns = target.columns
      .toSorted((a, b) => place(a.name) - place(b.name))
      .map((column) => ({
        ...(defaults.has(column.name) && { defaultExpr: defaults.get(column.name) }),
        ignored: column.generated || column.hidden,
        name: quoteIdentifier(column.name),
        primary: target.primaryKey.includes(column.name),
        type: column.typeName,
      }));
    const text = JSON.stringify(columns);
    this.#columns.set(name, { catalogue, text });
    return text;
  }
}

function entriesOf(log: ChangeLog, start: number, end: number): { at: number; table: number }[] {
  const entries: { at: number; table: number }[] = [];
  for (let at = start; at < end; at += log.buffer.readUInt32BE(at)) {
    entries.push({ at, table: log.buffer.readUInt16BE(at + 6) });
  }
  return entries;
}

function abandoned(): OperatorError {
  return new OperatorError(
    'SCRIPT_ABANDONED',
    'onWrite went on after an error of the database as if nothing had happened, so that the target has rolled the transaction back; nothing of it was applied',
    { fix: 'In the script: SAVEPOINT a in front of what may fail, and ROLLBACK TO SAVEPOINT a after it has failed.' },
  );
}
