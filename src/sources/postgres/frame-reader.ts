/** Type byte and length of a message. */
const HEADER = 5;
const COPY_DATA = 0x64;

/** What a frame reader finds. Buffers may be reused as soon as the call returns. */
export interface FrameHandlers {
  /** The payload of a CopyData message stands in [start, end). */
  copyData(buffer: Buffer, start: number, end: number): void;
  /** Any other message, whole. */
  other(frame: Buffer): void;
}

/**
 * Cuts what a server sends into messages. A stream brings one CopyData message per row, so these are handed on where they
 * stand, without an object or an event for each.
 */
export class FrameReader {
  readonly #handlers: FrameHandlers;
  /** A message of which only a part has come, in a buffer of its whole length, or less than a header of it. */
  #partial: Buffer | undefined;
  #filled = 0;

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers;
  }

  read(chunk: Buffer): void {
    let at = this.#partial === undefined ? 0 : this.#complete(chunk);
    while (chunk.length - at >= HEADER) {
      const end = at + 1 + chunk.readUInt32BE(at + 1);
      if (end > chunk.length) break;
      this.#message(chunk, at, end);
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at);
  }

  /** Adds to the partial message what it lacks; returns where the rest of the chunk starts. */
  #complete(chunk: Buffer): number {
    let at = 0;
    if (this.#filled < HEADER) {
      at = chunk.copy(this.#partial!, this.#filled, 0, HEADER - this.#filled);
      this.#filled += at;
      if (this.#filled < HEADER) return at;
      const whole = Buffer.allocUnsafe(1 + this.#partial!.readUInt32BE(1));
      this.#partial!.copy(whole, 0, 0, HEADER);
      this.#partial = whole;
    }
    const partial = this.#partial!;
    const copied = chunk.copy(partial, this.#filled, at);
    this.#filled += copied;
    if (this.#filled === partial.length) {
      this.#partial = undefined;
      this.#message(partial, 0, partial.length);
    }
    return at + copied;
  }

  #keep(chunk: Buffer, at: number): void {
    const length = chunk.length - at < HEADER ? HEADER : 1 + chunk.readUInt32BE(at + 1);
    this.#partial = Buffer.allocUnsafe(length);
    this.#filled = chunk.copy(this.#partial, 0, at);
  }

  #message(buffer: Buffer, start: number, end: number): void {
    if (buffer[start] === COPY_DATA) this.#handlers.copyData(buffer, start + HEADER, end);
    else this.#handlers.other(buffer.subarray(start, end));
  }
}
