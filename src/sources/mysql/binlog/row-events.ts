import { inflateSync } from 'node:zlib';
import { ChangeKind } from '../../../changes/change-log.ts';
import { EventBytes } from './event-bytes.ts';
import { EventType, eventName } from './event-types.ts';

/** What a type of rows event holds. */
export interface RowEventKind {
  readonly change: ChangeKind;
  /** There may be extra data in front of the rows. */
  readonly extra: boolean;
  /** The rows are compressed. */
  readonly compressed: boolean;
  /** JSON columns of the new rows may be told by what changed in them. */
  readonly partial: boolean;
}

const { insert, update, delete: remove } = ChangeKind;

function kind(change: ChangeKind, { extra = false, compressed = false, partial = false } = {}): RowEventKind {
  return { change, extra, compressed, partial };
}

const KINDS: (RowEventKind | undefined)[] = [];
KINDS[EventType.WRITE_ROWS_V1] = kind(insert);
KINDS[EventType.UPDATE_ROWS_V1] = kind(update);
KINDS[EventType.DELETE_ROWS_V1] = kind(remove);
KINDS[EventType.WRITE_ROWS] = kind(insert, { extra: true });
KINDS[EventType.UPDATE_ROWS] = kind(update, { extra: true });
KINDS[EventType.DELETE_ROWS] = kind(remove, { extra: true });
KINDS[EventType.PARTIAL_UPDATE_ROWS] = kind(update, { extra: true, partial: true });
KINDS[EventType.WRITE_ROWS_COMPRESSED_V1] = kind(insert, { compressed: true });
KINDS[EventType.UPDATE_ROWS_COMPRESSED_V1] = kind(update, { compressed: true });
KINDS[EventType.DELETE_ROWS_COMPRESSED_V1] = kind(remove, { compressed: true });

/** Undefined for types that hold no rows, and for those of versions before MySQL 5.5. */
export function rowEventKind(type: number): RowEventKind | undefined {
  return KINDS[type];
}

/** Bytes of a table's number in the fixed part of an event: four, where that is only six bytes long. */
export function tableIdBytes(postHeader: number): 4 | 6 {
  return postHeader === 6 ? 4 : 6;
}

/** The longest event that servers make. */
const LONGEST = 2 ** 30;

/** What MariaDB compressed: a byte with the number of bytes of the length, the length, a zlib stream. */
export function inflated(event: string, buffer: Buffer, at: number, end: number): Buffer {
  const bytes = new EventBytes(event, buffer, at, end);
  const head = bytes.uint8();
  const lengthBytes = head & 0x07;
  if ((head & 0xf8) !== 0x80 || lengthBytes === 0 || lengthBytes > 4) {
    throw bytes.malformed(`compressed by the method ${head}`);
  }
  const length = buffer.readUIntBE(bytes.skip(lengthBytes), lengthBytes);
  if (length > LONGEST) throw bytes.malformed(`${length} bytes were compressed, which no event can have`);
  let plain: Buffer;
  try {
    plain = inflateSync(buffer.subarray(bytes.at, end), { maxOutputLength: Math.max(length, 1) });
  } catch (error) {
    throw bytes.malformed(`it cannot be decompressed (${(error as Error).message})`);
  }
  if (plain.length !== length) throw bytes.malformed(`${length} bytes were compressed, ${plain.length} came out`);
  return plain;
}

/** The rows of an event, and the columns that are in them. */
export interface RowBody {
  readonly columns: number;
  /** Bytes of the bitmap of the columns that are there; of an UPDATE: in the old row. */
  readonly present: Buffer;
  /** Of an UPDATE: in the new row. */
  readonly presentAfter: Buffer | undefined;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Reads a rows event from behind its table's number and flags on. Raises OperatorError MYSQL_PROTOCOL. */
export function readRowBody(
  type: number,
  { change, extra, compressed }: RowEventKind,
  buffer: Buffer,
  at: number,
  end: number,
): RowBody {
  const bytes = new EventBytes(eventName(type), buffer, at, end);
  if (extra) {
    const length = bytes.uint16();
    if (length < 2) throw bytes.malformed(`extra data of ${length} bytes`);
    bytes.skip(length - 2);
  }
  const columns = bytes.length();
  const present = bitmap(bytes, columns);
  const presentAfter = change === update ? bitmap(bytes, columns) : undefined;
  if (!compressed) return { columns, present, presentAfter, buffer, start: bytes.at, end };
  const plain = inflated(bytes.name, buffer, bytes.at, end);
  return { columns, present, presentAfter, buffer: plain, start: 0, end: plain.length };
}

function bitmap(bytes: EventBytes, columns: number): Buffer {
  const length = (columns + 7) >>> 3;
  const at = bytes.skip(length);
  return bytes.buffer.subarray(at, at + length);
}
