import { OperatorError } from '../../../errors.ts';
import type { ErrorCode } from '../../../explanations/table.ts';
import type { Logger } from '../../../log/logger.ts';
import type { ChangeSink } from '../../source.ts';
import { Col, Operation, type RedoRow } from '../logminer-rows.ts';
import type { OracleMetrics, SkipReason } from '../metrics.ts';
import type { Scn } from '../scn.ts';
import { SENTINEL } from '../sentinel.ts';
import type { TablePlan, TablePlans } from '../table-plans.ts';
import { problemCode } from '../tables.ts';
import type { Transactions } from '../transactions.ts';
import { LARGE_OBJECT, rowNumber } from '../undo-stack.ts';
import { type LobUpdate, LobWrites } from './lob-writes.ts';
import { RedoParser } from './redo-parser.ts';
import { Literal, type RedoStatement } from './redo-statement.ts';

export type TruncatePolicy = 'apply' | 'ignore' | 'error';

export interface RedoReaderParts {
  readonly owner: string;
  readonly plans: TablePlans;
  readonly transactions: Transactions;
  readonly sink: ChangeSink;
  readonly truncate: TruncatePolicy;
  readonly log: Logger;
  readonly metrics?: OracleMetrics;
}

/** `TRUNCATE TABLE name`, the name with or without its owner, quoted or not. */
const TRUNCATE = /^\s*truncate\s+table\s+(?:(?:"[^"]+"|[\w$#]+)\s*\.\s*)?("[^"]+"|[\w$#]+)/i;

/** Redo that holds a part of a large value, which the row's own redo leaves out. */
const LARGE_VALUES = new Set<string>([
  Operation.selectLob,
  Operation.lobWrite,
  Operation.lobTrim,
  Operation.lobErase,
  Operation.lobErase2,
]);

/** Large values whose content is not put together here. */
const OTHER_LARGE_VALUES = new Set<string>([
  Operation.longData,
  Operation.xmlBegin,
  Operation.xmlWrite,
  Operation.xmlEnd,
  Operation.extendedBegin,
  Operation.extendedWrite,
  Operation.extendedEnd,
]);

/**
 * Reads the rows of LogMiner in their order: joins what a long statement was split into, parses it, and keeps each change with its
 * transaction until that ends. A row is looked at once; nothing is allocated for it but what the parser needs.
 */
export class RedoReader {
  readonly #parts: RedoReaderParts;
  readonly #parser = new RedoParser();
  readonly #lobs = new LobWrites();
  readonly #warned = new Set<string>();
  /** The first row of a statement that goes on, and the text so far. */
  #first: RedoRow | undefined;
  #sql = '';
  /** SCN of the row, kept as text too: many rows have the same. */
  #scnText: string | null = null;
  #scn: Scn = 0n;
  #inserts = 0;
  #updates = 0;
  #deletes = 0;
  #truncates = 0;
  /** Microseconds by which LogMiner's times are ahead of UTC. */
  #offset = 0;
  #timeText: string | null = null;
  #time = 0;

  constructor(parts: RedoReaderParts) {
    this.#parts = parts;
  }

  /** Microseconds by which the times of the rows to come are ahead of UTC. */
  set offset(microseconds: number) {
    if (this.#offset !== microseconds) this.#timeText = null;
    this.#offset = microseconds;
  }

  /** True while the rest of a statement has to follow. */
  get incomplete(): boolean {
    return this.#first !== undefined;
  }

  /**
   * Takes a row. True when the definitions of tables have to be read anew first: the same row has to be given again then.
   * @throws OperatorError for redo that cannot be turned into changes without losing some.
   */
  read(row: RedoRow): boolean {
    let first = row;
    let sql = row[Col.sql] ?? '';
    if (this.#first !== undefined) {
      first = this.#first;
      this.#sql += sql;
      sql = this.#sql;
    }
    if (row[Col.csf] === '1') {
      this.#first = first;
      this.#sql = sql;
      return false;
    }
    const again = this.#statement(first, sql);
    if (!again) this.#first = undefined;
    else if (this.#first !== undefined) this.#sql = sql.slice(0, sql.length - (row[Col.sql] ?? '').length);
    return again;
  }

  /** Tells the metrics what was read since the last time. */
  count(): void {
    const { metrics } = this.#parts;
    if (this.#inserts > 0) metrics?.mutation('insert', this.#inserts);
    if (this.#updates > 0) metrics?.mutation('update', this.#updates);
    if (this.#deletes > 0) metrics?.mutation('delete', this.#deletes);
    if (this.#truncates > 0) metrics?.mutation('truncate', this.#truncates);
    this.#inserts = this.#updates = this.#deletes = this.#truncates = 0;
  }

  #statement(row: RedoRow, sql: string): boolean {
    if (row[Col.scn] !== this.#scnText) {
      this.#scnText = row[Col.scn];
      this.#scn = BigInt(row[Col.scn] ?? 0);
    }
    switch (row[Col.operation]) {
      case Operation.insert:
      case Operation.update:
      case Operation.delete:
        return this.#change(row, sql);
      case Operation.commit: {
        const xid = row[Col.xid] ?? '';
        this.#settleLobs(xid);
        this.#lobs.forget(xid);
        const { transactions, sink } = this.#parts;
        const unmatched = transactions.commit(xid, this.#scn, this.#commitTime(row), sink);
        if (unmatched !== undefined) this.#tellUnmatched(unmatched);
        return false;
      }
      case Operation.rollback:
        this.#lobs.forget(row[Col.xid] ?? '');
        this.#parts.transactions.rollback(row[Col.xid] ?? '');
        return false;
      case Operation.ddl:
        return this.#definition(row, sql);
      case Operation.missing:
        throw holeInRedo(this.#scn);
      default:
        return this.#other(row, sql);
    }
  }

  #change(row: RedoRow, sql: string): boolean {
    const { plans, transactions } = this.#parts;
    const owner = row[Col.owner] ?? '';
    const name = row[Col.table] ?? '';
    if (owner !== this.#parts.owner) return this.#unknownTable(row);
    if (name === SENTINEL) return false;
    const plan = plans.get(name);
    if (plan === undefined) {
      if (name.startsWith('BIN$')) {
        this.#skip(
          'unknown_table',
          'ORACLE_REDO_SKIPPED',
          name,
          `the redo of a table that was dropped (${name}) is passed over`,
        );
        return false;
      }
      if (!plans.isNew(name)) {
        this.#skip(
          'unknown_table',
          'ORACLE_TABLE_UNSEEN',
          name,
          `changes of ${owner}.${name} are passed over: the user of --sourcePDBConn (or of --sourceConn) cannot see that table; GRANT SELECT on it, and start again before more is missed`,
        );
        return false;
      }
      return true;
    }
    const xid = row[Col.xid] ?? '';
    const number = rowNumber(plan.number, row[Col.rowId] ?? '');
    this.#settleLobs(xid);
    if (row[Col.rollback] === '1') {
      if (transactions.has(xid) && !transactions.undone(xid, number) && plan.writer !== undefined) {
        // Of a transaction that the target has, or that is rolled back whole, the beginning may be missing: that harms nothing.
        transactions.unmatched(xid, name, this.#scn);
      }
      return false;
    }
    if (plan.writer === undefined) {
      this.#skip(
        'unsupported',
        problemCode(name, plan.source.columns),
        name,
        `changes of ${owner}.${name} are not replicated: ${plan.problem}`,
      );
      return false;
    }
    if (row[Col.status] === '2' && (row[Col.info] ?? '') !== '') throw notValid(row);
    if (sql.startsWith('/*')) return false; // of a temporary table there is no redo
    const statement = this.#parser.parse(sql, plan.writer);
    if (statement.guessed) this.#warnOnce('ORACLE_QUOTES_GUESSED', name, guessedQuotes(owner, name));
    const bytes = plan.writer.append(statement, transactions.changesOf(xid, this.#scn));
    transactions.changed(number, bytes);
    if (plan.lobs.size > 0) this.#largeObjects(xid, row[Col.rowId] ?? '', statement, plan);
    if (statement.kind === 'insert') this.#inserts++;
    else if (statement.kind === 'update') this.#updates++;
    else this.#deletes++;
    return false;
  }

  /** A table that the dictionary no longer knows, or not in the version that the redo was written for. */
  #unknownTable(row: RedoRow): boolean {
    const name = row[Col.table] ?? '';
    const object = /^OBJ# (\d+)$/.exec(name)?.[1];
    const plan = object === undefined ? undefined : this.#parts.plans.byObject(object);
    // It may be a partition that was made since the definitions were read.
    if (plan === undefined && this.#parts.plans.isNew(name)) return true;
    if (plan !== undefined) throw tableChanged(`${this.#parts.owner}.${plan.name}`, this.#scn);
    this.#skip(
      'unknown_table',
      'ORACLE_REDO_SKIPPED',
      name,
      `the redo of a table that the server's dictionary does not know (${name}) is passed over: it was dropped, or belongs to another schema`,
    );
    return false;
  }

  #definition(row: RedoRow, sql: string): boolean {
    const { plans, log, truncate, transactions } = this.#parts;
    const info = row[Col.info] ?? '';
    const name = row[Col.table] ?? '';
    if (info.startsWith('INTERNAL') || row[Col.owner] !== this.#parts.owner) return false;
    const truncated = TRUNCATE.exec(sql)?.[1];
    const table = truncated?.startsWith('"') ? truncated.slice(1, -1) : truncated?.toUpperCase();
    const plan = plans.get(table ?? name);
    if (table !== undefined) {
      if (plan === undefined) return false;
      if (truncate === 'error') throw truncateRefused(`${this.#parts.owner}.${table}`, this.#scn);
      if (truncate === 'ignore') {
        this.#skip(
          'ddl',
          'TRUNCATE_IGNORED',
          table,
          `TRUNCATE TABLE ${this.#parts.owner}.${table} is not applied (--truncate ignore)`,
        );
        return false;
      }
      const changes = transactions.changesOf(row[Col.xid] ?? '', this.#scn);
      const before = changes.length;
      changes.appendTruncate(plan.source);
      transactions.changed(rowNumber(plan.number, ''), changes.length - before);
      this.#truncates++;
      return false;
    }
    // The row is given again once the definitions were read; by then it has nothing more to tell.
    if (!plans.outdated(this.#scn)) return false;
    log.info(`the tables of ${this.#parts.owner} changed at SCN ${this.#scn}; their definitions are read anew`, {
      table: name,
    });
    return true;
  }

  #other(row: RedoRow, sql: string): boolean {
    const operation = row[Col.operation] ?? '';
    const name = row[Col.table] ?? '';
    const owner = row[Col.owner] ?? '';
    if (owner !== this.#parts.owner || name === SENTINEL) return false;
    const plan = this.#parts.plans.get(name);
    if (plan === undefined) return this.#parts.plans.isNew(name);
    if (plan.writer === undefined || row[Col.rollback] === '1') return false;
    if (LARGE_VALUES.has(operation)) {
      const xid = row[Col.xid] ?? '';
      // What it writes is known at its end; until then nobody may begin to read behind this piece.
      this.#parts.transactions.begins(xid, this.#scn);
      this.#write(xid, this.#lobs.read(xid, name, sql));
      return false;
    }
    if (OTHER_LARGE_VALUES.has(operation)) {
      this.#skip(
        'lob',
        'ORACLE_LOB_UPDATE',
        name,
        `${owner}.${name} has values whose content is not in the redo of their rows (LONG, XMLTYPE, or a VARCHAR2 beyond 4000 bytes); they are not replicated`,
      );
      return false;
    }
    if (operation === Operation.unsupported) throw unsupported(`${owner}.${name}`, row, this.#scn);
    return false;
  }

  /** Remembers which large objects of a row are empty: what is written to them follows. */
  #largeObjects(xid: string, rowId: string, statement: RedoStatement, { name, source, lobs }: TablePlan): void {
    const assigned: string[] = [];
    const emptied: string[] = [];
    for (let i = 0; i < statement.assigned; i++) {
      const column = source.columns[statement.columns[i]]?.name;
      if (column === undefined || !lobs.has(column)) continue;
      assigned.push(column);
      if (statement.literals[i] === Literal.emptyLob) emptied.push(column);
    }
    this.#lobs.row(xid, name, rowId, assigned, emptied);
  }

  #settleLobs(xid: string): void {
    if (this.#lobs.pending(xid)) this.#write(xid, this.#lobs.settle(xid));
  }

  /** A large object whose content is known is an update of its row. */
  #write(xid: string, update: LobUpdate | undefined): void {
    if (update === undefined) return;
    const { plans, transactions, owner } = this.#parts;
    const writer = plans.get(update.table)?.writer;
    if (writer === undefined) return;
    if (update.sql === undefined) {
      this.#skip(
        'lob',
        'ORACLE_LOB_UPDATE',
        update.table,
        `parts of large objects in ${owner}.${update.table} were written in place, which the redo tells without the rest of them; these changes are not replicated`,
      );
      return;
    }
    const bytes = writer.append(this.#parser.parse(update.sql, writer), transactions.changesOf(xid, this.#scn));
    // Its undo comes with that of the row which it belongs to, and that has nothing left of it.
    transactions.changed(LARGE_OBJECT, bytes);
    this.#updates++;
  }

  #tellUnmatched(tables: ReadonlyMap<string, Scn>): void {
    for (const [table, scn] of tables) {
      this.#warnOnce('ORACLE_UNDO_UNMATCHED', table, undoWithoutChange(this.#parts.owner, table, scn));
    }
  }

  #skip(why: SkipReason, code: ErrorCode, table: string, message: string): void {
    this.#parts.metrics?.skipped(why, 1);
    this.#warnOnce(code, table, message);
  }

  #warnOnce(code: ErrorCode, table: string, message: string): void {
    const key = `${code}/${table}`;
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#parts.log.warn(message, { code, table });
  }

  #commitTime(row: RedoRow): number {
    const text = row[Col.time];
    if (text !== this.#timeText) {
      this.#timeText = text;
      this.#time = text === null ? 0 : Date.parse(`${text.trim().replace(' ', 'T')}Z`) * 1000 - this.#offset;
    }
    return this.#time;
  }
}

function holeInRedo(scn: Scn): OperatorError {
  return new OperatorError(
    'ORACLE_REDO_HOLE',
    `the server reports redo that it cannot see (MISSING_SCN at ${scn}); nothing behind it was applied, and it is looked for again`,
    { transient: true },
  );
}

function notValid(row: RedoRow): OperatorError {
  return new OperatorError(
    'ORACLE_REDO_NOT_VALID',
    `LogMiner marks the redo of ${row[Col.owner]}.${row[Col.table]} at SCN ${row[Col.scn]} as not valid (${row[Col.info]}); its transaction was not applied`,
    {
      fix: 'This is what a table looks like that was altered behind that SCN: load it again, clear the checkpoint, and start with --scn of the new copy.',
    },
  );
}

function tableChanged(table: string, scn: Scn): OperatorError {
  return new OperatorError(
    'ORACLE_TABLE_CHANGED',
    `${table} was altered, and the server's dictionary can no longer tell what was changed in it before (SCN ${scn}); the transaction was not applied`,
    {
      fix: `Load ${table} again, clear the checkpoint, and start with --scn of the new copy.\nNext time let the replication catch up before a table is altered.`,
    },
  );
}

function truncateRefused(table: string, scn: Scn): OperatorError {
  return new OperatorError('ORACLE_TRUNCATE', `${table} was truncated at SCN ${scn}, which --truncate error refuses`, {
    fix: 'Start with --truncate apply to empty the table on the target as well, or with --truncate ignore to leave it as it is.',
  });
}

function unsupported(table: string, row: RedoRow, scn: Scn): OperatorError {
  const info = row[Col.info] ?? '';
  return new OperatorError(
    'ORACLE_OPERATION_UNSUPPORTED',
    `LogMiner cannot tell what was changed in ${table} at SCN ${scn}${info === '' ? '' : ` (${info})`}; the transaction was not applied`,
    {
      fix: `Change what LogMiner does not support about the table: a column of an object type, a name beyond 30 characters, its compression. To go on without it, take from the source user the right to see it (REVOKE SELECT ON … FROM …), and start again.\nSELECT * FROM DBA_LOGSTDBY_UNSUPPORTED WHERE OWNER || '.' || TABLE_NAME = '${table.replaceAll("'", "''")}';`,
    },
  );
}

function undoWithoutChange(owner: string, table: string, scn: Scn): string {
  return `at SCN ${scn} a change of ${owner}.${table} is taken back that its transaction did not make in the redo that was read: where it did not begin before, a row differs on the target from then on: compare the table`;
}

function guessedQuotes(owner: string, table: string): string {
  return `the server did not double the quotes in values of ${owner}.${table} (a known fault of MAX_STRING_SIZE = EXTENDED); where a value ends was told by what follows`;
}
