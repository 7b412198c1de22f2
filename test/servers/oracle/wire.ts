/** Above this many bytes a value is sent in chunks. */
const LONGEST_SHORT = 252;
const CHUNK = 32767;
const CHUNKED = 254;
const NULL_LENGTH = 255;

/** Reads the scalars of a TTC message; a read past its end is a RangeError. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.raw(1)[0];
  }

  u16be(): number {
    return this.raw(2).readUInt16BE();
  }

  /** A view of the next bytes, valid as long as the message is. */
  raw(length: number): Buffer {
    if (length > this.left) throw new RangeError(`the message ends ${length - this.left} bytes early`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  skip(length: number): void {
    this.raw(length);
  }

  /** UB2, UB4, UB8 and their signed kin: a size byte (0x80 means negative), then so many big-endian bytes. */
  integer(): number {
    const size = this.u8();
    let value = 0;
    for (const byte of this.raw(size & 0x7f)) value = value * 256 + byte;
    return size & 0x80 ? -value : value;
  }

  skipIntegers(count: number): void {
    for (let i = 0; i < count; i++) this.integer();
  }

  /** Bytes with their length in front, in chunks when there are many; null when there are none. */
  bytes(): Buffer | null {
    const length = this.u8();
    if (length === 0 || length === NULL_LENGTH) return null;
    if (length !== CHUNKED) return this.raw(length);
    const chunks: Buffer[] = [];
    for (let size = this.integer(); size !== 0; size = this.integer()) chunks.push(this.raw(size));
    return Buffer.concat(chunks);
  }

  text(): string {
    return this.bytes()?.toString('utf8') ?? '';
  }

  /** Text that has its length twice: as an integer, and with the bytes when that is not 0. */
  countedText(): string {
    return this.integer() > 0 ? this.text() : '';
  }
}

/** Writes the scalars of TTC into one buffer, which grows and is used again for the next response. */
export class Writer {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Forgets everything after `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A view of what was written, valid until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(wider, 0, 0, this.#length);
    this.#bytes = wider;
  }

  u8(value: number): this {
    this.#room(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16be(value: number): this {
    return this.u8(value >> 8).u8(value & 0xff);
  }

  u16le(value: number): this {
    return this.u8(value & 0xff).u8(value >> 8);
  }

  zeros(count: number): this {
    this.#room(count);
    this.#bytes.fill(0, this.#length, this.#length + count);
    this.#length += count;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** See Reader.integer(); of 32 bits at most. */
  integer(value: number): this {
    const size = Math.abs(value);
    const sign = value < 0 ? 0x80 : 0;
    if (size === 0) return this.u8(0);
    if (size < 0x100) return this.u8(sign | 1).u8(size);
    if (size < 0x10000) return this.u8(sign | 2).u16be(size);
    if (size > 0xffffffff) throw new RangeError(`${value} has more than 32 bits`);
    return this.u8(sign | 4)
      .u16be(size >>> 16)
      .u16be(size & 0xffff);
  }

  integers(...values: readonly number[]): this {
    for (const value of values) this.integer(value);
    return this;
  }

  bytes(bytes: Buffer | null): this {
    if (bytes === null || bytes.length === 0) return this.u8(0);
    if (bytes.length <= LONGEST_SHORT) return this.u8(bytes.length).raw(bytes);
    this.u8(CHUNKED);
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const chunk = bytes.subarray(at, at + CHUNK);
      this.integer(chunk.length).raw(chunk);
    }
    return this.u8(0);
  }

  /** Returns the bytes that the text took. */
  text(text: string): number {
    // No UTF-8 text takes more than three bytes for each of its UTF-16 units: a short one needs no measuring.
    if (text.length * 3 <= LONGEST_SHORT) {
      this.#room(LONGEST_SHORT + 1);
      const written = this.#bytes.write(text, this.#length + 1, 'utf8');
      this.#bytes[this.#length] = written;
      this.#length += written + 1;
      return written;
    }
    const length = Buffer.byteLength(text, 'utf8');
    if (length > CHUNK) {
      this.bytes(Buffer.from(text, 'utf8'));
      return length;
    }
    if (length <= LONGEST_SHORT) this.u8(length);
    else this.u8(CHUNKED).integer(length);
    this.#room(length);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
    if (length > LONGEST_SHORT) this.u8(0);
    return length;
  }

  /** See Reader.countedText(). */
  countedText(text: string): this {
    this.integer(Buffer.byteLength(text, 'utf8'));
    if (text !== '') this.text(text);
    return this;
  }
}
