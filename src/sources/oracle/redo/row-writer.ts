import { ChangeKind, type ChangeLog, OldTuple, ValueKind } from '../../../changes/change-log.ts';
import type { SourceTable } from '../../../changes/table.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { OperatorError } from '../../../errors.ts';
import type { ColumnWriter } from '../values/column-writer.ts';
import type { Literal, RedoColumns, RedoStatement } from './redo-statement.ts';

/** Turns the parsed redo of one table into entries of a change log. */
export class RowWriter implements RedoColumns {
  readonly source: SourceTable;
  readonly #writers: readonly ColumnWriter[];
  readonly #identity: readonly boolean[];
  readonly #large: readonly boolean[];
  readonly #positions = new Map<string, number>();
  readonly #out: TupleWriter;
  /** For each column where its new value stands in the statement, and its old one; -1 for nowhere. */
  readonly #assigned: Int32Array;
  readonly #conditions: Int32Array;

  /**
   * @param writers one for each column of `source`; `out` is used for one change at a time
   * @param large which columns hold values that no condition tells, as they would be too large; none when left out
   */
  constructor(source: SourceTable, writers: readonly ColumnWriter[], out: TupleWriter, large: readonly boolean[] = []) {
    this.source = source;
    this.#large = large;
    this.#writers = writers;
    this.#out = out;
    this.#identity = source.columns.map(({ identity }) => identity);
    source.columns.forEach(({ name }, i) => {
      this.#positions.set(name, i);
    });
    this.#assigned = new Int32Array(source.columns.length);
    this.#conditions = new Int32Array(source.columns.length);
  }

  indexOf(sql: string, start: number, end: number): number {
    return this.#positions.get(sql.slice(start, end)) ?? -1;
  }

  /**
   * Appends the change that the statement tells of; returns its bytes, 0 when it touches no column that is replicated.
   * @throws OperatorError ORACLE_REDO_WITHOUT_KEY, ORACLE_VALUE
   */
  append(statement: RedoStatement, log: ChangeLog): number {
    const before = log.length;
    this.#out.clear();
    if (statement.kind === 'insert') this.#insert(statement, log);
    else if (statement.kind === 'update') this.#update(statement, log);
    else this.#delete(statement, log);
    return log.length - before;
  }

  #insert(statement: RedoStatement, log: ChangeLog): void {
    const out = this.#out;
    const count = this.#writers.length;
    const { sql, columns, literals, starts, ends } = statement;
    out.begin(count);
    let i = 0;
    // Nearly always the columns come in the order of the table.
    while (i < count && i < statement.assigned && columns[i] === i) {
      this.#inserted(i, sql, literals[i], starts[i], ends[i]);
      i++;
    }
    if (i < count) {
      this.#locate(statement);
      for (; i < count; i++) {
        const at = this.#assigned[i];
        if (at < 0) out.null();
        else this.#inserted(i, sql, literals[at], starts[at], ends[at]);
      }
    }
    log.append(ChangeKind.insert, this.source, OldTuple.none, out.buffer, 0, 0, 0, out.length);
  }

  /** A value of a new row: there is no former one that one which is not told could keep. */
  #inserted(column: number, sql: string, literal: Literal, start: number, end: number): void {
    const out = this.#out;
    const at = out.length;
    this.#writers[column](sql, literal, start, end, out);
    if (out.buffer[at] === ValueKind.unchanged) out.buffer[at] = ValueKind.null;
  }

  #update(statement: RedoStatement, log: ChangeLog): void {
    const { source } = this;
    const out = this.#out;
    this.#locate(statement);
    if (!this.#changesSomething()) return;
    if (source.identity === 'full') {
      this.#old(statement);
      const middle = out.length;
      this.#new(statement);
      log.append(ChangeKind.update, source, OldTuple.full, out.buffer, 0, middle, middle, out.length);
      return;
    }
    if (this.#movesKey()) this.#old(statement);
    const middle = out.length;
    this.#new(statement);
    const old = middle > 0 ? OldTuple.key : OldTuple.none;
    log.append(ChangeKind.update, source, old, out.buffer, 0, middle, middle, out.length);
  }

  #delete(statement: RedoStatement, log: ChangeLog): void {
    const { source } = this;
    const out = this.#out;
    this.#locate(statement);
    this.#old(statement);
    const old = source.identity === 'full' ? OldTuple.full : OldTuple.key;
    log.append(ChangeKind.delete, source, old, out.buffer, 0, out.length, 0, 0);
  }

  #locate(statement: RedoStatement): void {
    const { columns, assigned, count } = statement;
    this.#assigned.fill(-1);
    this.#conditions.fill(-1);
    for (let i = 0; i < count; i++) {
      if (columns[i] >= 0) (i < assigned ? this.#assigned : this.#conditions)[columns[i]] = i;
    }
  }

  #changesSomething(): boolean {
    return this.#assigned.some((at) => at >= 0);
  }

  #movesKey(): boolean {
    return this.#identity.some((identity, i) => identity && this.#assigned[i] >= 0);
  }

  /**
   * The old row, as far as it tells which row it is. Which columns a server logs where there is no primary key is its own affair (one of the
   * unique keys, else all): only what the condition holds counts, and one that lacks a column which is needed could be of several rows.
   */
  #old(statement: RedoStatement): void {
    const { sql, literals, starts, ends } = statement;
    const out = this.#out;
    const full = this.source.identity === 'full';
    out.begin(this.#writers.length);
    for (let i = 0; i < this.#writers.length; i++) {
      const at = this.#conditions[i];
      if (at >= 0 && (full || this.#identity[i])) this.#writers[i](sql, literals[at], starts[at], ends[at], out);
      else if (!this.#identity[i]) out.null();
      else if (full && this.#large[i]) out.unchanged();
      else throw withoutKey(this.source, statement);
    }
    if (full && this.#conditions.every((at) => at < 0)) throw withoutKey(this.source, statement);
  }

  /** The new row: what was not assigned did not change, and stands where it is known from the condition. */
  #new(statement: RedoStatement): void {
    const { sql, literals, starts, ends } = statement;
    const out = this.#out;
    const full = this.source.identity === 'full';
    out.begin(this.#writers.length);
    for (let i = 0; i < this.#writers.length; i++) {
      let at = this.#assigned[i];
      if (at < 0 && (full || this.#identity[i])) at = this.#conditions[i];
      if (at >= 0) this.#writers[i](sql, literals[at], starts[at], ends[at], out);
      else if (this.#identity[i] && !full) throw withoutKey(this.source, statement);
      else out.unchanged();
    }
  }
}

function withoutKey(source: SourceTable, { kind }: RedoStatement): OperatorError {
  const table = `${source.schema}.${source.name}`;
  const quoted = `"${source.schema}"."${source.name}"`;
  return new OperatorError(
    'ORACLE_REDO_WITHOUT_KEY',
    `the redo of ${kind === 'delete' ? 'a delete' : 'an update'} in ${table} does not tell which row it is about, because its key was not logged, or not all of it; nothing of its transaction was applied`,
    {
      fix: `ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY) COLUMNS;\n-- for a table without a primary key the server chooses what it logs: where the tables are\nALTER TABLE ${quoted} ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS;\nThat holds for what is changed from then on. Load the tables again, and start with --scn of that copy.`,
    },
  );
}
