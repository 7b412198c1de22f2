/** The type bytes of pgoutput's messages. */
export const Message = {
  begin: 0x42,
  commit: 0x43,
  origin: 0x4f,
  relation: 0x52,
  type: 0x59,
  insert: 0x49,
  update: 0x55,
  delete: 0x44,
  truncate: 0x54,
  message: 0x4d,
  streamStart: 0x53,
  streamStop: 0x45,
  streamCommit: 0x63,
  streamAbort: 0x41,
  beginPrepare: 0x62,
  prepare: 0x50,
  commitPrepared: 0x4b,
  rollbackPrepared: 0x72,
  streamPrepare: 0x70,
} as const;

/** Stands before the new row of an Insert or Update; old rows have the markers of `OldTuple`. */
export const NEW_TUPLE = 0x4e;
