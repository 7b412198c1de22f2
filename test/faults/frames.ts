/**
 * Frames of the PostgreSQL wire protocol, version 3 (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */

/** Takes bytes as they come and gives whole frames. A frame shares memory with the bytes that it came in. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #held = 0;
  #wanted = 0;

  /** Untyped frames come first on the client's side: an SSL request, then the startup packet. */
  typed: boolean;

  constructor(typed: boolean) {
    this.typed = typed;
  }

  /** Calls `each` for every frame that is complete now. `each` may switch `typed` for the frames that follow. */
  push(chunk: Buffer, each: (frame: Buffer) => void): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#wanted) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let offset = 0;
    this.#wanted = 0;
    for (;;) {
      const header = this.typed ? 5 : 4;
      if (bytes.length - offset < header) break;
      const length = bytes.readInt32BE(offset + header - 4) + header - 4;
      if (bytes.length - offset < length) {
        this.#wanted = length;
        break;
      }
      const frame = bytes.subarray(offset, offset + length);
      offset += length;
      each(frame);
    }
    const rest = bytes.subarray(offset);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
  }
}

/** The letter that names a typed frame. */
export function frameType(frame: Buffer): string {
  return String.fromCharCode(frame[0]);
}

/** The zero-terminated text at `offset`, and the offset behind it. */
export function readText(frame: Buffer, offset: number): { text: string; next: number } {
  const end = frame.indexOf(0, offset);
  return { text: frame.toString('utf8', offset, end), next: end + 1 };
}

/** A simple Query. */
export function queryFrame(sql: string): Buffer {
  return typedFrame('Q', Buffer.from(`${sql}\0`));
}

/** Parse, Bind and Execute of a statement without parameters or results. */
export function executeFrames(name: string, sql: string): Buffer[] {
  return [
    typedFrame('P', Buffer.from(`${name}\0${sql}\0\0\0`)),
    typedFrame('B', Buffer.from(`\0${name}\0\0\0\0\0\0\0`)),
    typedFrame('E', Buffer.from('\0\0\0\0\0')),
  ];
}

/** CopyFail: makes the server give up a COPY FROM STDIN with this reason. */
export function copyFailFrame(reason: string): Buffer {
  return typedFrame('f', Buffer.from(`${reason}\0`));
}

/** ErrorResponse with the fields that every client reads. */
export function errorFrame(severity: 'ERROR' | 'FATAL', sqlstate: string, message: string): Buffer {
  return typedFrame('E', Buffer.from(`S${severity}\0V${severity}\0C${sqlstate}\0M${message}\0\0`));
}

function typedFrame(type: string, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(5 + payload.length);
  frame.write(type, 0, 'latin1');
  frame.writeInt32BE(4 + payload.length, 1);
  payload.copy(frame, 5);
  return frame;
}
