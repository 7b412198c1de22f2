import type { Client } from 'pg';

/** Bytes of header that the modifiers of length-limited types include. */
const HEADER = 4;

/** Names of the source's types by object id, so that a Relation message, which holds only ids, can tell its columns' types. */
export class TypeNames {
  readonly #names: ReadonlyMap<number, string>;

  constructor(names: ReadonlyMap<number, string>) {
    this.#names = names;
  }

  /** The type as SQL; undefined for a type that was made after the names were read. */
  describe(type: number, modifier: number): string | undefined {
    const name = this.#names.get(type);
    if (name === undefined || modifier < 0) return name;
    switch (name) {
      case 'character':
      case 'character varying':
        return `${name}(${modifier - HEADER})`;
      case 'numeric':
        return `${name}(${((modifier - HEADER) >> 16) & 0xffff},${(((modifier - HEADER) & 0x7ff) ^ 1024) - 1024})`;
      case 'bit':
      case 'bit varying':
        return `${name}(${modifier})`;
      default:
        return name;
    }
  }
}

/** Reads the names of all types but those of rows. */
export async function readTypeNames(client: Client): Promise<TypeNames> {
  const { rows } = await client.query<{ types: string }>(
    `SELECT coalesce(json_object_agg(oid::bigint, format_type(oid, NULL)), '{}')::text AS types FROM pg_type WHERE typrelid = 0`,
  );
  const types: Record<string, string> = JSON.parse(rows[0].types);
  return new TypeNames(new Map(Object.entries(types).map(([oid, name]) => [Number(oid), name])));
}
