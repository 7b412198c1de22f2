import { createReadStream } from 'node:fs';
import { type Gzip, constants, createGunzip, createGzip } from 'node:zlib';

/** A file in an archive. */
export interface ArchivedFile {
  /** Path within the archive, of ASCII: at most 100 characters, or 255 with a slash where it can be parted. */
  readonly name: string;
  readonly content: Buffer;
  /** When it was changed last, milliseconds since the epoch. */
  readonly modified: number;
}

const BLOCK = 512;
/** Where the fields of a header are: offset and length. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  owner: [108, 8],
  group: [116, 8],
  size: [124, 12],
  modified: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  prefix: [345, 155],
} as const;
const REGULAR = '0';

/**
 * The header of a file in the ustar format, which every tar can read. The file belongs to nobody and is closed to others (0600).
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
function header({ name, content, modified }: ArchivedFile): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = ([offset, length]: readonly [number, number], text: string) =>
    block.write(text, offset, length, 'latin1');
  const octal = (field: readonly [number, number], value: number) =>
    put(field, `${value.toString(8).padStart(field[1] - 1, '0')}\0`);
  const [prefix, rest] = parted(name);
  put(FIELD.name, rest);
  put(FIELD.prefix, prefix);
  octal(FIELD.mode, 0o600);
  octal(FIELD.owner, 0);
  octal(FIELD.group, 0);
  octal(FIELD.size, content.length);
  octal(FIELD.modified, Math.max(0, Math.floor(modified / 1000)));
  put(FIELD.type, REGULAR);
  put(FIELD.magic, 'ustar\x0000');
  put(FIELD.checksum, ' '.repeat(8));
  put(FIELD.checksum, `${checksum(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** The sum of a header's bytes, with blanks in place of itself. */
function checksum(block: Buffer): number {
  return block.reduce((sum, byte) => sum + byte, 0);
}

/** A long name has its front in a field of its own. */
function parted(name: string): [prefix: string, rest: string] {
  if (name.length <= FIELD.name[1]) return ['', name];
  const slash = name.indexOf('/', name.length - FIELD.name[1] - 1);
  if (slash < 0 || slash > FIELD.prefix[1]) throw new Error(`the name ${name} is too long for an archive`);
  return [name.slice(0, slash), name.slice(slash + 1)];
}

/** Writes files one after the other into a compressed archive, of which `write` is handed piece by piece. */
export class TarWriter {
  readonly #gzip: Gzip = createGzip({ level: constants.Z_DEFAULT_COMPRESSION });
  readonly #done: Promise<void>;

  constructor(write: (piece: Buffer) => Promise<void>) {
    this.#done = (async () => {
      for await (const piece of this.#gzip) await write(piece as Buffer);
    })();
    this.#done.catch(() => {});
    // What goes wrong is what `write` rejected with.
    this.#gzip.on('error', () => {});
  }

  /** Rejects with what `write` rejected with. */
  async add(file: ArchivedFile): Promise<void> {
    const padding = Buffer.alloc((BLOCK - (file.content.length % BLOCK)) % BLOCK);
    for (const piece of [header(file), file.content, padding]) {
      if (this.#gzip.write(piece)) continue;
      await Promise.race([new Promise((resolve) => this.#gzip.once('drain', resolve)), this.#done]);
    }
  }

  /** Resolves when everything was written. */
  async end(): Promise<void> {
    this.#gzip.end(Buffer.alloc(2 * BLOCK));
    await this.#done;
  }
}

/**
 * The files of a compressed archive that `wanted` is true for, one after the other; others are passed over unread. Long names
 * of GNU and pax are read as far as they are cut off in the header.
 * @param largest bytes that a wanted file may have; larger ones are passed over
 * @throws Error of the system or of zlib; one that says so for what is no archive, or ends too early
 */
export async function* readTar(
  path: string,
  wanted: (name: string) => boolean,
  largest: number,
): AsyncGenerator<ArchivedFile> {
  const input = new BlockReader(path);
  try {
    for (;;) {
      const block = await input.take(BLOCK);
      if (block === undefined) throw new Error('it is cut off');
      if (block.every((byte) => byte === 0)) return;
      const text = ([offset, length]: readonly [number, number]) =>
        block.toString('latin1', offset, offset + length).split('\0', 1)[0];
      const expected = Number.parseInt(text(FIELD.checksum), 8);
      block.fill(' ', FIELD.checksum[0], FIELD.checksum[0] + FIELD.checksum[1]);
      if (!text(FIELD.magic).startsWith('ustar') || checksum(block) !== expected) throw new Error('it is no archive');
      const size = Number.parseInt(text(FIELD.size), 8);
      const modified = 1000 * Number.parseInt(text(FIELD.modified), 8);
      const name = [text(FIELD.prefix), text(FIELD.name)].filter((part) => part !== '').join('/');
      const type = text(FIELD.type);
      const take = (type === REGULAR || type === '') && size <= largest && wanted(name);
      const content = take ? await input.take(size) : await input.skip(size);
      await input.skip((BLOCK - (size % BLOCK)) % BLOCK);
      if (content === undefined) throw new Error('it is cut off');
      if (take) yield { name, content, modified };
    }
  } finally {
    input.close();
  }
}

/** What a gzip file holds, by so many bytes at a time. */
class BlockReader {
  readonly #file;
  readonly #gunzip = createGunzip();
  readonly #pieces: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#file = createReadStream(path);
    this.#file.on('error', (error) => this.#gunzip.destroy(error));
    this.#file.pipe(this.#gunzip);
    this.#pieces = this.#gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Undefined at the end. */
  async take(length: number): Promise<Buffer | undefined> {
    const pieces = [this.#held];
    let have = this.#held.length;
    while (have < length) {
      const { value, done } = await this.#pieces.next();
      if (done) return undefined;
      pieces.push(value);
      have += value.length;
    }
    const all = Buffer.concat(pieces);
    this.#held = all.subarray(length);
    return Buffer.from(all.subarray(0, length));
  }

  /** Passes bytes over without keeping them; undefined at the end. */
  async skip(length: number): Promise<Buffer | undefined> {
    let left = length;
    while (left > this.#held.length) {
      left -= this.#held.length;
      const { value, done } = await this.#pieces.next();
      if (done) return undefined;
      this.#held = value;
    }
    this.#held = this.#held.subarray(left);
    return Buffer.alloc(0);
  }

  close(): void {
    this.#file.destroy();
    this.#gunzip.destroy();
  }
}
