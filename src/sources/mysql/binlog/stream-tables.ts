import type { SourceTable } from '../../../changes/table.ts';
import type { Charsets } from '../charsets.ts';
import type { Definitions, TableDefinition } from '../definitions.ts';
import type { Flavour } from '../flavour.ts';
import { metadataMissing } from '../values/value-errors.ts';
import type { DatabaseFilter } from './database-filter.ts';
import { charsetsOf, describeTable, wantedOfCatalogue } from './described-table.ts';
import { EventBytes } from './event-bytes.ts';
import { EventType, eventName, HEADER } from './event-types.ts';
import { readTableMap, type TableMap } from './table-map.ts';
import { sourceTables, type DecodingContext, TableVersion } from './table-version.ts';
import { type TableVersions, tableKey } from './table-versions.ts';

const NAME = eventName(EventType.TABLE_MAP);

/** What is asked of the catalogue. */
export type Catalogue = Pick<Definitions, 'get' | 'read' | 'invalidate'>;

export interface StreamTablesOptions {
  readonly flavour: Flavour;
  readonly filter: DatabaseFilter;
  readonly versions: TableVersions;
  readonly definitions: Catalogue;
  readonly charsets: Charsets;
  /** The catalogue may be read for names of columns that the log does not tell. */
  readonly fetchMetadata: boolean;
}

/** The tables that the open transaction has described, by the numbers that they go by in it. */
export class StreamTables {
  readonly #options: StreamTablesOptions;
  /** Null for tables that are not replicated. */
  readonly #current = new Map<number, TableVersion | null>();

  constructor(options: StreamTablesOptions) {
    this.#options = options;
  }

  /** Null: it is not replicated; undefined: it was not described. */
  get(id: number): TableVersion | null | undefined {
    return this.#current.get(id);
  }

  /** To be called when a transaction begins: each describes its tables anew. */
  clear(): void {
    this.#current.clear();
  }

  /**
   * Takes a TABLE_MAP event. A promise when the catalogue or a charset has to be asked for first.
   * @param idBytes bytes of the table's number
   */
  describe(buffer: Buffer, start: number, end: number, idBytes: 4 | 6): Promise<void> | undefined {
    const { filter, versions, definitions } = this.#options;
    const at = start + HEADER + idBytes;
    const databaseAt = at + 2;
    if (databaseAt >= end) throw new EventBytes(NAME, buffer, at, end).malformed('it is cut short');
    const id = buffer.readUIntLE(start + HEADER, idBytes);
    const nameAt = databaseAt + buffer[databaseAt] + 2;
    const nameEnd = nameAt < end ? nameAt + buffer[nameAt] + 2 : end + 1;
    if (nameEnd > end) throw new EventBytes(NAME, buffer, at, end).malformed('it is cut short');
    if (!filter.wantsBytes(buffer, databaseAt + 1, nameAt - 1)) {
      this.#current.set(id, null);
      return undefined;
    }
    const key = buffer.toString('latin1', databaseAt, nameEnd);
    const known = versions.get(key);
    if (known?.matches(buffer, at, end)) {
      const { definition } = known;
      if (definition === undefined || definitions.get(definition.database, definition.name) === definition) {
        this.#current.set(id, known.ignored ? null : known);
        return undefined;
      }
    }
    const raw = Buffer.from(buffer.subarray(at, end));
    return this.#describe(id, key, raw, readTableMap(new EventBytes(NAME, raw, 0, raw.length), this.#options.flavour));
  }

  /** The same version of a table with its definition, if the catalogue has one. */
  async withDefinition(id: number, version: TableVersion): Promise<TableVersion> {
    const { versions, definitions } = this.#options;
    const { database, name } = version.described;
    const complete = version.with(definitions.get(database, name) ?? (await definitions.read(database, name)));
    versions.set(tableKey(database, name), complete);
    this.#current.set(id, complete);
    return complete;
  }

  /** A table of which no rows may have come; undefined when the catalogue has none of that name either. */
  async find(database: string, name: string, context: DecodingContext): Promise<SourceTable | undefined> {
    const { versions, definitions } = this.#options;
    const known = versions.get(tableKey(database, name));
    // After an ALTER TABLE the definition was forgotten, and the version may be the one before.
    if (known !== undefined && definitions.get(database, name) !== undefined) return known.table(context);
    const definition = await definitions.read(database, name);
    return definition === undefined ? known?.table(context) : defined(definition, context);
  }

  #describe(id: number, key: string, raw: Buffer, map: TableMap): Promise<void> | undefined {
    const { flavour, definitions, charsets, fetchMetadata } = this.#options;
    const wanted = wantedOfCatalogue(map, flavour);
    let definition = wanted === 'nothing' ? undefined : definitions.get(map.database, map.name);
    const asks = definition === undefined && (wanted === 'all' ? fetchMetadata : wanted === 'types');
    if (wanted === 'all' && !fetchMetadata)
      throw metadataMissing(`table ${map.database}.${map.name}`, 'the names of its columns');
    const build = () => this.#build(id, key, raw, map, definition);
    if (!asks) {
      const wait = this.#prepareCharsets(charsetsOf(map, definition, charsets));
      return wait === undefined ? build() : wait.then(build);
    }
    return (async () => {
      definition = await definitions.read(map.database, map.name);
      await this.#prepareCharsets(charsetsOf(map, definition, charsets));
      build();
    })();
  }

  #build(id: number, key: string, raw: Buffer, map: TableMap, definition: TableDefinition | undefined): undefined {
    const { flavour, versions, charsets } = this.#options;
    const described = describeTable(map, flavour, definition, charsets);
    const version = new TableVersion(
      described,
      definition,
      definition !== undefined,
      map.full ? 'nothing' : 'names',
      raw,
      versions.get(key),
    );
    versions.set(key, version);
    this.#current.set(id, version.ignored ? null : version);
  }

  #prepareCharsets(names: Iterable<string>): Promise<void> | undefined {
    const waits = Array.from(names, (name) => this.#options.charsets.prepare(name)).filter(
      (wait) => wait !== undefined,
    );
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }
}

/** A table that only the catalogue has described. */
function defined({ database, name, columns, primaryKey }: TableDefinition, context: DecodingContext): SourceTable {
  const { whole, visible } = sourceTables({
    database,
    name,
    columns: columns.map(({ column }) => column),
    key: primaryKey.map((key) => columns.findIndex((column) => column.name === key)),
    generatedKey: columns[0].name === 'my_row_id' && columns[0].invisible,
  });
  return context.targetColumns(whole)[0] === undefined ? visible : whole;
}
