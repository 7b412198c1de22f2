import type { Connection } from './connection.ts';
import { type CodeTable, NO_CHARACTER } from './text-converter.ts';

/** Charsets with characters of more than one byte whose tables are asked for. */
const MULTIBYTE = new Set(['big5', 'gb2312', 'gbk', 'gb18030', 'sjis', 'cp932', 'ujis', 'eucjpms', 'euckr']);

/** Those of them that have characters of three bytes after 0x8f. */
const TRIPLES = new Set(['ujis', 'eucjpms']);

/** Conversions that one statement asks for. */
const PER_STATEMENT = 2000;

/**
 * Asks the server which character each byte sequence of a charset stands for. Libraries differ from it in hundreds of
 * characters (the wave dash of sjis, the quotes of greek, the whole of swe7), and what counts is what the server's own SELECT
 * shows. A charset of single bytes takes one statement, one of pairs about a dozen.
 */
export async function readCodeTable(connection: Connection, charset: string): Promise<CodeTable> {
  const single = await ask(connection, charset, '', codes(0, 0xff, 0, 0, 1), 256);
  if (!MULTIBYTE.has(charset)) return { single };
  const pair = await ask(connection, charset, '', codes(0x80, 0xff, 0x30, 0xff, 2), 65536);
  const triple = TRIPLES.has(charset)
    ? await ask(connection, charset, '8f', codes(0xa1, 0xfe, 0xa1, 0xfe, 2), 65536)
    : undefined;
  return { single, pair, triple, quadruple: charset === 'gb18030' ? gb18030Quadruple : undefined };
}

const gb18030 = new TextDecoder('gb18030', { fatal: true });

/** Characters of four bytes are a matter of arithmetic and not of tables; server and runtime agree on them. */
function gb18030Quadruple(input: Buffer, at: number): number {
  if (input[at + 1] < 0x30 || input[at + 1] > 0x39) return NO_CHARACTER;
  try {
    return gb18030.decode(input.subarray(at, at + 4)).codePointAt(0) ?? NO_CHARACTER;
  } catch {
    return NO_CHARACTER;
  }
}

/** Byte sequences of `length` 1 or 2, as numbers, in the given ranges of their bytes. */
function codes(from: number, to: number, from2: number, to2: number, length: 1 | 2): number[] {
  const list: number[] = [];
  for (let first = from; first <= to; first++) {
    if (length === 1) list.push(first);
    else for (let second = from2; second <= to2; second++) list.push((first << 8) | second);
  }
  return list;
}

async function ask(
  connection: Connection,
  charset: string,
  prefix: string,
  list: readonly number[],
  size: number,
): Promise<Uint32Array> {
  const table = new Uint32Array(size).fill(NO_CHARACTER);
  const digits = size === 256 ? 2 : 4;
  for (let i = 0; i < list.length; i += PER_STATEMENT) {
    const part = list.slice(i, i + PER_STATEMENT);
    const sql = part.map((code) => conversion(charset, prefix + code.toString(16).padStart(digits, '0'))).join(',');
    const [rows] = await connection.query({ sql: `SELECT ${sql}`, rowsAsArray: true });
    const answers = (rows as (string | null)[][])[0];
    part.forEach((code, j) => {
      const text = answers[j];
      table[code] = text === null ? NO_CHARACTER : pointOf(Buffer.from(text, 'hex').toString(), code);
    });
  }
  return table;
}

function conversion(charset: string, hex: string): string {
  return `HEX(CONVERT(CONVERT(X'${hex}' USING ${charset}) USING utf8mb4))`;
}

/** The one character of an answer. A question mark for anything but itself is how servers say that there is none. */
function pointOf(text: string, code: number): number {
  const point = text.codePointAt(0);
  if (point === undefined || text.length !== (point > 0xffff ? 2 : 1)) return NO_CHARACTER;
  return text === '?' && code !== 0x3f ? NO_CHARACTER : point;
}
