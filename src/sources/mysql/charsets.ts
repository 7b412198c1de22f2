import { readCodeTable } from './charset-table.ts';
import { type Connection, close } from './connection.ts';
import {
  convertAscii,
  convertLatin1,
  convertUtf8,
  convertUtf16,
  convertUtf16le,
  convertUtf32,
  type TextConverter,
  tableConverter,
} from './text-converter.ts';
import { TupleWriter } from '../../changes/tuple-writer.ts';

const BUILT_IN: Readonly<Record<string, TextConverter>> = {
  utf8mb4: convertUtf8,
  utf8mb3: convertUtf8,
  ascii: convertAscii,
  latin1: convertLatin1,
  ucs2: convertUtf16,
  utf16: convertUtf16,
  utf16le: convertUtf16le,
  utf32: convertUtf32,
};

/**
 * Numbers of collations that no server gives to another charset: those of the commonest charsets, and the ranges of MariaDB's
 * UCA-14.0.0 collations, which its information_schema.COLLATIONS shows without a number.
 */
const COLLATIONS: readonly (readonly [from: number, to: number, charset: string])[] = [
  [8, 8, 'latin1'],
  [11, 11, 'ascii'],
  [33, 33, 'utf8mb3'],
  [45, 46, 'utf8mb4'],
  [47, 49, 'latin1'],
  [63, 63, 'binary'],
  [65, 65, 'ascii'],
  [83, 83, 'utf8mb3'],
  [192, 215, 'utf8mb3'],
  [224, 247, 'utf8mb4'],
  [255, 323, 'utf8mb4'],
  [2048, 2303, 'utf8mb3'],
  [2304, 2559, 'utf8mb4'],
  [2560, 2815, 'ucs2'],
  [2816, 3071, 'utf16'],
  [3072, 3327, 'utf32'],
];

/**
 * The character sets of a source: which one a collation's number means, and how its bytes become UTF-8. Binlog metadata
 * names collations by number only.
 */
export class Charsets {
  readonly #open: (() => Promise<Connection>) | undefined;
  readonly #names: ReadonlyMap<number, string>;
  readonly #converters = new Map<string, TextConverter>(Object.entries(BUILT_IN));

  /** Without a server only the commonest collations and charsets are known. */
  constructor(names: ReadonlyMap<number, string> = new Map(), open?: () => Promise<Connection>) {
    this.#names = names;
    this.#open = open;
  }

  /** Reads the server's collations. `open` is kept: it is called again when a charset's table must be asked for. */
  static async load(open: () => Promise<Connection>): Promise<Charsets> {
    const names = new Map<number, string>();
    await using(open, async (connection) => {
      const [rows] = await connection.query({
        sql: 'SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL',
        rowsAsArray: true,
      });
      for (const [id, name] of rows as [number | string, string | null][]) {
        if (name !== null) names.set(Number(id), charsetName(name));
      }
    });
    return new Charsets(names, open);
  }

  /** The charset of a collation; undefined when the server has none of that number. `binary` is a charset, too. */
  charsetOf(collation: number): string | undefined {
    const name = this.#names.get(collation);
    if (name !== undefined) return name;
    return COLLATIONS.find(([from, to]) => collation >= from && collation <= to)?.[2];
  }

  /** How the charset's bytes become UTF-8; undefined when `prepare` was not called for it. */
  converter(charset: string): TextConverter | undefined {
    return this.#converters.get(charset);
  }

  /**
   * The characters that stand in [start, end) of `input`, for names in metadata such as the members of an ENUM; undefined when
   * they are none of the charset, or it was not prepared.
   */
  text(charset: string, input: Buffer, start: number, end: number): string | undefined {
    const writer = new TupleWriter();
    const converted = this.#converters.get(charset)?.(input, start, end, writer);
    return converted === -1 ? writer.buffer.toString('utf8', 0, writer.length) : undefined;
  }

  /**
   * Makes the converter of a charset: undefined when there is nothing to wait for. To be awaited before decoders are made for
   * columns of the charset. Rejects as connections do.
   */
  prepare(charset: string): Promise<void> | undefined {
    const open = this.#open;
    if (charset === 'binary' || this.#converters.has(charset) || open === undefined) return undefined;
    // The name stands in SQL, where it cannot be bound.
    if (!/^[a-z0-9_]+$/.test(charset)) return undefined;
    return using(open, async (connection) => {
      this.#converters.set(charset, tableConverter(await readCodeTable(connection, charset)));
    });
  }
}

/** MySQL before 8.0.30 and MariaDB before 10.6 call utf8mb3 just utf8. */
export function charsetName(name: string): string {
  const lower = name.toLowerCase();
  return lower === 'utf8' ? 'utf8mb3' : lower;
}

async function using(open: () => Promise<Connection>, work: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = await open();
  try {
    await work(connection);
  } finally {
    close(connection);
  }
}
