import type { TargetKind } from '../changes/table.ts';
import { kindOfType } from './column-kinds.ts';
import { quoteIdentifier } from './identifiers.ts';

/** A type as pg_catalog describes it; every value is text, booleans are `true` and `false`. */
export interface TypeRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** pg_type.typtype: b(ase), c(omposite), d(omain), e(num), r(ange), m(ultirange). */
  readonly kind: string;
  /** pg_type.typcategory: `A` for arrays. */
  readonly category: string;
  /** Between the elements of an array of this type. */
  readonly delimiter: string;
  /** Whether an array type over this type exists. */
  readonly has_array: string;
  /** Of a domain: the type it restricts. */
  readonly base: string;
  readonly not_null: string;
  readonly has_default: string;
  /** Of an array: its element. */
  readonly element_schema: string | null;
  readonly element_name: string | null;
  readonly element_kind: string | null;
}

/** How values of a column's type are written; the fields are explained at TargetColumn. */
export interface ColumnType {
  readonly castType: string;
  readonly arrayBindable: boolean;
  readonly unquoted: boolean;
  readonly kind: TargetKind;
  readonly array: boolean;
}

const POSTGRESQL_UNQUOTED = new Set(['int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool', 'uuid']);

const COCKROACHDB_UNQUOTED = new Set(['INT2', 'INT4', 'INT8', 'OID', 'FLOAT4', 'FLOAT8', 'DECIMAL', 'BOOL', 'UUID']);

/** Types whose arrays CockroachDB takes as bound text without doubt; everything else is cast element by element. */
const COCKROACHDB_BINDABLE = new Set([
  ...['INT2', 'INT4', 'INT8', 'FLOAT4', 'FLOAT8', 'DECIMAL', 'BOOL', 'UUID'],
  ...['STRING', 'VARCHAR', 'DATE', 'TIMESTAMP', 'TIMESTAMPTZ'],
]);

/** Types whose bare name means length one on CockroachDB, and their equal without a length. */
const COCKROACHDB_LENGTHLESS: Readonly<Record<string, string>> = { CHAR: 'STRING', BPCHAR: 'STRING', BIT: 'VARBIT' };

/**
 * On PostgreSQL a quoted name never gets an implied length (`pg_catalog."bit"` is any bit string, `bit` is one bit). A
 * domain stands for its base type: a cast to the domain would apply its length and cut, where the assignment to the
 * column refuses.
 */
export function postgresqlColumnType(oid: string, types: ReadonlyMap<string, TypeRow>): ColumnType {
  const type = types.get(oid);
  if (type === undefined) throw new Error(`the catalogue has no type ${oid}`);
  if (type.kind === 'd') return postgresqlColumnType(type.base, types);
  return {
    castType: `${type.schema === 'pg_catalog' ? 'pg_catalog' : quoteIdentifier(type.schema)}.${quoteIdentifier(type.name)}`,
    arrayBindable:
      (type.kind === 'b' || type.kind === 'e') &&
      type.category !== 'A' &&
      type.delimiter === ',' &&
      type.has_array === 'true',
    unquoted: type.schema === 'pg_catalog' && POSTGRESQL_UNQUOTED.has(type.name),
    ...holds(type),
  };
}

/** What values of a type hold; a domain over an array's elements is not looked through. */
function holds(type: TypeRow): Pick<ColumnType, 'kind' | 'array'> {
  const array = type.category === 'A';
  const [name, kind] = array ? [type.element_name, type.element_kind] : [type.name, type.kind];
  return { kind: kind === 'e' ? 'enum' : kindOfType(name ?? ''), array };
}

/** True when a domain on the way from `oid` to its base type refuses NULL, or gives a default, as `property` says. */
export function domainHas(
  property: 'not_null' | 'has_default',
  oid: string,
  types: ReadonlyMap<string, TypeRow>,
): boolean {
  let type = types.get(oid);
  while (type?.kind === 'd') {
    if (type[property] === 'true') return true;
    type = types.get(type.base);
  }
  return false;
}

/**
 * On CockroachDB `nativeType` is the column's type as the server writes it (`VARCHAR(20)`, `DECIMAL(10,2)[]`). Types of the
 * user's own go by their three-part name, because a two-part one may mean another database.
 */
export function cockroachdbColumnType(type: TypeRow | undefined, nativeType: string, database: string): ColumnType {
  const inDatabase = (schema: string, name: string) =>
    `${quoteIdentifier(database)}.${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  if (type?.kind === 'e' || type?.kind === 'c') {
    const castType = inDatabase(type.schema, type.name);
    return {
      castType,
      arrayBindable: false,
      unquoted: false,
      kind: type.kind === 'e' ? 'enum' : 'other',
      array: false,
    };
  }
  if ((type?.element_kind === 'e' || type?.element_kind === 'c') && type.element_schema && type.element_name) {
    return {
      castType: `${inDatabase(type.element_schema, type.element_name)}[]`,
      arrayBindable: false,
      unquoted: false,
      kind: type.element_kind === 'e' ? 'enum' : 'other',
      array: true,
    };
  }
  const withoutLength = nativeType.replace(/\([^)]*\)/, '').trim();
  const [, name, rest] = /^("char"|\w+)(.*)$/s.exec(withoutLength) ?? ['', withoutLength, ''];
  const castType = `${COCKROACHDB_LENGTHLESS[name] ?? name}${rest}`;
  return {
    castType,
    arrayBindable: COCKROACHDB_BINDABLE.has(castType),
    unquoted: COCKROACHDB_UNQUOTED.has(castType),
    kind: kindOfType(name),
    array: rest.endsWith('[]'),
  };
}
