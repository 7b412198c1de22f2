import type { TargetKind } from '../changes/table.ts';

/** Type names of pg_catalog and of CockroachDB, in lower case, and what they hold. */
const KINDS: Readonly<Record<string, TargetKind>> = {
  bool: 'bool',
  int2: 'int',
  int4: 'int',
  int8: 'int',
  oid: 'int',
  numeric: 'decimal',
  decimal: 'decimal',
  float4: 'float',
  float8: 'float',
  text: 'string',
  varchar: 'string',
  bpchar: 'string',
  char: 'string',
  name: 'string',
  citext: 'string',
  string: 'string',
  bytea: 'bytes',
  bytes: 'bytes',
  uuid: 'uuid',
  bit: 'bit',
  varbit: 'bit',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  time: 'time',
  timetz: 'timetz',
  interval: 'interval',
  json: 'json',
  jsonb: 'json',
  geometry: 'geometry',
  geography: 'geography',
  inet: 'inet',
  cidr: 'inet',
  vector: 'vector',
};

/** What a type of this name takes; `other` for every type that sources give no special text for. */
export function kindOfType(name: string): TargetKind {
  return KINDS[name.toLowerCase().replaceAll('"', '')] ?? 'other';
}
