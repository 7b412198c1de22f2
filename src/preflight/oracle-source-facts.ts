import type { OracleConnectionDescription } from '../config/oracle-connection.ts';
import { close, connect, type OracleConnection, rows } from '../sources/oracle/connection.ts';
import { missingRights, type Right, rightTo } from '../sources/oracle/privileges.ts';
import { readThreads } from '../sources/oracle/log-files.ts';
import { SENTINEL } from '../sources/oracle/sentinel.ts';
import {
  type DatabaseFacts,
  type LogFacts,
  type PlaceFacts,
  type RedoFacts,
  readDatabase,
  readLogs,
  readPlace,
  readRedo,
  readSentinel,
  readVersion,
} from '../sources/oracle/server-facts.ts';
import { type OracleTable, readAllLogged, readTables } from '../sources/oracle/tables.ts';
import { parseTableName } from '../sources/table-name.ts';
import type { ConnectionFacts } from './connection-test.ts';
import { once } from './look.ts';
import type { OracleWishes, SourceWishes } from './source-wishes.ts';
import { Turns } from './turns.ts';

/** Milliseconds that a server gets for one question of a check. */
const ANSWER_TIMEOUT = 15_000;

/** The two connections that Oracle is asked over. */
export interface OracleConnections {
  readonly mining: OracleConnection;
  readonly tables: OracleConnection;
}

/** Connections for the questions of many checks, which take turns on them. */
export class OracleLine extends Turns<OracleConnections> {
  constructor(description: OracleConnectionDescription, pdb: OracleConnectionDescription | undefined) {
    super({
      async open() {
        const extra = { callTimeout: ANSWER_TIMEOUT, action: 'checks' };
        const mining = await connect(description, extra);
        return { mining, tables: pdb === undefined ? mining : await connect(pdb, extra) };
      },
      close({ mining, tables }) {
        void close(mining);
        if (tables !== mining) void close(tables);
      },
    });
  }
}

/** What the checks of an Oracle source know, each fact asked for once. */
export class OracleSourceFacts {
  readonly description: OracleConnectionDescription;
  readonly wishes: SourceWishes;
  readonly oracle: OracleWishes;
  readonly line: OracleLine;
  readonly connection: () => Promise<ConnectionFacts>;
  readonly rights: () => Promise<{ readonly mining: readonly Right[]; readonly tables: readonly Right[] }>;
  readonly version: () => Promise<string>;
  readonly database: () => Promise<DatabaseFacts>;
  readonly place: () => Promise<PlaceFacts>;
  readonly logs: () => Promise<LogFacts>;
  readonly redo: () => Promise<RedoFacts>;
  /** Columns of the sentinel; undefined when it is not there. */
  readonly sentinel: () => Promise<readonly string[] | undefined>;
  /** Names of tables of which all columns are logged. */
  readonly allLogged: () => Promise<ReadonlySet<string>>;
  /** Those that would be sent, as far as the user can see them. */
  readonly tables: () => Promise<readonly OracleTable[]>;

  constructor(description: OracleConnectionDescription, wishes: SourceWishes) {
    this.description = description;
    this.wishes = wishes;
    // By default the user's own tables: capitals, as Oracle folds names.
    this.oracle = wishes.oracle ?? { schema: description.user.toUpperCase() };
    const { schema } = this.oracle;
    const pdb = this.oracle.pdb ?? description.pdb;
    this.line = new OracleLine(description, pdb);
    this.connection = once(() => this.line.ask(({ mining }) => describeOracle(mining, description)));
    this.rights = once(() =>
      this.line.ask(async ({ mining, tables }) => {
        const ofMining = await missingRights(mining, { side: 'mining' });
        const told = !ofMining.some(({ name }) => name === rightTo('V$THREAD'));
        const threads = told ? await readThreads(mining) : [];
        const sentinel = (await readSentinel(tables, schema)) === undefined ? undefined : schema;
        const cluster = threads.filter(({ open }) => open).length > 1;
        return { mining: ofMining, tables: await missingRights(tables, { side: 'tables', sentinel, cluster }) };
      }),
    );
    this.version = once(() => this.line.ask(({ mining }) => readVersion(mining)));
    this.database = once(() => this.line.ask(({ mining }) => readDatabase(mining)));
    this.place = once(() => this.line.ask(({ tables }) => readPlace(tables)));
    this.logs = once(() => this.line.ask(({ mining }) => readLogs(mining)));
    this.redo = once(() => this.line.ask(({ mining }) => readRedo(mining)));
    this.sentinel = once(() => this.line.ask(({ tables }) => readSentinel(tables, schema)));
    this.allLogged = once(() => this.line.ask(({ tables }) => readAllLogged(tables, schema)));
    this.tables = once(async () => {
      const all = await this.line.ask(({ tables }) => readTables(tables, schema));
      const wanted = wishes.tables ?? 'all';
      const names = wanted === 'all' ? undefined : new Set(wanted.map((text) => parseTableName(text).name));
      return all.filter(({ name }) => name !== SENTINEL && (names === undefined || names.has(name)));
    });
  }

  /** The user of the connection to the tables. */
  get tablesUser(): string {
    return (this.oracle.pdb ?? this.description.pdb ?? this.description).user;
  }

  close(): void {
    this.line.close();
  }
}

export const WHO = `SELECT SYS_CONTEXT('USERENV', 'SESSION_USER'), SYS_CONTEXT('USERENV', 'CON_NAME') FROM DUAL`;

async function describeOracle(
  connection: OracleConnection,
  { encrypted }: OracleConnectionDescription,
): Promise<ConnectionFacts> {
  const started = performance.now();
  const [[user, container]] = await rows<readonly [string, string]>(connection, WHO);
  return {
    product: 'oracle',
    version: connection.oracleServerVersionString ?? '',
    database: container,
    user,
    encrypted,
    latency: performance.now() - started,
  };
}

/** Connects, to the pluggable database too where one is named, asks who is there, and closes again. @throws OperatorError ORACLE_… */
export async function testOracleConnection(description: OracleConnectionDescription): Promise<ConnectionFacts> {
  const facts = await testOne(description);
  if (description.pdb === undefined) return facts;
  const { database } = await testOne(description.pdb);
  return { ...facts, database: `${facts.database} and ${database}` };
}

async function testOne(description: OracleConnectionDescription): Promise<ConnectionFacts> {
  const connection = await connect(description, { callTimeout: ANSWER_TIMEOUT, action: 'connection test' });
  try {
    return await describeOracle(connection, description);
  } finally {
    await close(connection);
  }
}
