import type { Dialect } from './dialect.ts';

/** A column type for DDL that an operator is asked to run, and what he should know about it. */
export interface ProposedType {
  readonly type: string;
  readonly note: string | undefined;
}

/** PostgreSQL's names (of format_type, without modifiers) and the CockroachDB type that has the same OID. */
const COCKROACHDB: Readonly<Record<string, string>> = {
  smallint: 'INT2',
  integer: 'INT4',
  bigint: 'INT8',
  real: 'FLOAT4',
  'double precision': 'FLOAT8',
  numeric: 'DECIMAL',
  boolean: 'BOOL',
  text: 'STRING',
  'character varying': 'VARCHAR',
  character: 'CHAR',
  bpchar: 'STRING',
  '"char"': '"char"',
  name: 'NAME',
  bytea: 'BYTES',
  uuid: 'UUID',
  json: 'JSONB',
  jsonb: 'JSONB',
  date: 'DATE',
  'time without time zone': 'TIME',
  'time with time zone': 'TIMETZ',
  'timestamp without time zone': 'TIMESTAMP',
  'timestamp with time zone': 'TIMESTAMPTZ',
  interval: 'INTERVAL',
  inet: 'INET',
  bit: 'BIT',
  'bit varying': 'VARBIT',
  oid: 'OID',
  tsvector: 'TSVECTOR',
  tsquery: 'TSQUERY',
  geometry: 'GEOMETRY',
  geography: 'GEOGRAPHY',
  vector: 'VECTOR',
};

/** What PostgreSQL has from extensions only. */
const EXTENSIONS: Readonly<Record<string, string>> = { geometry: 'postgis', geography: 'postgis', vector: 'vector' };

/** Modifiers that mean the same on CockroachDB; interval fields and negative scales do not. */
const KEPT_MODIFIERS = /^\(\d+(,\d+)?\)$/;

const ONLY_POSTGRESQL = new Set([
  ...['money', 'xml', 'cidr', 'macaddr', 'macaddr8', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'],
  ...['pg_lsn', 'jsonpath', 'txid_snapshot', 'pg_snapshot', 'int4range', 'int8range', 'numrange', 'tsrange'],
  ...['tstzrange', 'daterange', 'int4multirange', 'int8multirange', 'nummultirange', 'tsmultirange'],
  ...['tstzmultirange', 'datemultirange', 'regclass', 'int2vector', 'oidvector', 'xid', 'xid8', 'cid', 'tid'],
]);

/**
 * The target's type for a source type in PostgreSQL's words (`character varying(20)[]`); undefined when the source does
 * not tell. What has no counterpart becomes text, which takes every value.
 */
export function proposeType(sourceType: string | undefined, dialect: Dialect): ProposedType {
  const text = dialect.product === 'cockroachdb' ? 'STRING' : 'text';
  if (sourceType === undefined)
    return { type: text, note: 'the source does not tell the type; text takes every value' };
  const { name, modifiers, array } = parts(sourceType);
  const known = COCKROACHDB[name];
  if (dialect.product === 'postgresql') {
    const extension = EXTENSIONS[name];
    if (extension !== undefined) return { type: sourceType, note: `needs CREATE EXTENSION ${extension} on the target` };
    const builtIn = known !== undefined || ONLY_POSTGRESQL.has(name);
    return {
      type: sourceType,
      note: builtIn ? undefined : `the type ${sourceType.replace(/(\[\])+$/, '')} must exist on the target first`,
    };
  }
  if (known !== undefined) {
    return { type: `${known}${KEPT_MODIFIERS.test(modifiers) ? modifiers : ''}${array}`, note: undefined };
  }
  return {
    type: 'STRING',
    note: `${sourceType} has no counterpart on CockroachDB that is known here; STRING keeps its text`,
  };
}

/** `timestamp(3) with time zone[]` as name `timestamp with time zone`, modifiers `(3)`, array `[]`. */
function parts(type: string): { name: string; modifiers: string; array: string } {
  const element = type.replace(/(\[\])+$/, '');
  const modifiers = /\([^)]*\)/.exec(element)?.[0] ?? '';
  const name = element
    .replace(modifiers, '')
    .replace(/^(interval) .*/, '$1')
    .trim();
  return { name, modifiers, array: element === type ? '' : '[]' };
}
