import type { MysqlConnectionDescription } from '../config/mysql-connection.ts';
import { type KnownReplica, readReplicas } from '../sources/mysql/replicas.ts';
import { readServer, type ServerFacts } from '../sources/mysql/server-facts.ts';
import { checkStartSet, type StartSetVerdict } from '../sources/mysql/setup.ts';
import {
  type CascadingKey,
  type MysqlTableName,
  readCascades,
  readTables,
  type TableFacts,
} from '../sources/mysql/tables.ts';
import { parseTableName } from '../sources/table-name.ts';
import type { ConnectionFacts } from './connection-test.ts';
import { once } from './look.ts';
import { describeMysql, MysqlLine } from './mysql-connection-test.ts';
import type { SourceWishes } from './source-wishes.ts';

/** What the checks of a MySQL or MariaDB source know, each fact asked for once. */
export class MysqlSourceFacts {
  readonly description: MysqlConnectionDescription;
  readonly wishes: SourceWishes;
  readonly line: MysqlLine;
  /** The database that is replicated; undefined for all. */
  readonly database: string | undefined;
  readonly connection: () => Promise<ConnectionFacts>;
  readonly server: () => Promise<ServerFacts>;
  /** Undefined: this user may not see them. */
  readonly replicas: () => Promise<readonly KnownReplica[] | undefined>;
  /** Those that would be sent, as far as the user can see them. */
  readonly tables: () => Promise<readonly TableFacts[]>;
  readonly cascades: () => Promise<readonly CascadingKey[]>;
  readonly start: () => Promise<StartSetVerdict>;

  constructor(description: MysqlConnectionDescription, wishes: SourceWishes) {
    this.description = description;
    this.wishes = wishes;
    this.line = new MysqlLine(description);
    this.database = wishes.allDatabases === true ? undefined : description.database;
    this.connection = once(() => this.line.ask(describeMysql));
    this.server = once(() => this.line.ask(readServer));
    this.replicas = once(() => this.line.ask(readReplicas));
    this.tables = once(async () => {
      const all = await this.line.ask((connection) => readTables(connection, this.database));
      return all.filter((table) => isWanted(table, wishes.tables ?? 'all'));
    });
    this.cascades = once(async () => {
      const all = await this.line.ask((connection) => readCascades(connection, this.database));
      return all.filter((table) => isWanted(table, wishes.tables ?? 'all'));
    });
    this.start = once(() =>
      this.line.ask((connection) => checkStartSet(connection, wishes.startSet ?? '', this.database)),
    );
  }

  close(): void {
    this.line.close();
  }
}

/** The names of `tables`, the database as schema. @throws UsageError for a name that is none. */
export function wantedTables(tables: 'all' | readonly string[]): 'all' | MysqlTableName[] {
  if (tables === 'all') return 'all';
  return tables.map((text) => {
    const { schema, name } = parseTableName(text);
    return { database: schema, name };
  });
}

function isWanted(table: MysqlTableName, tables: 'all' | readonly string[]): boolean {
  const wanted = wantedTables(tables);
  return wanted === 'all' || wanted.some(({ database, name }) => database === table.database && name === table.name);
}
