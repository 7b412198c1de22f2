import type { Reader } from './wire.ts';

const OPTION = { DEFINE: 0x10, EXECUTE: 0x20, FETCH: 0x40, COMMIT: 0x100 } as const;
const REEXECUTE_COMMIT = 1;

/** A call that executes a statement. */
export interface ExecuteCall {
  /** 0 for a statement that has none yet. */
  readonly cursor: number;
  /** Null when the cursor's text is meant. */
  readonly sql: string | null;
  /** Whether it says in which types the rows of an open cursor are wanted, and fetches them. */
  readonly define: boolean;
  readonly execute: boolean;
  readonly fetch: boolean;
  readonly commit: boolean;
  /** Rows to send with the answer. */
  readonly rows: number;
  /** How many types of binds, or of defined columns, follow. */
  readonly types: number;
}

export function readExecute(r: Reader, fieldVersion: number): ExecuteCall {
  const options = r.integer();
  const cursor = r.integer();
  const hasSql = r.u8() !== 0;
  r.integer();
  r.u8();
  r.integer();
  r.skip(3);
  const rows = r.integer();
  r.integer();
  r.u8();
  const binds = r.integer();
  r.skip(5);
  r.u8();
  const defines = r.integer();
  r.integer();
  r.skip(3);
  r.integer();
  r.u8();
  r.skipIntegers(2);
  r.u8();
  r.integer();
  r.u8();
  if (fieldVersion >= 8) {
    r.u8();
    r.integer();
    r.u8();
    r.integer();
    r.u8();
  }
  if (fieldVersion >= 9) {
    r.u8();
    r.integer();
  }
  const sql = hasSql ? r.text() : null;
  r.skipIntegers(13);
  const define = (options & OPTION.DEFINE) !== 0;
  return {
    cursor,
    sql,
    define,
    execute: (options & OPTION.EXECUTE) !== 0,
    fetch: (options & OPTION.FETCH) !== 0,
    commit: (options & OPTION.COMMIT) !== 0,
    rows,
    types: define ? defines : binds,
  };
}

/** Executes a cursor again: the short form, when nothing but values of binds has changed. */
export function readReexecute(r: Reader, fetch: boolean): ExecuteCall {
  const cursor = r.integer();
  const rows = r.integer();
  r.integer();
  const commit = (r.integer() & REEXECUTE_COMMIT) !== 0;
  return { cursor, sql: null, define: false, execute: true, fetch, commit, rows, types: 0 };
}
