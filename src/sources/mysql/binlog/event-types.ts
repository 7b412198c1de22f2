/** Bytes of the header that every event begins with. */
export const HEADER = 19;
/** Bytes of the checksum that an event ends with, where there are checksums. */
export const CHECKSUM = 4;

/** Where in an event's header what stands. */
export const HeaderField = { timestamp: 0, type: 4, server: 5, size: 9, flags: 17 } as const;

/** Bits of a header's flags. */
export const HeaderFlag = {
  /** The log file is being written; set in the first event of a file only. */
  inUse: 0x01,
  /** Made for this reader, and not in the log. */
  artificial: 0x20,
  /** May be passed over by whoever does not know its type. */
  ignorable: 0x80,
} as const;

/** Types of events, of MySQL and, from 160 on, of MariaDB alone. */
export const EventType = {
  QUERY: 2,
  STOP: 3,
  ROTATE: 4,
  INTVAR: 5,
  APPEND_BLOCK: 9,
  DELETE_FILE: 11,
  RAND: 13,
  USER_VAR: 14,
  FORMAT_DESCRIPTION: 15,
  XID: 16,
  BEGIN_LOAD_QUERY: 17,
  EXECUTE_LOAD_QUERY: 18,
  TABLE_MAP: 19,
  WRITE_ROWS_V0: 20,
  UPDATE_ROWS_V0: 21,
  DELETE_ROWS_V0: 22,
  WRITE_ROWS_V1: 23,
  UPDATE_ROWS_V1: 24,
  DELETE_ROWS_V1: 25,
  INCIDENT: 26,
  HEARTBEAT: 27,
  IGNORABLE: 28,
  ROWS_QUERY: 29,
  WRITE_ROWS: 30,
  UPDATE_ROWS: 31,
  DELETE_ROWS: 32,
  GTID: 33,
  ANONYMOUS_GTID: 34,
  PREVIOUS_GTIDS: 35,
  TRANSACTION_CONTEXT: 36,
  VIEW_CHANGE: 37,
  XA_PREPARE: 38,
  PARTIAL_UPDATE_ROWS: 39,
  TRANSACTION_PAYLOAD: 40,
  HEARTBEAT_V2: 41,
  GTID_TAGGED: 42,
  ANNOTATE_ROWS: 160,
  BINLOG_CHECKPOINT: 161,
  MARIADB_GTID: 162,
  GTID_LIST: 163,
  START_ENCRYPTION: 164,
  QUERY_COMPRESSED: 165,
  WRITE_ROWS_COMPRESSED_V1: 166,
  UPDATE_ROWS_COMPRESSED_V1: 167,
  DELETE_ROWS_COMPRESSED_V1: 168,
} as const;

const NAMES = new Map<number, string>(Object.entries(EventType).map(([name, type]) => [type, name]));

/** `TABLE_MAP`, or `type 77` for what is not known here. */
export function eventName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}
