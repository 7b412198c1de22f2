import { ValueKind } from '../changes/change-log.ts';
import type { TargetColumn } from './catalogue.ts';
import type { Dialect } from './dialect.ts';
import type { MappedColumn, TableMapping } from './mapping.ts';
import type { MessageBuffer } from './messages.ts';
import type { Session } from './session.ts';
import {
  copyStatement,
  deleteRowStatement,
  deleteStatement,
  moveStatement,
  updateRowStatement,
  updateStatement,
  upsertStatement,
} from './statements.ts';

/**
 * Where rows stand: an offset of zero or more is a tuple in `log`, a negative one, -n, is the tuple in `merged[n - 1]`.
 */
export interface RowStore {
  readonly log: Buffer;
  readonly merged: readonly Buffer[];
}

/** Scratch space for the offsets of the values of the rows at hand; one is enough, as nothing here waits. */
let offsets = new Int32Array(16 * 1024);

/** Writes changes of one table into scripts. */
export class TableWriter {
  readonly mapping: TableMapping;
  readonly #dialect: Dialect;
  readonly #targets: readonly TargetColumn[];
  readonly #sources: readonly number[];
  readonly #upsert: string;
  readonly #delete: string;
  readonly #copy: string;

  constructor(mapping: TableMapping, dialect: Dialect) {
    this.mapping = mapping;
    this.#dialect = dialect;
    this.#targets = mapping.columns.map((column) => column.target);
    this.#sources = mapping.columns.map((column) => column.source);
    this.#upsert = upsertStatement(mapping, dialect);
    this.#delete = mapping.key.length > 0 ? deleteStatement(mapping) : '';
    this.#copy = copyStatement(mapping, dialect);
  }

  /** Inserts the rows, or replaces those whose key exists. Every value must have been sent. */
  upsert(session: Session, script: MessageBuffer, rows: readonly number[], store: RowStore): void {
    this.#arrays(session, script, this.#upsert, this.#targets, this.#sources, rows, store);
  }

  /** Deletes the rows with the keys found in the given tuples. */
  delete(session: Session, script: MessageBuffer, rows: readonly number[], store: RowStore): void {
    this.#arrays(session, script, this.#delete, this.mapping.keyColumns, this.mapping.key, rows, store);
  }

  /** Updates rows that all lack the same values: those marked unchanged in the first of them. False when nothing is sent. */
  update(session: Session, script: MessageBuffer, rows: readonly number[], store: RowStore): boolean {
    const sent = this.#sentColumns(rows[0], store).filter((column) => !this.mapping.key.includes(column.source));
    if (sent.length === 0) return false;
    this.#arrays(
      session,
      script,
      updateStatement(this.mapping, sent),
      [...this.mapping.keyColumns, ...sent.map((column) => column.target)],
      [...this.mapping.key, ...sent.map((column) => column.source)],
      rows,
      store,
    );
    return true;
  }

  /** Inserts rows that cannot conflict, by COPY. */
  copy(script: MessageBuffer, rows: readonly number[], store: RowStore): void {
    script.query(this.#copy);
    const csv = this.#dialect.product === 'cockroachdb';
    const mapping = this.mapping;
    const straight = mapping.columns.length === mapping.source.columns.length;
    let mark = script.openCopy();
    for (const row of rows) {
      const buffer = row < 0 ? store.merged[-row - 1] : store.log;
      let at = Math.max(row, 0) + 2;
      if (straight) {
        for (let i = mapping.columns.length; i > 0; i--) {
          if (csv) script.copyCsv(buffer, at);
          else script.copyText(buffer, at);
          at += buffer[at] === ValueKind.text ? 5 + buffer.readInt32BE(at + 1) : 1;
        }
      } else {
        this.#locate(buffer, at - 2, 0);
        for (const source of this.#sources) {
          if (csv) script.copyCsv(buffer, offsets[source]);
          else script.copyText(buffer, offsets[source]);
        }
      }
      mark = script.copyRowDone(mark);
    }
    script.closeCopy(mark);
  }

  /** Updates one row and its key. `old` is a tuple that holds the old key. */
  move(session: Session, script: MessageBuffer, old: number, row: number, store: RowStore): void {
    const sent = this.#sentColumns(row, store);
    this.#values(session, script, moveStatement(this.mapping, sent), sent, row, this.mapping.key, old, store);
  }

  /** Deletes one of the rows that equal `old`, in a table without key; of a value that is marked unchanged nothing is known. */
  deleteRow(session: Session, script: MessageBuffer, old: number, store: RowStore): void {
    const told = this.#sentColumns(old, store);
    const sql = deleteRowStatement(this.mapping, told, this.#dialect);
    this.#values(session, script, sql, [], old, this.#sourcesOf(told), old, store);
  }

  /** Updates one of the rows that equal `old`, in a table without key. False when nothing is sent. */
  updateRow(session: Session, script: MessageBuffer, old: number, row: number, store: RowStore): boolean {
    const sent = this.#sentColumns(row, store);
    if (sent.length === 0) return false;
    const told = this.#sentColumns(old, store);
    const sql = updateRowStatement(this.mapping, sent, told, this.#dialect);
    this.#values(session, script, sql, sent, row, this.#sourcesOf(told), old, store);
    return true;
  }

  #sourcesOf(columns: readonly MappedColumn[]): readonly number[] {
    return columns.length === this.#sources.length ? this.#sources : columns.map(({ source }) => source);
  }

  #sentColumns(row: number, store: RowStore): MappedColumn[] {
    const buffer = row < 0 ? store.merged[-row - 1] : store.log;
    this.#locate(buffer, Math.max(row, 0), 0);
    return this.mapping.columns.filter((column) => buffer[offsets[column.source]] !== ValueKind.unchanged);
  }

  #values(
    session: Session,
    script: MessageBuffer,
    sql: string,
    columns: readonly MappedColumn[],
    row: number,
    matched: readonly number[],
    old: number,
    store: RowStore,
  ): void {
    const name = session.statement(script, sql);
    const mark = script.bind(name, columns.length + matched.length);
    let buffer = row < 0 ? store.merged[-row - 1] : store.log;
    this.#locate(buffer, Math.max(row, 0), 0);
    for (const column of columns) script.value(buffer, offsets[column.source]);
    buffer = old < 0 ? store.merged[-old - 1] : store.log;
    this.#locate(buffer, Math.max(old, 0), 0);
    for (const source of matched) script.value(buffer, offsets[source]);
    script.execute(mark);
  }

  #arrays(
    session: Session,
    script: MessageBuffer,
    sql: string,
    targets: readonly TargetColumn[],
    sources: readonly number[],
    rows: readonly number[],
    store: RowStore,
  ): void {
    const width = this.mapping.source.columns.length;
    if (offsets.length < width * rows.length) offsets = new Int32Array(width * rows.length * 2);
    for (let r = 0; r < rows.length; r++) {
      const row = rows[r];
      if (row < 0) this.#locate(store.merged[-row - 1], 0, r * width);
      else this.#locate(store.log, row, r * width);
    }
    const name = session.statement(script, sql);
    const mark = script.bind(name, targets.length);
    for (let c = 0; c < targets.length; c++) {
      const plain = targets[c].arrayBindable && targets[c].unquoted;
      const source = sources[c];
      const array = script.openArray();
      for (let r = 0; r < rows.length; r++) {
        const row = rows[r];
        script.element(row < 0 ? store.merged[-row - 1] : store.log, offsets[r * width + source], plain);
      }
      script.closeArray(array);
    }
    script.execute(mark);
  }

  /** Notes where each value of the tuple at `at` starts, in `offsets` from `to` on. */
  #locate(buffer: Buffer, at: number, to: number): void {
    const columns = (buffer[at] << 8) | buffer[at + 1];
    if (offsets.length < to + columns) offsets = new Int32Array((to + columns) * 2);
    at += 2;
    for (let i = 0; i < columns; i++) {
      offsets[to + i] = at;
      at += buffer[at] === ValueKind.text ? 5 + buffer.readInt32BE(at + 1) : 1;
    }
  }
}

/**
 * The tuple at `newAt` with the values that were not sent taken from the tuple at `oldAt` where that has them. `oldFull`:
 * the old tuple holds every column, else only those that are not NULL in it.
 */
export function mergeTuples(newer: Buffer, newAt: number, older: Buffer, oldAt: number, oldFull: boolean): Buffer {
  const columns = (newer[newAt] << 8) | newer[newAt + 1];
  const parts: Buffer[] = [newer.subarray(newAt, newAt + 2)];
  let at = newAt + 2;
  let from = oldAt + 2;
  for (let i = 0; i < columns; i++) {
    const end = at + (newer[at] === ValueKind.text ? 5 + newer.readInt32BE(at + 1) : 1);
    const fromEnd = from + (older[from] === ValueKind.text ? 5 + older.readInt32BE(from + 1) : 1);
    const usable = older[from] === ValueKind.text || (oldFull && older[from] === ValueKind.null);
    const take = newer[at] === ValueKind.unchanged && usable;
    parts.push(take ? older.subarray(from, fromEnd) : newer.subarray(at, end));
    at = end;
    from = fromEnd;
  }
  return Buffer.concat(parts);
}
