import { EventBytes } from './event-bytes.ts';
import { CHECKSUM, EventType, eventName, HEADER } from './event-types.ts';

/** Bytes of the server's version, filled up with zeros. */
const VERSION_BYTES = 50;
/** Bytes of the algorithm behind the list of lengths. */
const ALGORITHM = 1;

const CHECKSUM_NONE = 0;
const CHECKSUM_CRC32 = 1;

/** What the first event of a log file says of those that follow. */
export interface FormatDescription {
  readonly serverVersion: string;
  /** Events end with a checksum. */
  readonly checksums: boolean;
  /** Bytes of the fixed part of an event's body, by type; undefined for types that the server does not know. */
  readonly postHeaders: Uint8Array;
}

/** Reads a FORMAT_DESCRIPTION event, header and checksum included. Raises OperatorError MYSQL_PROTOCOL. */
export function readFormatDescription(buffer: Buffer, start: number, end: number): FormatDescription {
  const bytes = new EventBytes(
    eventName(EventType.FORMAT_DESCRIPTION),
    buffer,
    start + HEADER,
    end - CHECKSUM - ALGORITHM,
  );
  const version = bytes.uint16();
  if (version !== 4) throw bytes.malformed(`version ${version} of the binary log, where 4 is the only one known`);
  const serverVersion = bytes.text(VERSION_BYTES).replace(/\0.*$/s, '');
  bytes.skip(4); // when the server was started, if it was since the file before
  const header = bytes.uint8();
  if (header !== HEADER) throw bytes.malformed(`headers of ${header} bytes`);
  const algorithm = buffer[bytes.end];
  if (algorithm !== CHECKSUM_NONE && algorithm !== CHECKSUM_CRC32) {
    throw bytes.malformed(`checksums of the unknown kind ${algorithm}`);
  }
  // The list begins with type 1.
  const postHeaders = Uint8Array.from([0, ...bytes.copy(bytes.left)]);
  for (const [type, least] of LEAST) {
    if (postHeaders[type] < least && postHeaders[type] > 0)
      throw bytes.malformed(`a ${eventName(type)} of ${postHeaders[type]} bytes`);
  }
  return { serverVersion, checksums: algorithm === CHECKSUM_CRC32, postHeaders };
}

/** Bytes that events must at least have in the fixed parts of their bodies to be read here. */
const LEAST: readonly (readonly [type: number, bytes: number])[] = [
  [EventType.QUERY, 13],
  [EventType.ROTATE, 8],
  [EventType.TABLE_MAP, 6],
  [EventType.WRITE_ROWS_V1, 6],
  [EventType.UPDATE_ROWS_V1, 6],
  [EventType.DELETE_ROWS_V1, 6],
];
