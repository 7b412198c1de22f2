import { messageName, protocolError } from './protocol-error.ts';

/**
 * Reads the fields of one message, never past its end: what is missing raises OperatorError PG_PROTOCOL. One reader is
 * reused for all messages. Rows do not go through it value by value: see `tupleEndChecked`.
 */
export class MessageReader {
  buffer: Buffer = Buffer.alloc(0);
  /** Offset of the message's type byte. */
  start = 0;
  at = 0;
  end = 0;

  /** Turns to the message in [start, end) of `buffer` and stands behind its type byte. The range must not be empty. */
  open(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.start = start;
    this.at = start + 1;
    this.end = end;
  }

  get type(): number {
    return this.buffer[this.start];
  }

  uint8(): number {
    this.#need(1);
    return this.buffer[this.at++];
  }

  uint16(): number {
    this.#need(2);
    const value = this.buffer.readUInt16BE(this.at);
    this.at += 2;
    return value;
  }

  uint32(): number {
    this.#need(4);
    const value = this.buffer.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  uint64(): bigint {
    this.#need(8);
    const value = this.buffer.readBigUInt64BE(this.at);
    this.at += 8;
    return value;
  }

  /** A timestamp, which PostgreSQL counts in microseconds since 2000, as microseconds since the Unix epoch. */
  timestamp(): number {
    this.#need(8);
    const value = Number(this.buffer.readBigInt64BE(this.at)) + MICROSECONDS_1970_TO_2000;
    this.at += 8;
    return value;
  }

  /** A string that ends with a zero byte. */
  string(): string {
    const zero = this.buffer.indexOf(0, this.at);
    if (zero < 0 || zero >= this.end) throw this.malformed('a string has no end');
    const value = this.buffer.toString('utf8', this.at, zero);
    this.at = zero + 1;
    return value;
  }

  skip(bytes: number): void {
    this.#need(bytes);
    this.at += bytes;
  }

  /** The message must end here. */
  finish(): void {
    if (this.at !== this.end) throw this.malformed(`${this.end - this.at} bytes too many`);
  }

  malformed(problem: string): Error {
    return protocolError(messageName(this.type), this.at - this.start, problem);
  }

  #need(bytes: number): void {
    if (this.at + bytes > this.end) {
      throw this.malformed(`${bytes} bytes expected, ${this.end - this.at} left`);
    }
  }
}

const MICROSECONDS_1970_TO_2000 = 946_684_800_000_000;
