/**
 * A row of V$LOGMNR_CONTENTS as the window query selects it: texts or NULL, in the order of `Col`.
 */
export type RedoRow = readonly (string | null)[];

/** Where each column stands in a row. */
export const Col = {
  scn: 0,
  /** 16 hexadecimal digits. */
  xid: 1,
  operation: 2,
  /** 1: the row takes another one back. */
  rollback: 3,
  /** 1: the statement goes on in the next row. */
  csf: 4,
  owner: 5,
  table: 6,
  rowId: 7,
  status: 8,
  info: 9,
  /** By the clock and in the time zone of the database host, in seconds. */
  time: 10,
  sql: 11,
} as const;

/** OPERATION_CODE, as text. */
export const Operation = {
  internal: '0',
  insert: '1',
  delete: '2',
  update: '3',
  ddl: '5',
  start: '6',
  commit: '7',
  selectLob: '9',
  lobWrite: '10',
  lobTrim: '11',
  longData: '24',
  selectForUpdate: '25',
  marker: '27',
  lobErase: '28',
  lobErase2: '29',
  missing: '34',
  rollback: '36',
  xmlBegin: '68',
  xmlWrite: '70',
  xmlEnd: '71',
  extendedBegin: '91',
  extendedWrite: '92',
  extendedEnd: '93',
  unsupported: '255',
} as const;
