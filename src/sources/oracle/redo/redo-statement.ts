/** How a value is written in SQL_REDO. The span of a value is what stands between its quotes. */
export const Literal = {
  /** NULL, also `IS NULL` in a WHERE. */
  null: 0,
  /** `'…'` without a quote inside. */
  plain: 1,
  /** `'…'` in which quotes are doubled. */
  quoted: 2,
  /** `UNISTR('…')`, and several parts joined by `||`: the span holds the whole expression. */
  expression: 3,
  /** `TO_DATE('…', 'format')`. */
  date: 4,
  /** `TO_TIMESTAMP('…')`. */
  timestamp: 5,
  /** `TO_TIMESTAMP_TZ('…')`. */
  timestampTz: 6,
  /** `TO_TIMESTAMP_ITZ('…')` or `TO_TIMESTAMP_LTZ('…')`: in the time zone of the session. */
  timestampLtz: 7,
  /** `TO_YMINTERVAL('…')`. */
  yearMonth: 8,
  /** `TO_DSINTERVAL('…')`. */
  daySecond: 9,
  /** `HEXTORAW('…')`. */
  hex: 10,
  /** `EMPTY_CLOB()`, `EMPTY_BLOB()`: the content follows, or is out of reach. */
  emptyLob: 11,
  /** A word or number without quotes: the span holds it. */
  bare: 12,
  /** `Unsupported Type`, `Unsupported`: LogMiner cannot tell the value. */
  unsupported: 13,
  /** Another function: the span holds the whole call. */
  call: 14,
} as const;
export type Literal = (typeof Literal)[keyof typeof Literal];

export type RedoKind = 'insert' | 'update' | 'delete';

/** The columns of a table, as the parser needs them. */
export interface RedoColumns {
  /** Position of the column whose name stands in `sql` from `start` to `end`; -1 for one that is not replicated. */
  indexOf(sql: string, start: number, end: number): number;
}

/**
 * A parsed SQL_REDO: for each value its column's position (-1 where it is not replicated), how it is written, and where it
 * stands in the text. What is assigned comes first, the conditions after `assigned`. One object is used again for every
 * statement, and a value is turned into text only by whoever wants it.
 */
export class RedoStatement {
  kind: RedoKind = 'insert';
  sql = '';
  owner = '';
  table = '';
  /** Values, assigned ones and conditions together. */
  count = 0;
  /** Values that are assigned: the row of an insert, the SET of an update. */
  assigned = 0;
  readonly columns: number[] = [];
  readonly literals: Literal[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** From the WHERE; empty where there is none. */
  rowId = '';
  /** True when quotes had to be guessed, because the server had not doubled them. */
  guessed = false;

  /** Makes it ready for the next statement. */
  reset(sql: string): void {
    this.sql = sql;
    this.count = 0;
    this.assigned = 0;
    this.rowId = '';
    this.guessed = false;
  }

  add(column: number, literal: Literal, start: number, end: number): void {
    const at = this.count++;
    this.columns[at] = column;
    this.literals[at] = literal;
    this.starts[at] = start;
    this.ends[at] = end;
  }
}
