import { createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { protocolError } from '../protocol-error.ts';
import type { EventBytes } from './event-bytes.ts';
import { EventType, eventName, HEADER, HeaderField } from './event-types.ts';

/** Payloads that are not larger than this, in bytes, are decompressed at once, and others piece by piece. */
const AT_ONCE = 4 * 1024 * 1024;
/** Bytes of room beyond what a payload should come to: a buffer of no length is not allowed. */
const SLACK = 64;
/** Bytes that a large payload is unpacked to at a time. */
const PIECE = 256 * 1024;
/** The longest event that servers make. */
const LONGEST = 2 ** 30 + 1024;

const NAME = eventName(EventType.TRANSACTION_PAYLOAD);
const Field = { end: 0, size: 1, compression: 2, uncompressed: 3 } as const;
const ZSTD = 0;
const NONE = 255;

/** The events of a transaction, packed into one. */
export interface Payload {
  readonly compressed: boolean;
  /** What the event says its contents come to; not to be trusted. */
  readonly size: number;
  readonly data: Buffer;
}

/** Takes one of the events, which has no checksum. A promise: no other may come before it resolves. */
export type EventHandler = (buffer: Buffer, start: number, end: number) => Promise<void> | undefined;

/** Reads a TRANSACTION_PAYLOAD event's body. Raises OperatorError MYSQL_PROTOCOL. */
export function readPayload(bytes: EventBytes): Payload {
  let [compression, size] = [NONE, 0];
  for (let field = bytes.length(); field !== Field.end; field = bytes.length()) {
    const length = bytes.length();
    const value = bytes.within(bytes.skip(length), bytes.at);
    if (field === Field.compression) compression = value.length();
    else if (field === Field.uncompressed) size = value.length();
  }
  if (compression !== ZSTD && compression !== NONE)
    throw bytes.malformed(`it is compressed by the method ${compression}`);
  const data = bytes.buffer.subarray(bytes.at, bytes.end);
  return { compressed: compression === ZSTD, size, data };
}

/**
 * Unpacks the events of a payload, in order. A promise: unpacking goes on until it resolves, and `data` must stay as it is.
 * Memory is bounded by the largest of the events. Raises, or rejects with, OperatorError MYSQL_PROTOCOL and what `handle`
 * throws.
 * @param pause awaited between pieces of a large payload
 */
export function unpack(
  { compressed, size, data }: Payload,
  handle: EventHandler,
  pause: () => Promise<void> | undefined,
): Promise<void> | undefined {
  if (!compressed) return walk(data, 0, data.length, handle);
  const plain = size <= AT_ONCE ? decompressed(data, size) : undefined;
  if (plain !== undefined) return walk(plain, 0, plain.length, handle);
  return unpackPieces(data, handle, pause);
}

/** Undefined when it is larger than was said. */
function decompressed(data: Buffer, size: number): Buffer | undefined {
  try {
    return zstdDecompressSync(data, { maxOutputLength: AT_ONCE, chunkSize: size + SLACK });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw damaged(error);
  }
}

/** Hands on the events that stand in [at, end) and fill it. */
function walk(buffer: Buffer, at: number, end: number, handle: EventHandler): Promise<void> | undefined {
  while (at < end) {
    const size = end - at < HEADER ? HEADER : eventSize(buffer, at);
    if (size > end - at) throw protocolError(NAME, 'the last of its events is cut short');
    const wait = handle(buffer, at, at + size);
    at += size;
    if (wait !== undefined) {
      const next = at;
      return wait.then(() => walk(buffer, next, end, handle));
    }
  }
  return undefined;
}

async function unpackPieces(data: Buffer, handle: EventHandler, pause: () => Promise<void> | undefined): Promise<void> {
  const assembly = new EventAssembly();
  for await (const piece of pieces(data)) {
    assembly.add(piece);
    await assembly.take(handle);
    await pause();
  }
  if (assembly.left > 0) throw protocolError(NAME, 'the last of its events is cut short');
}

async function* pieces(data: Buffer): AsyncGenerator<Buffer> {
  const stream = createZstdDecompress({ chunkSize: PIECE });
  stream.end(data);
  try {
    yield* stream;
  } catch (error) {
    throw damaged(error);
  }
}

/** Puts events together from the pieces in which they come. */
class EventAssembly {
  #buffer = Buffer.allocUnsafeSlow(2 * PIECE);
  #start = 0;
  #end = 0;

  get left(): number {
    return this.#end - this.#start;
  }

  add(piece: Buffer): void {
    if (this.#end + piece.length > this.#buffer.length) this.#makeRoom(piece.length);
    piece.copy(this.#buffer, this.#end);
    this.#end += piece.length;
  }

  /** Hands on all events that are complete. */
  async take(handle: EventHandler): Promise<void> {
    while (this.left >= HEADER) {
      const start = this.#start;
      const size = eventSize(this.#buffer, start);
      if (size > this.left) return;
      this.#start += size;
      const wait = handle(this.#buffer, start, start + size);
      if (wait !== undefined) await wait;
    }
  }

  #makeRoom(bytes: number): void {
    const { left } = this;
    const needed = left + bytes;
    const target = needed > this.#buffer.length / 2 ? Buffer.allocUnsafeSlow(needed * 2) : this.#buffer;
    this.#buffer.copy(target, 0, this.#start, this.#end);
    this.#buffer = target;
    this.#start = 0;
    this.#end = left;
  }
}

function eventSize(buffer: Buffer, at: number): number {
  const size = buffer.readUInt32LE(at + HeaderField.size);
  if (size < HEADER || size > LONGEST) throw protocolError(NAME, `an event of ${size} bytes in it`);
  return size;
}

function damaged(error: unknown): Error {
  return protocolError(NAME, `it cannot be decompressed (${(error as Error).message})`);
}
