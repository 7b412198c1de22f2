import { protocolError } from '../protocol-error.ts';

/** Reads the fields of one event from front to back; what would go beyond its end raises OperatorError MYSQL_PROTOCOL. */
export class EventBytes {
  readonly name: string;
  readonly buffer: Buffer;
  readonly end: number;
  at: number;

  /** The bytes [at, end) of `buffer`; `name` is the event's in messages. */
  constructor(name: string, buffer: Buffer, at: number, end: number) {
    this.name = name;
    this.buffer = buffer;
    this.at = at;
    this.end = end;
    if (at > end) throw this.malformed('it is cut short');
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Passes over `bytes` and returns where they begin. */
  skip(bytes: number): number {
    const { at } = this;
    if (bytes > this.end - at) throw this.malformed(`it needs ${bytes} more bytes and has ${this.end - at}`);
    this.at = at + bytes;
    return at;
  }

  uint8(): number {
    return this.buffer[this.skip(1)];
  }

  uint16(): number {
    return this.buffer.readUInt16LE(this.skip(2));
  }

  uint32(): number {
    return this.buffer.readUInt32LE(this.skip(4));
  }

  /** Six bytes. */
  uint48(): number {
    return this.buffer.readUIntLE(this.skip(6), 6);
  }

  uint64(): bigint {
    return this.buffer.readBigUInt64LE(this.skip(8));
  }

  /** A length-encoded integer, which must be less than 2^53. */
  length(): number {
    const first = this.uint8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint16();
    if (first === 0xfd) return this.buffer.readUIntLE(this.skip(3), 3);
    if (first !== 0xfe) throw this.malformed(`a length that begins with ${first}`);
    const value = this.uint32() + this.uint32() * 2 ** 32;
    if (value > Number.MAX_SAFE_INTEGER) throw this.malformed('a length of more than 2^53');
    return value;
  }

  /** `bytes` of UTF-8. */
  text(bytes: number): string {
    const at = this.skip(bytes);
    return this.buffer.toString('utf8', at, at + bytes);
  }

  /** A copy of `bytes`. */
  copy(bytes: number): Buffer {
    const at = this.skip(bytes);
    return Buffer.from(this.buffer.subarray(at, at + bytes));
  }

  /** The bytes [at, end) of the same event. */
  within(at: number, end: number): EventBytes {
    return new EventBytes(this.name, this.buffer, at, end);
  }

  malformed(problem: string): Error {
    return protocolError(this.name, problem);
  }
}
