import { type AnswerColumn, type AnswerResult, type AnswerValue, OraError } from './answer.ts';
import { type BindType, writeValue } from './columns.ts';
import { Dropped } from './faults.ts';
import { MESSAGE } from './messages.ts';
import type { Writer } from './wire.ts';

export type StatementKind = 'query' | 'plsql' | 'dml' | 'other';

/** The kind by the first word, comments and brackets before it left out: as the driver tells them apart. */
function kindOf(sql: string): StatementKind {
  const word = /^(?:[\s(]|--[^\n]*\n|\/\*[\s\S]*?\*\/)*([a-z]+)/i.exec(sql)?.[1].toUpperCase() ?? '';
  if (word === 'SELECT' || word === 'WITH') return 'query';
  if (word === 'BEGIN' || word === 'DECLARE' || word === 'CALL') return 'plsql';
  return ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(word) ? 'dml' : 'other';
}

/** A parsed statement, and the rows of it that are still to be fetched. */
export class Cursor {
  readonly id: number;
  readonly sql: string;
  readonly kind: StatementKind;
  binds: readonly BindType[] = [];
  /** The types in which the driver wants the columns; undefined when it takes them as they are. */
  defines: readonly BindType[] | undefined;
  #columns: readonly AnswerColumn[] = [];
  #rows: Iterator<readonly AnswerValue[]> | undefined;
  #last: readonly AnswerValue[] | undefined;
  #sent = 0;
  #dropAfter: number | undefined;

  constructor(id: number, sql: string) {
    this.id = id;
    this.sql = sql;
    this.kind = kindOf(sql);
  }

  get columns(): readonly AnswerColumn[] {
    return this.#columns;
  }

  /** Rows sent since the statement was executed. */
  get sent(): number {
    return this.#sent;
  }

  open({ columns, rows }: AnswerResult, dropAfter: number | undefined): void {
    if (columns === undefined) throw new TypeError('the answer of a query has no columns');
    this.close();
    this.#columns = columns;
    this.#rows = (rows ?? [])[Symbol.iterator]();
    this.#last = undefined;
    this.#sent = 0;
    this.#dropAfter = dropAfter;
  }

  close(): void {
    const rows = this.#rows;
    this.#rows = undefined;
    rows?.return?.();
  }

  /** Writes the next rows, `most` of them at most; returns whether there may be more. */
  fetch(w: Writer, most: number): boolean {
    const rows = this.#rows;
    if (rows === undefined) throw new OraError(1002, 'fetch out of sequence');
    const start = w.length;
    w.u8(MESSAGE.ROW_HEADER).u8(0).integers(this.#columns.length, this.#sent, most, 0, 0, 0);
    const header = w.length;
    try {
      for (let count = 0; count < most; count++) {
        if (this.#dropAfter === this.#sent) throw new Dropped();
        const next = rows.next();
        if (next.done) {
          this.#rows = undefined;
          return false;
        }
        this.#write(w, next.value);
      }
      return true;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      if (w.length === header) w.truncate(start);
    }
  }

  /** A row; what is equal to the row before is left out, as real servers do. */
  #write(w: Writer, row: readonly AnswerValue[]): void {
    const columns = this.#columns;
    if (row.length !== columns.length)
      throw new TypeError(`a row of ${row.length} values for ${columns.length} columns`);
    const last = this.#last;
    const mask = last === undefined ? undefined : Buffer.alloc((columns.length + 7) >> 3);
    let count = columns.length;
    if (last !== undefined && mask !== undefined) {
      count = 0;
      for (let at = 0; at < row.length; at++) {
        if (row[at] === last[at]) continue;
        mask[at >> 3] |= 1 << (at & 7);
        count++;
      }
    }
    const whole = mask === undefined || count === columns.length;
    if (!whole) w.u8(MESSAGE.BIT_VECTOR).integer(count).raw(mask);
    w.u8(MESSAGE.ROW_DATA);
    for (let at = 0; at < columns.length; at++) {
      if (whole || mask[at >> 3] & (1 << (at & 7))) writeValue(w, columns[at], row[at]);
    }
    this.#last = row;
    this.#sent++;
  }
}
