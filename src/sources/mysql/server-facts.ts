import type { Connection } from './connection.ts';
import { failureOf } from './connection-errors.ts';
import { parseServerVersion, type ServerVersion } from './flavour.ts';
import { type Grants, readGrants } from './grants.ts';

/** Services whose settings are not changed by SQL. */
export type Provider = 'rds' | 'cloudsql';

/** Whether the server is a replica of another; `unknown` when the user may not ask. */
export type ReplicaState = 'yes' | 'no' | 'unknown';

/** What SHOW BINARY LOG STATUS (once SHOW MASTER STATUS) prints, column by column. */
export interface BinlogStatus {
  readonly statement: string;
  readonly columns: readonly (readonly [name: string, value: string])[];
}

/** What a MySQL or MariaDB server and the connected user are, as far as replicating from there is concerned. */
export interface ServerFacts {
  readonly version: ServerVersion;
  /** Global variables, in lower case; those that the server does not have are left out. */
  readonly variables: ReadonlyMap<string, string>;
  /** Undefined: the user may not see it, or there is no binary log. */
  readonly status: BinlogStatus | undefined;
  readonly replica: ReplicaState;
  readonly grants: Grants;
  readonly provider: Provider | null;
}

const VARIABLES = [
  'basedir',
  'binlog_expire_logs_auto_purge',
  'binlog_expire_logs_seconds',
  'binlog_format',
  'binlog_row_image',
  'binlog_row_metadata',
  'binlog_row_value_options',
  'enforce_gtid_consistency',
  'expire_logs_days',
  'gtid_domain_id',
  'gtid_mode',
  'hostname',
  'innodb_native_foreign_keys',
  'log_bin',
  'log_replica_updates',
  'log_slave_updates',
  'lower_case_table_names',
  'max_binlog_total_size',
  'binlog_space_limit',
  'server_id',
  'server_uuid',
];

/** The statement's two names; the server knows at least one, from MySQL 8.2 on the first, before and MariaDB the second. */
const STATUS_STATEMENTS = ['SHOW BINARY LOG STATUS', 'SHOW MASTER STATUS'] as const;
const REPLICA_STATEMENTS = ['SHOW REPLICA STATUS', 'SHOW SLAVE STATUS'] as const;

const SYNTAX_ERROR = 1064;
const DENIED = 1227;

/** Asks a server for them. Needs no privilege; what the user may not see is left out. */
export async function readServer(connection: Connection): Promise<ServerFacts> {
  const rows = await select<{ version: string }>(connection, 'SELECT @@version AS version');
  const version = parseServerVersion(rows[0].version);
  const variables = await readVariables(connection);
  return {
    version,
    variables,
    status: await askBinlogStatus(connection),
    replica: await readReplicaState(connection),
    grants: await readGrants(connection),
    provider: providerOf(version, variables),
  };
}

/** The state of the binary log as the server prints it. Undefined when there is none, or the user may not see it. */
export async function askBinlogStatus(connection: Connection): Promise<BinlogStatus | undefined> {
  const answer = await askEither(connection, STATUS_STATEMENTS);
  const row = answer?.rows[0];
  if (answer === undefined || row === undefined) return undefined;
  const columns = Object.entries(row).map(([name, value]) => [name, String(value ?? '')] as const);
  return { statement: answer.statement, columns };
}

/** The value of a column of the status, whatever its name is spelled like. */
export function statusColumn(status: BinlogStatus | undefined, name: string): string | undefined {
  return status?.columns.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
}

/** The value of a variable; of the two names of one setting (`log_replica_updates`, `log_slave_updates`) the first there is. */
export function variable({ variables }: ServerFacts, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = variables.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** True for the ways in which servers print that something is on. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(on|1|yes)$/i.test(value);
}

/** Rows of a question, as objects by column name. */
export async function select<Row>(connection: Connection, sql: string, params: readonly string[] = []): Promise<Row[]> {
  const [rows] = await connection.query(sql, [...params]);
  return rows as Row[];
}

async function readVariables(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const names = VARIABLES.map(() => '?').join(', ');
  const sql = `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`;
  const rows = await select<{ Variable_name: string; Value: string }>(connection, sql, VARIABLES);
  return new Map(rows.map(({ Variable_name, Value }) => [Variable_name.toLowerCase(), Value]));
}

async function readReplicaState(connection: Connection): Promise<ReplicaState> {
  const answer = await askEither(connection, REPLICA_STATEMENTS);
  if (answer === undefined) return 'unknown';
  return answer.rows.length === 0 ? 'no' : 'yes';
}

/** Asks by the first of the statements that the server knows. Undefined when the user may not ask. */
async function askEither(
  connection: Connection,
  statements: readonly string[],
): Promise<{ statement: string; rows: Record<string, unknown>[] } | undefined> {
  for (const statement of statements) {
    try {
      return { statement, rows: await select<Record<string, unknown>>(connection, statement) };
    } catch (error) {
      const { number } = failureOf(error);
      if (number === DENIED) return undefined;
      if (number !== SYNTAX_ERROR) throw error;
    }
  }
  return undefined;
}

function providerOf(version: ServerVersion, variables: ReadonlyMap<string, string>): Provider | null {
  if (variables.get('basedir')?.startsWith('/rdsdbbin') === true) return 'rds';
  return /-google/i.test(version.text) ? 'cloudsql' : null;
}
