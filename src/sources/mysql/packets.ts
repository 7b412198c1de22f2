import { protocolError } from './protocol-error.ts';

/** Bytes in front of each packet: its length (3, little-endian) and its number within the answer (1). */
const HEADER = 4;

/** A packet of this length has more of the same payload behind it. */
const SPLIT = 0xffffff;

/** No server makes an event of more than 1 GiB; a little more for what stands in front of it. */
const LONGEST = 2 ** 30 + 1024;

/** An assembly buffer of at most this size, bytes, is kept for the next payload. */
const KEPT = 4 * 2 ** 20;

/** Where in the payload of a dump's packet the length of its event stands. */
const EVENT_SIZE = 1 + 9;

/**
 * Receives a whole payload, which stands in `buffer` from `start` to `end` and may be overwritten after the call, or after
 * the promise. A promise means that nothing more may come before it resolves.
 */
export type PayloadHandler = (buffer: Buffer, start: number, end: number) => Promise<void> | undefined;

/**
 * Takes the answers to commands out of the chunks of a socket: joins what the server splits, checks that no packet is
 * missing. A payload that stands whole in a chunk is handed on where it stands; one buffer serves for all others.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
export class PacketReader {
  readonly #onPayload: PayloadHandler;
  readonly #longest: number;
  #sequence = 1;
  /** The header of the current packet, as far as it came, where it does not stand in one chunk. */
  readonly #header = Buffer.alloc(HEADER);
  #headerLength = 0;
  /** Bytes of the current packet's body that are still to come; 0 when a header comes next. */
  #missing = 0;
  /** The current packet has more of its payload behind it. */
  #split = false;
  /** What came of a payload that does not stand whole in a chunk. */
  #assembly = Buffer.alloc(0);
  #assembled = 0;

  /** @param longest most bytes of a payload */
  constructor(onPayload: PayloadHandler, longest = LONGEST) {
    this.#onPayload = onPayload;
    this.#longest = longest;
  }

  /** To be called before a command is written: the packets of its answer are numbered from 1. */
  expectAnswer(): void {
    this.#sequence = 1;
  }

  /**
   * Takes the next chunk. A promise means that it is not used up yet, and that no other may be given before it resolves.
   * @throws OperatorError MYSQL_PROTOCOL for packets out of order or too long, and whatever the handler throws.
   */
  read(chunk: Buffer): Promise<void> | undefined {
    return this.#read(chunk, 0);
  }

  #read(chunk: Buffer, from: number): Promise<void> | undefined {
    let at = from;
    while (at < chunk.length) {
      let wait: Promise<void> | undefined;
      if (this.#missing === 0) {
        let length: number;
        if (this.#headerLength === 0 && chunk.length - at >= HEADER) {
          length = this.#begin(chunk, at);
          at += HEADER;
        } else {
          at += this.#gatherHeader(chunk, at);
          if (this.#headerLength < HEADER) return undefined;
          this.#headerLength = 0;
          length = this.#begin(this.#header, 0);
        }
        const end = at + length;
        if (this.#assembled === 0 && length < SPLIT && end <= chunk.length) {
          wait = this.#onPayload(chunk, at, end);
          at = end;
          if (wait !== undefined) return this.#resume(wait, chunk, at);
          continue;
        }
        this.#missing = length;
        this.#split = length === SPLIT;
        this.#reserve(length);
      }
      at += this.#gather(chunk, at);
      if (this.#missing > 0 || this.#split) continue;
      wait = this.#deliver();
      if (wait !== undefined) return this.#resume(wait, chunk, at);
    }
    return undefined;
  }

  async #resume(wait: Promise<void>, chunk: Buffer, at: number): Promise<void> {
    await wait;
    await this.#read(chunk, at);
  }

  /** Reads a header; returns the length of the packet's body. */
  #begin(buffer: Buffer, at: number): number {
    const length = buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16);
    const sequence = buffer[at + 3];
    if (sequence !== this.#sequence) {
      throw protocolError('the packets', `packet ${this.#sequence} was expected and packet ${sequence} came`);
    }
    this.#sequence = (sequence + 1) & 0xff;
    return length;
  }

  #gatherHeader(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#header, this.#headerLength, at, at + HEADER - this.#headerLength);
    this.#headerLength += copied;
    return copied;
  }

  #gather(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#assembly, this.#assembled, at, at + this.#missing);
    this.#assembled += copied;
    this.#missing -= copied;
    // The first bytes of an event tell how much room the whole of it takes.
    if (this.#split && this.#assembled - copied < EVENT_SIZE + 4 && this.#assembled >= EVENT_SIZE + 4) {
      this.#reserve(Math.min(this.#longest, this.#assembly.readUInt32LE(EVENT_SIZE) + 1) - this.#assembled);
    }
    return copied;
  }

  /** Makes room for so many more bytes. */
  #reserve(bytes: number): void {
    const needed = this.#assembled + bytes;
    if (needed <= this.#assembly.length) return;
    if (needed > this.#longest) throw protocolError('the packets', `an event of more than ${this.#longest} bytes`);
    const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * this.#assembly.length, this.#longest)));
    this.#assembly.copy(grown, 0, 0, this.#assembled);
    this.#assembly = grown;
  }

  #deliver(): Promise<void> | undefined {
    const buffer = this.#assembly;
    const length = this.#assembled;
    this.#assembled = 0;
    if (buffer.length > KEPT) this.#assembly = Buffer.alloc(0);
    return this.#onPayload(buffer, 0, length);
  }
}
