import type { MysqlFlavour } from '../servers/mysql.ts';

/** A column type of the source, values of it, and the types of target columns that they are to go to. */
export interface MysqlTypeSample {
  /** What stands behind the column's name in DDL. */
  readonly type: string;
  /** Values as SQL expressions of the source; NULL is added to them. */
  readonly values: readonly string[];
  /** Types of PostgreSQL; the first one is also used where one column is enough. */
  readonly targets: readonly string[];
  /** The type can be a primary key, and so can the first target. */
  readonly key?: boolean;
  /** Some rows are told apart by nothing but this column. Not for targets that know no equality. */
  readonly keyless?: false;
  /** Servers that know the type; all of them unless given. */
  readonly flavours?: readonly MysqlFlavour[];
}

/** Types of the target that the samples use. */
export const TARGET_TYPES = `
  create type mood as enum ('', 'sad', 'it''s "ok", {really}', 'happy \\ ok', 'ünïcode');
`;

const text = (value: string): string => `CONVERT(x'${Buffer.from(value).toString('hex')}' USING utf8mb4)`;
const bytes = (hex: string): string => `x'${hex}'`;

/** Strings that have broken a replicator somewhere. */
const TEXTS = [
  '',
  ' ',
  'NULL',
  '\\N',
  '\\.',
  '\\',
  'a\tb\nc\r\nd',
  "it's",
  '"quoted" `tick`',
  '{a,b}',
  '$1 -- ; /*',
  '\u0001\u0007\b\u001b\u007f',
  'ünïcödé ÿ',
  'e\u0301 combining',
  '漢字かな',
  '😀👩‍👩‍👧',
  '\ufeffbyte order mark',
].map(text);

const LONG_TEXTS = [`REPEAT('x', 255)`, `REPEAT('x', 256)`, `REPEAT('ü', 40000)`];
const ALL_BYTES = bytes(Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(''));
const BYTES = [bytes(''), bytes('00'), bytes('0000ff00'), bytes('ff'), bytes('5c'), bytes('5c78')];

const whole = (type: string, low: string, high: string, target: string, ...others: string[]): MysqlTypeSample => ({
  type,
  key: true,
  values: [low, high, '1', ...(low.startsWith('-') ? ['0', '-1'] : [])],
  targets: [target, 'text', 'numeric', ...others],
});

const NUMBERS: readonly MysqlTypeSample[] = [
  whole('TINYINT', '-128', '127', 'smallint', 'bigint', 'boolean'),
  whole('TINYINT UNSIGNED', '0', '255', 'smallint'),
  whole('SMALLINT', '-32768', '32767', 'smallint', 'boolean'),
  whole('SMALLINT UNSIGNED', '0', '65535', 'integer'),
  whole('MEDIUMINT', '-8388608', '8388607', 'integer', 'double precision'),
  whole('MEDIUMINT UNSIGNED', '0', '16777215', 'integer'),
  whole('INT', '-2147483648', '2147483647', 'integer', 'boolean'),
  whole('INT UNSIGNED', '0', '4294967295', 'bigint'),
  whole('BIGINT', '-9223372036854775808', '9223372036854775807', 'bigint', 'boolean'),
  whole('BIGINT UNSIGNED', '0', '18446744073709551615', 'numeric(20,0)', 'boolean'),
  {
    type: 'BIGINT',
    values: ['9007199254740993', '-9007199254740993', '4294967296', '-4294967297'],
    targets: ['bigint', 'text'],
  },
  { type: 'TINYINT(1)', values: ['0', '1', '2', '-1', '127'], targets: ['boolean', 'smallint', 'text'] },
  { type: 'INT(8) ZEROFILL', values: ['0', '7', '4294967295'], targets: ['bigint', 'numeric'] },
  {
    type: 'DECIMAL(65,30)',
    key: true,
    values: [
      `'99999999999999999999999999999999999.999999999999999999999999999999'`,
      `'-99999999999999999999999999999999999.999999999999999999999999999999'`,
      `'0.000000000000000000000000000001'`,
      `'-0.000000000000000000000000000001'`,
      '0',
      '1000000000.000000001',
    ],
    targets: ['numeric', 'text', 'numeric(65,30)'],
  },
  {
    type: 'DECIMAL(10,0)',
    key: true,
    values: ['9999999999', '-9999999999', '0', '100'],
    targets: ['numeric', 'bigint', 'text'],
  },
  { type: 'DECIMAL(9,9)', values: ['0.999999999', '-0.999999999', '0.000000001'], targets: ['numeric', 'text'] },
  { type: 'DECIMAL(19,4) UNSIGNED', values: [`'123456789012345.6789'`, '0.5', '9.1'], targets: ['numeric', 'text'] },
  { type: 'DECIMAL(12,3) ZEROFILL', values: ['1.5', '0', '999999999.999'], targets: ['numeric'] },
  {
    type: 'FLOAT',
    values: ['1.1', '-1.1', '0', '16777217', '3.4028234e38', '-1.1754944e-38', '1e-45', '123456.7', '1e6', '0.1'],
    targets: ['real', 'text', 'double precision'],
  },
  {
    type: 'DOUBLE',
    values: [
      '0.1',
      '-0.1',
      '1.7976931348623157e308',
      '2.2250738585072014e-308',
      '4.9e-324',
      '9007199254740993',
      '123456789.123456789',
      '1e15',
      '1e-7',
      '0',
    ],
    targets: ['double precision'],
  },
  { type: 'FLOAT(7,3)', values: ['1.234', '9999.999', '-0.001'], targets: ['real'] },
  { type: 'BIT(1)', key: true, values: [`b'0'`, `b'1'`], targets: ['bit(1)', 'boolean', 'smallint', 'bytea'] },
  {
    type: 'BIT(9)',
    key: true,
    values: [`b'0'`, `b'111111111'`, `b'100000001'`],
    targets: ['bit(9)', 'boolean', 'integer', 'bytea', 'text'],
  },
  {
    type: 'BIT(64)',
    key: true,
    values: [`b'0'`, `~0`, `1 << 63`, `1 << 32`],
    targets: ['bit(64)', 'numeric', 'bytea', 'text'],
  },
];

const TIMES: readonly MysqlTypeSample[] = [
  {
    type: 'DATE',
    key: true,
    values: [`'1000-01-01'`, `'9999-12-31'`, `'1970-01-01'`, `'2024-02-29'`, `'0001-01-01'`],
    targets: ['date', 'text', 'timestamp', 'timestamptz'],
  },
  {
    type: 'DATE',
    values: [`'0000-00-00'`, `'2024-00-00'`, `'2024-02-00'`, `'0000-05-05'`, `'2023-02-30'`],
    targets: ['date', 'text', 'timestamp'],
  },
  {
    type: 'DATETIME',
    key: true,
    values: [`'1000-01-01 00:00:00'`, `'9999-12-31 23:59:59'`, `'2024-02-29 12:34:56'`],
    targets: ['timestamp', 'text', 'timestamptz'],
  },
  {
    type: 'DATETIME',
    values: [`'0000-00-00 00:00:00'`, `'2024-00-10 10:20:30'`, `'2023-04-31 10:20:30'`],
    targets: ['timestamp', 'text', 'timestamptz'],
  },
  ...[1, 2, 3, 4, 5, 6].map(
    (digits): MysqlTypeSample => ({
      type: `DATETIME(${digits})`,
      values: [
        `'2024-05-06 07:08:09.${'987654'.slice(0, digits)}'`,
        `'1999-12-31 23:59:59.${'000001'.slice(6 - digits)}'`,
        `'2000-01-01 00:00:00'`,
      ],
      targets: ['timestamp', 'text'],
    }),
  ),
  {
    type: 'TIMESTAMP NULL',
    key: false,
    values: [`'1970-01-01 00:00:01'`, `'2038-01-19 03:14:07'`, `'2024-02-29 12:34:56'`, `'0000-00-00 00:00:00'`],
    targets: ['timestamptz', 'text', 'timestamp'],
  },
  ...[3, 6].map(
    (digits): MysqlTypeSample => ({
      type: `TIMESTAMP(${digits}) NULL`,
      values: [
        `'1970-01-01 00:00:01.${'000001'.slice(6 - digits)}'`,
        `'2038-01-19 03:14:07.${'999999'.slice(0, digits)}'`,
        `'2001-01-01 00:00:00'`,
      ],
      targets: ['timestamptz', 'text'],
    }),
  ),
  {
    type: 'TIME',
    key: true,
    values: [`'-838:59:59'`, `'838:59:59'`, `'00:00:00'`, `'24:00:00'`, `'-00:00:01'`],
    targets: ['interval', 'text'],
  },
  { type: 'TIME', values: [`'00:00:00'`, `'23:59:59'`, `'12:34:56'`, `'24:00:00'`], targets: ['time', 'text'] },
  ...[1, 2, 3, 4, 5, 6].map(
    (digits): MysqlTypeSample => ({
      type: `TIME(${digits})`,
      values: [
        `'-00:00:00.${'500000'.slice(0, digits)}'`,
        `'-838:59:58.${'999999'.slice(0, digits)}'`,
        `'838:59:58.${'000001'.slice(6 - digits)}'`,
        `'-00:00:01.${'000001'.slice(6 - digits)}'`,
        `'12:34:56'`,
      ],
      targets: ['interval', 'text'],
    }),
  ),
  { type: 'YEAR', key: true, values: ['1901', '2155', '2000', `'0000'`], targets: ['smallint', 'text', 'integer'] },
];

const STRINGS: readonly MysqlTypeSample[] = [
  { type: 'VARCHAR(60) CHARACTER SET utf8mb4', values: TEXTS, targets: ['text', 'bytea', 'varchar(60)'] },
  {
    type: 'VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    key: true,
    values: [text(''), text('a'), text('A'), text('ü😀'), text('a\\b')],
    targets: ['text'],
  },
  { type: 'VARCHAR(255) CHARACTER SET latin1', values: [`REPEAT('é', 255)`, `''`, `'€ü'`], targets: ['text', 'bytea'] },
  { type: 'VARCHAR(256) CHARACTER SET latin1', values: [`REPEAT('é', 256)`, `'x'`], targets: ['text'] },
  { type: 'VARCHAR(16000) CHARACTER SET utf8mb4', values: [`REPEAT('😀', 16000)`, `'x'`], targets: ['text'] },
  {
    type: 'CHAR(255) CHARACTER SET utf8mb4',
    values: [...TEXTS, `REPEAT('😀', 255)`, `'  lead and trail  '`],
    targets: ['text', 'bytea'],
  },
  { type: 'CHAR(10) CHARACTER SET ascii', key: true, values: [`'ab'`, `'c'`], targets: ['text'] },
  {
    type: 'CHAR(36) CHARACTER SET ascii',
    values: [`'77263736-7899-11f0-81a5-0242ac120002'`],
    targets: ['uuid', 'text'],
  },
  { type: 'TINYTEXT CHARACTER SET utf8mb4', values: [text('tiny ü'), `''`], targets: ['text', 'bytea'] },
  { type: 'TEXT CHARACTER SET utf8mb4', values: [...TEXTS, `REPEAT('x', 255)`], targets: ['text', 'bytea'] },
  { type: 'MEDIUMTEXT CHARACTER SET utf8mb4', values: LONG_TEXTS, targets: ['text'] },
  { type: 'LONGTEXT CHARACTER SET latin1', values: [`REPEAT('é', 70000)`, `'€'`], targets: ['text', 'bytea'] },
  ...['utf8mb3', 'ucs2', 'utf16', 'utf16le', 'utf32'].map(
    (charset): MysqlTypeSample => ({
      type: `VARCHAR(40) CHARACTER SET ${charset}`,
      values: [
        text('ünïcödé 漢字'),
        `''`,
        `'x'`,
        ...(charset.includes('16') || charset === 'utf32' ? [text('😀')] : []),
      ],
      targets: ['text', 'bytea'],
    }),
  ),
  ...(
    [
      ['cp1251', 'Привет'],
      ['sjis', '漢字かなｱ'],
      ['gbk', '汉字'],
      ['big5', '漢字'],
      ['euckr', '한국어'],
      ['cp850', 'ÄÖÜ▒'],
      ['koi8r', 'Привет'],
      ['tis620', 'ภาษา'],
    ] as const
  ).map(
    ([charset, value]): MysqlTypeSample => ({
      type: `TEXT CHARACTER SET ${charset}`,
      values: [text(value), `''`, `'ascii'`],
      targets: ['text', 'bytea'],
    }),
  ),
  {
    type: `ENUM('sad', 'it''s "ok", {really}', 'happy \\\\ ok', 'ünïcode') CHARACTER SET utf8mb4`,
    key: true,
    values: [`'sad'`, `'it''s "ok", {really}'`, `'happy \\\\ ok'`, `'ünïcode'`, `0`],
    targets: ['mood', 'text', 'smallint', 'bytea'],
  },
  {
    type: `ENUM(${Array.from({ length: 300 }, (_, i) => `'m${i}'`).join(', ')})`,
    values: [`'m0'`, `'m255'`, `'m299'`],
    targets: ['text', 'integer'],
  },
  {
    type: `SET('a', 'b c', 'it''s', 'ü', '"', '\\\\') CHARACTER SET utf8mb4`,
    values: [`''`, `'a'`, `'a,b c'`, `'it''s,ü,",\\\\'`],
    targets: ['text', 'text[]', 'integer', 'bytea'],
  },
  {
    type: `SET(${Array.from({ length: 64 }, (_, i) => `'s${i}'`).join(', ')})`,
    values: [`'s0'`, `'s63'`, `'s0,s31,s32,s63'`, `''`],
    targets: ['text', 'text[]', 'numeric'],
  },
];

const BINARIES: readonly MysqlTypeSample[] = [
  {
    type: 'BINARY(4)',
    key: true,
    values: [bytes('00000000'), bytes('61000000'), bytes('00006100'), bytes('ffffffff')],
    targets: ['bytea'],
  },
  {
    type: 'BINARY(16)',
    key: true,
    values: [
      bytes('00000000000000000000000000000000'),
      bytes('77263736789911f081a50242ac120000'),
      bytes('ffffffffffffffffffffffffffffffff'),
    ],
    targets: ['uuid', 'bytea'],
  },
  { type: 'BINARY(1)', values: [bytes('00'), bytes('01'), bytes('30'), bytes('31')], targets: ['boolean', 'bytea'] },
  { type: 'BINARY(5)', values: [`'abcde'`, `'12345'`], targets: ['text', 'bytea'] },
  { type: 'BINARY(255)', values: [bytes('ff'.repeat(255)), bytes('01')], targets: ['bytea'] },
  { type: 'VARBINARY(255)', values: [...BYTES, bytes('00'.repeat(255))], targets: ['bytea'] },
  { type: 'VARBINARY(300)', values: [...BYTES, ALL_BYTES], targets: ['bytea'] },
  {
    type: 'VARBINARY(40)',
    key: true,
    values: [bytes(''), bytes('00'), bytes('0000'), bytes('ff')],
    targets: ['bytea'],
  },
  { type: 'VARBINARY(60)', values: [text('ünïcödé 😀'), `''`], targets: ['text', 'bytea'] },
  { type: 'TINYBLOB', values: BYTES, targets: ['bytea'] },
  { type: 'BLOB', values: [...BYTES, ALL_BYTES], targets: ['bytea'] },
  { type: 'BLOB', values: [text('漢字 "text"'), `''`], targets: ['text', 'bytea'] },
  { type: 'MEDIUMBLOB', values: [`REPEAT(x'00ff', 35000)`, bytes('00')], targets: ['bytea'] },
  { type: 'LONGBLOB', values: [`REPEAT(x'5c', 70000)`, bytes('')], targets: ['bytea'] },
];

const MYSQL: readonly MysqlFlavour[] = ['mysql'];
const MARIADB: readonly MysqlFlavour[] = ['mariadb', 'mariadb-11'];

const DOCUMENTS = [
  `'{}'`,
  `'[]'`,
  `'null'`,
  `'true'`,
  `'"text ü😀 \\\\" \\\\n \\\\u0001"'`,
  `'[1, -1, 32767, -32768, 65535, 65536, 4294967295, 4294967296, 9223372036854775807, 18446744073709551615]'`,
  `'[0.1, 1.0, 1e15, 1e20, 1.5e300, -0.5, 100.0]'`,
  `'{"b": 1, "a": {"nested": [1, {"deep": null}]}, "longer": "x", "ü": 2}'`,
];

const JSON_SAMPLES: readonly MysqlTypeSample[] = [
  {
    type: 'JSON',
    keyless: false,
    flavours: MYSQL,
    values: [
      ...DOCUMENTS,
      `JSON_OBJECT('big', REPEAT('x', 70000), 'n', 1)`,
      `JSON_ARRAY(CAST('12.340' AS DECIMAL(10,3)), CAST('2024-02-29' AS DATE), CAST('2024-02-29 01:02:03.456' AS DATETIME(6)), CAST('-12:34:56.7' AS TIME(3)), x'00ff', b'101')`,
    ],
    targets: ['jsonb', 'json', 'text', 'bytea'],
  },
  { type: 'JSON', keyless: false, flavours: MARIADB, values: DOCUMENTS, targets: ['json', 'text', 'bytea', 'jsonb'] },
];

/** MariaDB has no functions that take the order of axes. */
const POINT = `ST_GeomFromText('POINT(1 2)')`;
const SHAPES = [
  POINT,
  `ST_GeomFromText('LINESTRING(0 0, 1.5 -2.25)')`,
  `ST_GeomFromText('POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))')`,
  `ST_GeomFromText('MULTIPOINT(0 0, 1 1)')`,
  `ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))')`,
];

const SPATIAL: readonly MysqlTypeSample[] = [
  { type: 'GEOMETRY', values: SHAPES, targets: ['text', 'bytea'] },
  {
    type: 'GEOMETRY',
    flavours: MYSQL,
    values: [`ST_GeomFromText('POINT(52.5 13.4)', 4326)`],
    targets: ['text', 'bytea'],
  },
  {
    type: 'GEOMETRY',
    flavours: MARIADB,
    values: [`ST_GeomFromText('POINT(13.4 52.5)', 4326)`],
    targets: ['text', 'bytea'],
  },
  { type: 'POINT', values: [POINT], targets: ['text'] },
];

const PRODUCTS: readonly MysqlTypeSample[] = [
  {
    type: 'VECTOR(3)',
    flavours: MYSQL,
    values: [`STRING_TO_VECTOR('[1, -2.5, 0.1]')`, `STRING_TO_VECTOR('[0, 3.4e38, 1e-20]')`],
    targets: ['text', 'real[]', 'bytea'],
  },
  {
    type: 'VECTOR(3)',
    flavours: ['mariadb-11'],
    values: [`VEC_FromText('[1, -2.5, 0.1]')`, `VEC_FromText('[0, 3e38, 1e-20]')`],
    targets: ['text', 'real[]'],
  },
  {
    type: 'UUID',
    key: true,
    flavours: MARIADB,
    values: [
      `'77263736-7899-11f0-81a5-0242ac120002'`,
      `'00000000-0000-0000-0000-000000000000'`,
      `'ffffffff-ffff-ffff-ffff-ffffffffff00'`,
    ],
    targets: ['uuid', 'text'],
  },
  {
    type: 'INET6',
    key: true,
    flavours: MARIADB,
    values: [`'::'`, `'::1'`, `'2001:db8::ff00:42:8329'`, `'::ffff:192.0.2.1'`, `'fe80::'`],
    targets: ['inet', 'text'],
  },
  {
    type: 'INET4',
    flavours: MARIADB,
    values: [`'0.0.0.0'`, `'192.0.2.1'`, `'255.255.255.0'`],
    targets: ['inet', 'text'],
  },
  {
    type: 'TEXT COMPRESSED CHARACTER SET utf8mb4',
    flavours: MARIADB,
    values: [`''`, text('short ü'), `REPEAT('compress me ', 1000)`],
    targets: ['text'],
  },
  {
    type: 'VARCHAR(2000) COMPRESSED CHARACTER SET utf8mb4',
    flavours: MARIADB,
    values: [`''`, text('short ü'), `REPEAT('compress me ', 150)`],
    targets: ['text'],
  },
  { type: 'BLOB COMPRESSED', flavours: MARIADB, values: [`x''`, `x'00ff'`, `REPEAT(x'00', 5000)`], targets: ['bytea'] },
];

const FAMILIES: Readonly<Record<string, readonly MysqlTypeSample[]>> = {
  numbers: NUMBERS,
  'dates and times': TIMES,
  strings: STRINGS,
  bytes: BINARIES,
  JSON: JSON_SAMPLES,
  spatial: SPATIAL,
  "types of one product's own": PRODUCTS,
};

/** Everything that a flavour knows, by family. */
export function samplesOf(flavour: MysqlFlavour): [family: string, samples: MysqlTypeSample[]][] {
  return Object.entries(FAMILIES).map(([family, samples]) => [
    family,
    samples.filter(({ flavours }) => flavours === undefined || flavours.includes(flavour)),
  ]);
}
