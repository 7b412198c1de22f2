import { ValueKind } from '../changes/change-log.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const NULL_COPY = Buffer.from('\\N');
const NULL_ELEMENT = Buffer.from('NULL');

/** A COPY message is closed at about this size, so that no frame comes near a server's message limit (16 MiB). */
const COPY_FRAME = 256 * 1024;

/**
 * Frontend messages of the PostgreSQL protocol, written one behind the other into one buffer that goes out in one write.
 * Values are copied from tuples byte by byte into the form their place needs; they are never made into strings.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class MessageBuffer {
  buffer: Buffer;
  length = 0;
  /** Sync and Query messages written: the server answers each with one ReadyForQuery. */
  syncs = 0;
  /** True after parse, bind or execute, until the next sync. */
  #extended = false;

  constructor(capacity = 16 * 1024) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  /** A simple query. `sql` may hold several statements. */
  query(sql: string): void {
    this.sync();
    const at = this.#open(0x51);
    this.#cstring(sql);
    this.#close(at);
    this.syncs++;
  }

  parse(name: string, sql: string): void {
    this.#extended = true;
    const at = this.#open(0x50);
    this.#cstring(name);
    this.#cstring(sql);
    this.#int16(0);
    this.#close(at);
  }

  /** Ends a run of parse, bind and execute messages, if there is one; after an error the server skips to here. */
  sync(): void {
    if (!this.#extended) return;
    this.#extended = false;
    this.#close(this.#open(0x53));
    this.syncs++;
  }

  /** Starts a Bind; write exactly `parameters` parameters, then call `execute`. Returns a mark for `execute`. */
  bind(statement: string, parameters: number): number {
    this.#extended = true;
    const at = this.#open(0x42);
    this.#cstring('');
    this.#cstring(statement);
    this.#int16(0);
    this.#int16(parameters);
    return at;
  }

  /** Ends the Bind begun at `mark` and executes it. */
  execute(mark: number): void {
    this.#int16(0);
    this.#close(mark);
    const at = this.#open(0x45);
    this.#cstring('');
    this.#int32(0);
    this.#close(at);
  }

  /** SQL NULL as a parameter. */
  null(): void {
    this.#int32(-1);
  }

  /** Ends the Bind begun at `mark`, asks for the columns of its answer, and executes it. */
  executeDescribed(mark: number): void {
    this.#int16(0);
    this.#close(mark);
    const description = this.#open(0x44);
    this.#reserve(1);
    this.buffer[this.length++] = 0x50;
    this.#cstring('');
    this.#close(description);
    const at = this.#open(0x45);
    this.#cstring('');
    this.#int32(0);
    this.#close(at);
  }

  /** A parameter from a JavaScript string. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#int32(length);
    this.#reserve(length);
    this.buffer.write(value, this.length);
    this.length += length;
  }

  /** A parameter from the value that starts at `at` (its kind byte) in a tuple. Unchanged is not allowed here. */
  value(source: Buffer, at: number): void {
    if (source[at] !== ValueKind.text) {
      this.#int32(-1);
      return;
    }
    const length = source.readInt32BE(at + 1);
    this.#int32(length);
    this.#reserve(length);
    source.copy(this.buffer, this.length, at + 5, at + 5 + length);
    this.length += length;
  }

  /** Starts an array parameter; returns a mark for `closeArray`. */
  openArray(): number {
    const mark = this.length;
    this.#reserve(5);
    this.length += 4;
    this.buffer[this.length++] = OPEN_BRACE;
    return mark;
  }

  /** One array element; `plain` when the type's text hardly ever needs quotes, so that it is worth to leave them out. */
  element(source: Buffer, at: number, plain: boolean): void {
    if (source[at] !== ValueKind.text) {
      this.#reserve(5);
      this.length += NULL_ELEMENT.copy(this.buffer, this.length);
      this.buffer[this.length++] = COMMA;
      return;
    }
    const length = source.readInt32BE(at + 1);
    this.#reserve(2 * length + 3);
    const buffer = this.buffer;
    let to = this.length;
    let from = at + 5;
    const end = from + length;
    if (!(plain && isBare(source, from, end))) {
      buffer[to++] = QUOTE;
      while (from < end) {
        const byte = source[from++];
        if (byte === QUOTE || byte === BACKSLASH) buffer[to++] = BACKSLASH;
        buffer[to++] = byte;
      }
      buffer[to++] = QUOTE;
    } else {
      while (from < end) buffer[to++] = source[from++];
    }
    buffer[to++] = COMMA;
    this.length = to;
  }

  closeArray(mark: number): void {
    this.#reserve(1);
    if (this.buffer[this.length - 1] === COMMA) this.length--;
    this.buffer[this.length++] = CLOSE_BRACE;
    this.buffer.writeInt32BE(this.length - mark - 4, mark);
  }

  /** Starts CopyData; returns a mark for `copyRow`'s frames. */
  openCopy(): number {
    return this.#open(0x64);
  }

  /**
   * Ends a row: over COPY_FRAME bytes the frame is closed and a new one begun. Returns the mark of the frame to go on with.
   */
  copyRowDone(mark: number): number {
    this.buffer[this.length - 1] = NEWLINE;
    if (this.length - mark < COPY_FRAME) return mark;
    this.#close(mark);
    return this.#open(0x64);
  }

  /** Ends the copy begun by `openCopy`. */
  closeCopy(mark: number): void {
    this.#close(mark);
    this.#close(this.#open(0x63));
  }

  /** One field in COPY's text format, with the tab behind it. */
  copyText(source: Buffer, at: number): void {
    if (source[at] !== ValueKind.text) {
      this.#reserve(3);
      this.length += NULL_COPY.copy(this.buffer, this.length);
      this.buffer[this.length++] = TAB;
      return;
    }
    const length = source.readInt32BE(at + 1);
    this.#reserve(2 * length + 1);
    const buffer = this.buffer;
    let to = this.length;
    let from = at + 5;
    const end = from + length;
    while (from < end) {
      const byte = source[from++];
      if (byte === BACKSLASH) {
        buffer[to++] = BACKSLASH;
        buffer[to++] = BACKSLASH;
      } else if (byte < 14 && (byte === TAB || byte === NEWLINE || byte === RETURN)) {
        buffer[to++] = BACKSLASH;
        buffer[to++] = byte === TAB ? 0x74 : byte === NEWLINE ? 0x6e : 0x72;
      } else {
        buffer[to++] = byte;
      }
    }
    buffer[to++] = TAB;
    this.length = to;
  }

  /**
   * One field in COPY's CSV format, with the comma behind it. Values are always quoted and NULL is the bare empty field,
   * so that an empty string cannot be taken for NULL: CockroachDB may do so in the text format.
   */
  copyCsv(source: Buffer, at: number): void {
    if (source[at] !== ValueKind.text) {
      this.#reserve(1);
      this.buffer[this.length++] = COMMA;
      return;
    }
    const length = source.readInt32BE(at + 1);
    this.#reserve(2 * length + 3);
    const buffer = this.buffer;
    let to = this.length;
    let from = at + 5;
    const end = from + length;
    buffer[to++] = QUOTE;
    while (from < end) {
      const byte = source[from++];
      if (byte === QUOTE) buffer[to++] = QUOTE;
      buffer[to++] = byte;
    }
    buffer[to++] = QUOTE;
    buffer[to++] = COMMA;
    this.length = to;
  }

  /** Makes the buffer empty for another use. */
  clear(): void {
    this.length = 0;
    this.syncs = 0;
    this.#extended = false;
  }

  #open(type: number): number {
    this.#reserve(5);
    this.buffer[this.length] = type;
    const mark = this.length + 1;
    this.length += 5;
    return mark;
  }

  #close(mark: number): void {
    this.buffer.writeInt32BE(this.length - mark, mark);
  }

  #cstring(value: string): void {
    this.#reserve(value.length * 3 + 1);
    this.length += this.buffer.write(value, this.length);
    this.buffer[this.length++] = 0;
  }

  #int16(value: number): void {
    this.#reserve(2);
    this.length = this.buffer.writeInt16BE(value, this.length);
  }

  #int32(value: number): void {
    this.#reserve(4);
    this.length = this.buffer.writeInt32BE(value, this.length);
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    let capacity = this.buffer.length * 2;
    while (capacity < needed) capacity *= 2;
    const grown = Buffer.allocUnsafe(capacity);
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

/** True when a value can stand in an array literal as it is: no byte that means something there, not empty, not NULL. */
function isBare(source: Buffer, from: number, end: number): boolean {
  if (from === end || (end - from === 4 && (source[from] | 0x20) === 0x6e)) return false;
  while (from < end) {
    const byte = source[from++];
    if ((byte <= COMMA && byte !== 0x2b) || byte === BACKSLASH || byte === OPEN_BRACE || byte === CLOSE_BRACE)
      return false;
  }
  return true;
}
