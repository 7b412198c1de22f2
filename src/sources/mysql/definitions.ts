import { type Connection, close } from './connection.ts';
import { readDefinitions } from './table-catalogue.ts';
import type { TableDefinition } from './table-definition.ts';

export type { ColumnDefinition } from './column-definition.ts';
export { isNewerThan, type LoggedColumn, misfit, type TableDefinition } from './table-definition.ts';

/** Definitions of the source's tables, read from its catalogue when they are asked for and kept until they are invalidated. */
export class Definitions {
  readonly #open: () => Promise<Connection>;
  readonly #known = new Map<string, TableDefinition>();

  /** @param open connects to the source, with the time zone UTC; the connection is closed after each look */
  constructor(open: () => Promise<Connection>) {
    this.#open = open;
  }

  /** What was read of a table and not invalidated since. */
  get(database: string, table: string): TableDefinition | undefined {
    return this.#known.get(keyOf(database, table));
  }

  /** Reads a table anew; undefined when it is not there, or the user may not see it. */
  async read(database: string, table: string): Promise<TableDefinition | undefined> {
    const [definition] = await this.#look(database, table);
    return definition;
  }

  /** Reads all tables of a database, or of all databases but the system's. */
  readAll(database: string | undefined): Promise<TableDefinition[]> {
    return this.#look(database, undefined);
  }

  /** Forgets a table, all tables of a database, or everything. */
  invalidate(database?: string, table?: string): void {
    if (database !== undefined && table !== undefined) {
      this.#known.delete(keyOf(database, table));
      return;
    }
    for (const [key, definition] of this.#known) {
      if (database === undefined || definition.database === database) this.#known.delete(key);
    }
  }

  async #look(database: string | undefined, table: string | undefined): Promise<TableDefinition[]> {
    const connection = await this.#open();
    try {
      const definitions = await readDefinitions(connection, database, table);
      for (const definition of definitions) this.#known.set(keyOf(definition.database, definition.name), definition);
      return definitions;
    } finally {
      close(connection);
    }
  }
}

function keyOf(database: string, table: string): string {
  return JSON.stringify([database, table]);
}
