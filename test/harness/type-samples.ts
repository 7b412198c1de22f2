/** A column type and values of it. */
export interface TypeSample {
  /** What stands behind the column's name in DDL. */
  readonly type: string;
  /** Values as input text; null is SQL NULL. */
  readonly values: readonly (string | null)[];
  /** The type orders its values, so it can be a primary key. */
  readonly key?: boolean;
  /** First major version of source and target that knows the type or these values. */
  readonly since?: number;
  /** Extension that brings the type. */
  readonly extension?: string;
}

/** The user-defined types that the samples use. */
export const SAMPLE_TYPES = `
  create type mood as enum ('sad', 'it''s "ok", {really}', 'happy \\ ok', 'ünïcode', '');
  create type "Weird Type" as enum ('a', 'B');
  create type pair as (a integer, b text);
  create type nested as ("first" pair, "list" integer[], "when" timestamptz);
  create domain positive as integer check (value > 0);
  create domain short_text as text check (length(value) < 10);
  create domain grades as integer[];
  create type text_range as range (subtype = text);
`;

/** Strings that have broken a replicator somewhere. */
const TEXTS: readonly string[] = [
  '',
  ' ',
  'NULL',
  'null',
  '\\N',
  '\\.',
  '\\',
  '\\\\',
  'a\tb',
  'a\nb',
  'a\r\nb\r',
  '\n',
  'trailing newline\n',
  "it's",
  '"quoted"',
  '{a,b}',
  '(a,b)',
  ',',
  '$1 $$ $tag$',
  '--; drop table x; /*',
  '\u0001\u0002\u0007\b\v\f\u001b\u007f',
  'ünïcödé ÿ',
  'e\u0301 combining',
  '漢字かな',
  '😀👩‍👩‍👧',
  '\ufeffbyte order mark',
  'line\u2028separator',
  'x'.repeat(3000),
  'ü'.repeat(1500),
];

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join('');

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const arrayOf = (values: readonly (string | null)[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join(',')}}`;

const NUMBERS: readonly TypeSample[] = [
  { type: 'smallint', key: true, values: ['-32768', '32767', '0', '-1'] },
  { type: 'integer', key: true, values: ['-2147483648', '2147483647', '0'] },
  { type: 'bigint', key: true, values: ['-9223372036854775808', '9223372036854775807', '9007199254740993', '0'] },
  {
    type: 'numeric',
    key: true,
    values: [
      '0',
      '0.000',
      '-0.5',
      '1.10',
      '123456789012345678901234567890.12345678901234567890',
      `1${'0'.repeat(400)}`,
      `0.${'0'.repeat(400)}1`,
      `${'9'.repeat(700)}.${'7'.repeat(250)}`,
      'NaN',
      'Infinity',
      '-Infinity',
    ],
  },
  { type: 'numeric(12,4)', key: true, values: ['0.0000', '99999999.9999', '-1.5000'] },
  {
    type: 'real',
    key: true,
    values: ['0', '-0', '0.1', '3.4028235e+38', '-3.4028235e+38', '1e-45', 'NaN', 'Infinity', '-Infinity'],
  },
  {
    type: 'double precision',
    key: true,
    values: [
      '0',
      '-0',
      '0.1',
      '0.30000000000000004',
      '1.7976931348623157e+308',
      '5e-324',
      '2.2250738585072014e-308',
      '9007199254740993',
      'NaN',
      'Infinity',
      '-Infinity',
    ],
  },
  { type: 'money', key: true, values: ['0', '-92233720368547758.08', '92233720368547758.07', '1234.5'] },
  { type: 'oid', key: true, values: ['0', '1', '4294967295'] },
  { type: 'xid8', key: true, values: ['0', '18446744073709551615'] },
  { type: 'xid', values: ['0', '4294967295'] },
  { type: 'tid', key: true, values: ['(0,1)', '(4294967295,65535)'] },
  { type: 'pg_lsn', key: true, values: ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF'] },
  { type: 'pg_snapshot', values: ['10:20:10,14,15', '1:1:'] },
  { type: 'regclass', values: ['pg_class', 'pg_catalog.pg_type'] },
  { type: 'regtype', values: ['integer', 'timestamp with time zone'] },
];

const STRINGS: readonly TypeSample[] = [
  { type: 'boolean', key: true, values: ['true', 'false'] },
  { type: 'text', key: true, values: TEXTS },
  { type: 'varchar', key: true, values: TEXTS },
  { type: 'varchar(7)', key: true, values: ['', 'ü', '1234567', '       ', 'a  '] },
  { type: 'char(6)', key: true, values: ['', 'a', ' a', 'abcdef', 'üüü', '\t'] },
  { type: 'char(1)', key: true, values: ['x', '', '\\', '"'] },
  { type: '"char"', key: true, values: ['a', '', '\\', "'", '"', '{'] },
  { type: 'name', key: true, values: ['', 'a name', 'quo"te', 'x'.repeat(63)] },
  { type: 'citext', key: true, extension: 'citext', values: ['', 'Abc', 'ÄÖ', 'def'] },
  { type: 'text collate "C"', key: true, values: ['a', 'B', 'ä'] },
  { type: 'short_text', key: true, values: ['', 'a"b', '\\N', 'NULL'] },
  { type: 'mood', key: true, values: ['sad', 'it\'s "ok", {really}', 'happy \\ ok', 'ünïcode', ''] },
  { type: '"Weird Type"', key: true, values: ['a', 'B'] },
  {
    type: 'bytea',
    key: true,
    values: ['\\x', '\\x00', `\\x${ALL_BYTES}`, '\\x5c', '\\x5c30', `\\x${ALL_BYTES.repeat(20)}`],
  },
  { type: 'uuid', key: true, values: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-fffffffffffF'] },
  {
    type: 'json',
    values: [
      'null',
      '{ "b" :1,\n\t"a": [ 1, 2 ], "b":2 }',
      '"\\u00e9\\n\\\\"',
      '1e400',
      '[]',
      '{"a":"NULL","\\"":"\\\\N"}',
      `[${'"x", '.repeat(1000)}null]`,
    ],
  },
  {
    type: 'jsonb',
    key: true,
    values: [
      'null',
      '{"b": 1, "a": [1, 2, {"c": null}]}',
      '"é\\n\\\\"',
      '123456789012345678901234567890.10',
      '[]',
      '{"\\"":"\\\\N"}',
    ],
  },
  { type: 'jsonpath', values: ['$."a"[*] ? (@."b" > 1)', '$'] },
  { type: 'tsvector', key: true, values: ['', "'a':1A,2B 'it''s':3 'sp ace':4", "'\\\\':1"] },
  { type: 'tsquery', key: true, values: ["'a' & !'b' | 'c':*", "'it''s' <-> 'sp ace'"] },
  { type: 'xml', values: ['<a b="c">d &amp; <e/>\n</a>', 'plain'] },
  {
    type: 'hstore',
    key: true,
    extension: 'hstore',
    values: ['', '"a"=>"b", "n"=>NULL', '"q\\"uo"=>"\\\\N", "NULL"=>"NULL"'],
  },
];

const TIMES: readonly TypeSample[] = [
  {
    type: 'date',
    key: true,
    values: ['2024-02-29', '0001-01-01 BC', '4713-01-01 BC', '5874897-12-31', 'infinity', '-infinity', '1969-12-31'],
  },
  { type: 'time', key: true, values: ['00:00', '24:00:00', '23:59:59.999999', '12:30:00.1'] },
  { type: 'time(0)', key: true, values: ['00:00', '12:30:01'] },
  { type: 'timetz', key: true, values: ['12:00:00+15:59', '00:00:00-15:59:59', '23:59:59.999999+00', '24:00:00-12'] },
  {
    type: 'timestamp',
    key: true,
    values: [
      '2024-01-02 03:04:05.678901',
      '4713-01-01 00:00:00 BC',
      '0044-03-15 12:00:00 BC',
      '294276-12-31 23:59:59.999999',
      'infinity',
      '-infinity',
      '10000-01-01 00:00:00',
    ],
  },
  {
    type: 'timestamptz',
    key: true,
    values: [
      '2024-01-02 03:04:05.678901+05:30',
      '1883-11-18 12:03:57-04:56:02',
      '4713-01-01 00:00:00+00 BC',
      '294276-12-31 23:59:59.999999+00',
      '2024-10-27 01:30:00+00',
      'infinity',
      '-infinity',
    ],
  },
  { type: 'timestamptz(3)', key: true, values: ['2024-01-02 03:04:05.678+00', 'epoch'] },
  {
    type: 'interval',
    key: true,
    values: [
      '0',
      '1 year 2 mons 3 days 04:05:06.789',
      '-1 year -2 mons +3 days -04:05:06.789',
      '178000000 years',
      '-178000000 years',
      '-00:00:00.000001',
      '1 mon -1 day',
      '2147483647 days',
      '00:00:59.999999',
    ],
  },
  { type: 'interval', key: true, since: 17, values: ['infinity', '-infinity'] },
  { type: 'interval day to second(2)', key: true, values: ['3 days 04:05:06.78'] },
];

const NETWORK_AND_BITS: readonly TypeSample[] = [
  {
    type: 'inet',
    key: true,
    values: ['0.0.0.0', '192.168.1.5/24', '::1', '2001:db8::ff/64', '::ffff:1.2.3.4', '10.0.0.1/32'],
  },
  { type: 'cidr', key: true, values: ['192.168.0.0/16', '2001:db8::/32', '0.0.0.0/0', '10.1.2.3/32'] },
  { type: 'macaddr', key: true, values: ['08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff'] },
  { type: 'macaddr8', key: true, values: ['08:00:2b:01:02:03:04:05', '00:00:00:00:00:00:00:00'] },
  { type: 'bit(1)', key: true, values: ['0', '1'] },
  { type: 'bit(11)', key: true, values: ['00000000000', '10101010101'] },
  { type: 'bit(80)', key: true, values: ['01'.repeat(40)] },
  { type: 'bit varying', key: true, values: ['', '0', '1', '0101', '1'.repeat(200)] },
  { type: 'bit varying(5)', key: true, values: ['', '10101'] },
];

const GEOMETRY: readonly TypeSample[] = [
  { type: 'point', values: ['(0,0)', '(-1.5,1e+300)', '(Infinity,NaN)', '(0.1,5e-324)'] },
  { type: 'line', values: ['{1,2,3}', '{-1,0,0.1}'] },
  { type: 'lseg', values: ['[(0,0),(1,1)]', '[(-1e-300,2),(3,4)]'] },
  { type: 'box', values: ['(1,1),(0,0)', '(2,0.5),(0,0)', '(4,0.25),(0,0)'] },
  { type: 'path', values: ['((0,0),(1,1),(2,0))', '[(0,0),(1,1)]', '[(0.1,0.2)]'] },
  { type: 'polygon', values: ['((0,0),(1,1),(2,0))', '((0,0))'] },
  { type: 'circle', values: ['<(0,0),1>', '<(-1.5,2.5),0>', '<(0.1,0.2),1e+10>'] },
];

const RANGES: readonly TypeSample[] = [
  { type: 'int4range', key: true, values: ['empty', '[1,5)', '(,5)', '[1,)', '(,)'] },
  { type: 'int8range', key: true, values: ['empty', '[-9223372036854775808,9223372036854775807)'] },
  { type: 'numrange', key: true, values: ['empty', '[1.10,2.20]', '(1.1,2.2)', '(,NaN]'] },
  { type: 'daterange', key: true, values: ['[2024-01-01,2024-02-01)', '[-infinity,infinity)'] },
  { type: 'tsrange', key: true, values: ['["2024-01-01 00:00:00","2024-01-02 00:00:00"]', '(,"2024-01-01 12:00:00")'] },
  { type: 'tstzrange', key: true, values: ['["2024-01-01 00:00:00+00","2024-01-02 00:00:00+05:30")', '[,)'] },
  { type: 'text_range', key: true, values: ['empty', '["a,b","c\\"d")', '["","\\\\N"]', '(a,"z z"]'] },
  { type: 'int4multirange', key: true, values: ['{}', '{[1,3),[5,9)}', '{(,)}'] },
  { type: 'tstzmultirange', key: true, values: ['{["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")}'] },
  { type: 'text_multirange', key: true, values: ['{["a,b","c}d"),["x\\"y",z]}'] },
];

const COMPOSITES: readonly TypeSample[] = [
  { type: 'pair', key: true, values: ['(,)', '(1,)', '(1,"")', '(-5,"a ""q"" \\\\ , ) (")', '(7,NULL)', '(8,"\t\n")'] },
  { type: 'nested', key: true, values: ['(,,)', '("(1,""x y"")","{1,NULL}","2024-01-02 03:04:05+00")', '("(,)",{},)'] },
  { type: 'positive', key: true, values: ['1', '2147483647'] },
  { type: 'grades', key: true, values: ['{}', '{1,2,NULL}'] },
];

const ARRAYS: readonly TypeSample[] = [
  {
    type: 'integer[]',
    key: true,
    values: [
      '{}',
      '{NULL}',
      '{1,NULL,-3}',
      '{{1,2},{3,4}}',
      '[0:2]={1,2,3}',
      '[-1:0][2:3]={{1,2},{3,4}}',
      '{{{1}},{{2}}}',
    ],
  },
  { type: 'bigint[]', key: true, values: ['{}', '{9223372036854775807}'] },
  {
    type: 'text[]',
    key: true,
    values: ['{}', '{""}', '{{a,NULL},{"NULL",""}}', arrayOf([...TEXTS.slice(0, 27), null])],
  },
  { type: 'varchar(9)[]', key: true, values: ['{a," b "}'] },
  { type: 'char(3)[]', key: true, values: ['{a,"","b b"}'] },
  { type: 'boolean[]', key: true, values: ['{t,f,NULL}', '{{t},{f}}'] },
  { type: 'numeric[]', key: true, values: ['{NaN,1.10,NULL,-Infinity}', `{1${'0'.repeat(100)}}`] },
  { type: 'double precision[]', key: true, values: ['{-0,NaN,Infinity,5e-324}'] },
  { type: 'bytea[]', key: true, values: [`{"\\\\x","\\\\x${ALL_BYTES}",NULL}`] },
  { type: 'json[]', values: [arrayOf(['{ "a" : "b\\"c" }', 'null', null])] },
  { type: 'jsonb[]', key: true, values: [arrayOf(['{"a": "b\\"c"}', 'null', null])] },
  { type: 'uuid[]', key: true, values: ['{00000000-0000-0000-0000-000000000000,NULL}'] },
  { type: 'date[]', key: true, values: ['{2024-01-01,infinity,"0001-01-01 BC"}'] },
  { type: 'timestamptz[]', key: true, values: ['{"2024-01-02 03:04:05+00",infinity,NULL}'] },
  { type: 'interval[]', key: true, values: ['{"1 year 2 mons","-00:00:01"}'] },
  { type: 'inet[]', key: true, values: ['{192.168.0.1/24,::1}'] },
  { type: 'bit varying[]', key: true, values: ['{101,"",NULL}'] },
  { type: 'mood[]', key: true, values: ['{}', arrayOf(['sad', 'it\'s "ok", {really}', 'happy \\ ok', '', null])] },
  { type: 'pair[]', key: true, values: [arrayOf(['(1,"a ""b"" \\\\ c")', '(,)', null])] },
  { type: 'short_text[]', key: true, values: ['{a,"",NULL}'] },
  { type: 'box[]', values: ['{(1,1),(0,0);(3,3),(2,2);NULL}', '{}'] },
  { type: 'point[]', values: ['{"(0,0)","(1.5,-2)",NULL}'] },
  { type: 'int4range[]', key: true, values: ['{"[1,5)",empty,NULL}'] },
  { type: 'tsvector[]', key: true, values: [arrayOf(["'a':1", ''])] },
  { type: 'hstore[]', key: true, extension: 'hstore', values: [arrayOf(['"a"=>"b"', '"n"=>NULL', null])] },
];

/** Samples by family, so that a failing test tells where to look. */
export const TYPE_FAMILIES: Readonly<Record<string, readonly TypeSample[]>> = {
  numbers: NUMBERS,
  'strings and documents': STRINGS,
  'dates, times and intervals': TIMES,
  'network addresses and bits': NETWORK_AND_BITS,
  geometry: GEOMETRY,
  'ranges and multiranges': RANGES,
  'composites and domains': COMPOSITES,
  arrays: ARRAYS,
};
