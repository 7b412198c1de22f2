import type { Writer } from './wire.ts';

/** Types of TTC messages. */
export const MESSAGE = {
  PROTOCOL: 1,
  DATA_TYPES: 2,
  FUNCTION: 3,
  ERROR: 4,
  ROW_HEADER: 6,
  ROW_DATA: 7,
  PARAMETER: 8,
  STATUS: 9,
  IO_VECTOR: 11,
  DESCRIBE: 16,
  PIGGYBACK: 17,
  BIT_VECTOR: 21,
  END_OF_RESPONSE: 29,
  FAST_AUTH: 34,
} as const;

/** Functions of a call. */
export const FUNCTION = {
  REEXECUTE: 4,
  FETCH: 5,
  LOGOFF: 9,
  COMMIT: 14,
  ROLLBACK: 15,
  REEXECUTE_AND_FETCH: 78,
  EXECUTE: 94,
  LOGON: 115,
  CHALLENGE: 118,
  PING: 147,
} as const;

/** Functions of what is sent along with the next call, and has no answer. */
export const PIGGYBACK = { CLOSE_CURSORS: 105, CANCEL_CURSORS: 120, END_TO_END: 135, SCHEMA: 152 } as const;

const TRANSACTION = 2;

/** The end of a call that has no cursor. */
export function writeStatus(w: Writer, inTransaction: boolean): void {
  w.u8(MESSAGE.STATUS).integers(inTransaction ? TRANSACTION : 0, 0);
}

export interface CallEnd {
  readonly inTransaction: boolean;
  readonly fieldVersion: number;
  readonly cursor: number;
  /** Rows changed, or fetched so far. */
  readonly rows: number;
  readonly error?: { readonly number: number; readonly message: string };
}

/** The end of a call with a cursor, or with an error. */
export function writeEnd(w: Writer, end: CallEnd): void {
  const number = end.error?.number ?? 0;
  w.u8(MESSAGE.ERROR).integers(end.inTransaction ? TRANSACTION : 0, 0, 0, number & 0xffff, 0, 0, end.cursor, 0);
  w.zeros(6);
  // The row's identifier.
  w.integers(0, 0).u8(0).integers(0, 0);
  // Errors of the system and of the statement, padding, iterations, and the arrays of batch errors.
  w.integer(0).zeros(2).integers(0, 0, 0, 0, 0, 0);
  w.integers(number, end.rows);
  if (end.fieldVersion >= 14) w.integers(0, 0);
  if (end.error !== undefined) w.text(`${end.error.message}\n`);
}
