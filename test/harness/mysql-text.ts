/** A column of the source, as its catalogue describes it. */
export interface CheckedColumn {
  readonly name: string;
  /** DATA_TYPE: without length and attributes. */
  readonly type: string;
  /** COLUMN_TYPE: with them. */
  readonly declared: string;
  /** Type of the target's column, in PostgreSQL's words. */
  readonly target: string;
}

const BYTES = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob']);
const TEXTS = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext']);
const SHAPES = new Set([
  ...['geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring', 'multipolygon'],
  ...['geometrycollection', 'geomcollection'],
]);
const NUMBERS = ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision'];

const isNumber = (type: string): boolean => NUMBERS.some((name) => type.startsWith(name));

/** What to SELECT so that the source says everything about a value, in a form that `expectedText` reads. */
export function sourceExpression({ name, type, declared, target }: CheckedColumn, mariadb: boolean): string {
  const column = `\`${name.replaceAll('`', '``')}\``;
  if (type === 'float') return `CAST(${column} AS DOUBLE)`;
  if (type === 'bit') return `LPAD(BIN(${column} + 0), ${/\d+/.exec(declared)?.[0] ?? 1}, '0')`;
  if (BYTES.has(type) || type === 'vector') return `HEX(${column})`;
  if (SHAPES.has(type)) {
    if (target === 'bytea') return `HEX(${column})`;
    const wkb = mariadb ? `ST_AsWKB(${column})` : `ST_AsWKB(${column}, 'axis-order=long-lat')`;
    return `CONCAT(ST_SRID(${column}), ' ', HEX(${wkb}))`;
  }
  if (target === 'bytea') {
    // Text goes to bytes as the source keeps it; what the source makes text of only for people, as UTF-8.
    return TEXTS.has(type) ? `HEX(${column})` : `HEX(CONVERT(${column} USING utf8mb4))`;
  }
  if ((type === 'enum' || type === 'set') && isNumber(target)) return `CAST(${column} AS UNSIGNED)`;
  return column;
}

/**
 * A value of a target column, as text that differs when the values do. Numbers of 32 bits have many texts, so what is
 * compared is what they read back to.
 */
export function targetExpression({ type, target }: CheckedColumn, value: string): string {
  if (type === 'float') return `${value}::real::text`;
  if (type === 'vector' && target === 'text') return `translate(${value}, '[]', '{}')::real[]::text`;
  return `${value}::text`;
}

/**
 * What a target column of that type should have been given, as input text, for what the source says of the value: written from the
 * mapping that the documentation promises, without the code under test.
 */
export function expectedText(column: CheckedColumn, said: string | null): string | null {
  if (said === null) return null;
  const { type, target } = column;
  if (type === 'bit') return expectedBits(said, target);
  if (type === 'vector') return expectedVector(Buffer.from(said, 'hex'), target);
  if (BYTES.has(type)) return expectedBytes(Buffer.from(said, 'hex'), target);
  if (target === 'bytea') return `\\x${said}`;
  if (SHAPES.has(type)) return extendedWkb(said);
  if (target === 'boolean') return said === '0' ? 'f' : 't';
  switch (type) {
    case 'date':
    case 'datetime':
    case 'timestamp':
      if (target === 'text') return said;
      if (!isDate(said)) return null;
      return target.startsWith('timestamp with time zone') ? `${said}+00` : said;
    case 'set':
      if (!target.endsWith('[]')) return said;
      return `{${said === '' ? '' : said.split(',').map(element).join(',')}}`;
    default:
      return said;
  }
}

function element(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function expectedBits(digits: string, target: string): string {
  if (target === 'boolean') return digits.includes('1') ? 't' : 'f';
  if (isNumber(target)) return BigInt(`0b${digits}`).toString();
  if (target !== 'bytea') return digits;
  const bytes = Math.ceil(digits.length / 8);
  return `\\x${BigInt(`0b${digits}`)
    .toString(16)
    .padStart(bytes * 2, '0')}`;
}

function expectedBytes(bytes: Buffer, target: string): string {
  switch (target) {
    case 'uuid':
      return bytes.toString('hex');
    case 'boolean':
      return bytes.equals(Buffer.of(1)) || bytes.equals(Buffer.from('1')) ? 't' : 'f';
    case 'text':
      return bytes.toString();
    default:
      return `\\x${bytes.toString('hex')}`;
  }
}

function expectedVector(bytes: Buffer, target: string): string {
  if (target === 'bytea') return `\\x${bytes.toString('hex')}`;
  const numbers = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
  return target.endsWith('[]') ? `{${numbers.join(',')}}` : `[${numbers.join(',')}]`;
}

/** `SRID WKB-in-hex` as EWKB in hex: the SRID is written behind the type of the outermost shape. */
function extendedWkb(said: string): string {
  const [srid, hex] = said.split(' ');
  if (srid === '0') return hex.toLowerCase();
  const wkb = Buffer.from(hex, 'hex');
  const head = Buffer.alloc(9, 1);
  head.writeUInt32LE((wkb.readUInt32LE(1) | 0x20000000) >>> 0, 1);
  head.writeUInt32LE(Number(srid), 5);
  return Buffer.concat([head, wkb.subarray(5)]).toString('hex');
}

/** Whether targets have such a day: they have neither zeros nor a year 0. */
function isDate(said: string): boolean {
  const [year, month, day] = said.slice(0, 10).split('-').map(Number);
  if (year === 0) return false;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return month > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
