import type { EventBytes } from './event-bytes.ts';

/** A statement as it stands in the log, with what matters of the session that ran it. */
export interface QueryEvent {
  /** The session's default database; may be empty. */
  readonly database: string;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Number of the collation that the statement is written in; undefined where the event does not tell. */
  readonly collation: number | undefined;
  /** Databases in which it changes something; undefined where the event does not tell, or there are too many. */
  readonly changed: readonly string[] | undefined;
  /** `"` is for names. */
  readonly ansiQuotes: boolean;
}

/** Where in a QUERY event's fixed part what stands. */
const SCHEMA_LENGTH = 8;
const VARIABLES_LENGTH = 11;

const ANSI_QUOTES = 0x04;
const TOO_MANY_DATABASES = 254;

/** Codes of status variables that are looked at, or are not of a fixed length. */
const Variable = {
  sqlMode: 1,
  oldCatalog: 2,
  charset: 4,
  timeZone: 5,
  catalog: 6,
  invoker: 11,
  databases: 12,
} as const;

/** Bytes of the others, by code. */
const FIXED: Readonly<Record<number, number>> = {
  0: 4,
  3: 4,
  7: 2,
  8: 2,
  9: 8,
  10: 4,
  13: 3,
  16: 1,
  17: 8,
  18: 2,
  19: 1,
  20: 1,
  128: 3,
  129: 8,
};

/** True when the event at `at`, behind its header, holds exactly this statement of ASCII characters. */
export function isStatement(buffer: Buffer, at: number, end: number, postHeader: number, sql: string): boolean {
  if (at + postHeader > end) return false;
  const start = at + postHeader + buffer.readUInt16LE(at + VARIABLES_LENGTH) + buffer[at + SCHEMA_LENGTH] + 1;
  if (end - start !== sql.length) return false;
  for (let i = 0; i < sql.length; i++) if (buffer[start + i] !== sql.charCodeAt(i)) return false;
  return true;
}

/** Reads a QUERY event's body, whose fixed part has `postHeader` bytes. Raises OperatorError MYSQL_PROTOCOL. */
export function readQuery(bytes: EventBytes, postHeader: number): QueryEvent {
  const head = bytes.skip(postHeader);
  const variables = bytes.buffer.readUInt16LE(head + VARIABLES_LENGTH);
  const end = bytes.skip(variables) + variables;
  const session = readVariables(bytes.within(end - variables, end));
  const database = bytes.text(bytes.buffer[head + SCHEMA_LENGTH]);
  bytes.skip(1);
  return { ...session, database, buffer: bytes.buffer, start: bytes.at, end: bytes.end };
}

type Session = Pick<QueryEvent, 'collation' | 'changed' | 'ansiQuotes'>;

/** Variables come in no fixed order, and one that is not known ends the reading: nothing tells how long it is. */
function readVariables(bytes: EventBytes): Session {
  let [collation, changed, ansiQuotes]: [number | undefined, readonly string[] | undefined, boolean] = [
    undefined,
    undefined,
    false,
  ];
  while (bytes.left > 0) {
    const code = bytes.uint8();
    if (code === Variable.sqlMode) {
      ansiQuotes = (bytes.uint32() & ANSI_QUOTES) !== 0;
      bytes.skip(4);
    } else if (code === Variable.charset) {
      collation = bytes.uint16();
      bytes.skip(4);
    } else if (code === Variable.timeZone || code === Variable.catalog) {
      bytes.skip(bytes.uint8());
    } else if (code === Variable.oldCatalog) {
      bytes.skip(bytes.uint8() + 1);
    } else if (code === Variable.invoker) {
      bytes.skip(bytes.uint8());
      bytes.skip(bytes.uint8());
    } else if (code === Variable.databases) {
      changed = readDatabases(bytes);
    } else if (Object.hasOwn(FIXED, code)) {
      bytes.skip(FIXED[code]);
    } else break;
  }
  return { collation, changed, ansiQuotes };
}

function readDatabases(bytes: EventBytes): string[] | undefined {
  const count = bytes.uint8();
  if (count === TOO_MANY_DATABASES) return undefined;
  return Array.from({ length: count }, () => {
    const end = bytes.buffer.indexOf(0, bytes.at);
    if (end < 0 || end >= bytes.end) throw bytes.malformed('a database without an end');
    const name = bytes.text(end - bytes.at);
    bytes.skip(1);
    return name;
  });
}
