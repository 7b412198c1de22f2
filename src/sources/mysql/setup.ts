import { OperatorError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { type Flavour, parseServerVersion } from './flavour.ts';
import { identityOf } from './identity.ts';
import { askBinlogStatus, type BinlogStatus, select, statusColumn } from './server-facts.ts';
import { checkStart } from './start-position.ts';
import type { StartWarning } from './start-question.ts';
import { quotedTable, readTables, rewriteStatement, SYSTEM_DATABASES, type TableFacts } from './tables.ts';

/*
 * What a setup asks of a MySQL or MariaDB source. Nothing is made there: a GTID set is all that a replication begins with.
 */

export type { BinlogStatus } from './server-facts.ts';

/** A database as somebody sees it who chooses what to replicate. */
export interface DatabaseSummary {
  readonly name: string;
  /** Tables that the user can see. */
  readonly tables: number;
  readonly bytes: number;
}

/** A table as somebody sees it who chooses what to replicate. */
export interface TableSummary {
  readonly name: string;
  /** An estimate of the server's. */
  readonly rows: number;
  /** With indexes. */
  readonly bytes: number;
  readonly engine: string;
  readonly key: TableFacts['key'];
  readonly warning?: string;
  /** SQL that mends what `warning` says. */
  readonly fix?: string;
}

/** Where a source's binary log stands. */
export interface BinlogPosition {
  readonly flavour: Flavour;
  /** As the server prints it; undefined when the user may not see it. */
  readonly status: BinlogStatus | undefined;
  /** Everything that the source has committed: a GTID set, or a position of MariaDB. */
  readonly set: string;
}

/** What a set that somebody typed in is good for. */
export type StartSetVerdict =
  | {
      readonly state: 'good';
      /** As the server writes it. */
      readonly set: string;
      readonly warnings: readonly StartWarning[];
      /** What has been committed since, and will be sent: empty when there is nothing. */
      readonly pending: string;
    }
  | { readonly state: 'refused'; readonly error: OperatorError };

/** Engines that do not undo a transaction: their changes are logged statement by statement. */
const NOT_TRANSACTIONAL = new Set(['MYISAM', 'ARIA', 'CSV', 'ARCHIVE', 'MRG_MYISAM']);

/** The databases that the user can see, without the server's own. */
export async function listDatabases(connection: Connection): Promise<DatabaseSummary[]> {
  const rows = await select<{ name: string; n: string | number; bytes: string | number | null }>(
    connection,
    `SELECT s.SCHEMA_NAME AS name, COUNT(t.TABLE_NAME) AS n, SUM(COALESCE(t.DATA_LENGTH, 0) + COALESCE(t.INDEX_LENGTH, 0)) AS bytes
       FROM information_schema.SCHEMATA s
       LEFT JOIN information_schema.TABLES t
         ON t.TABLE_SCHEMA = s.SCHEMA_NAME AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
      WHERE s.SCHEMA_NAME NOT IN (${SYSTEM_DATABASES.map(() => '?').join(', ')})
      GROUP BY s.SCHEMA_NAME ORDER BY s.SCHEMA_NAME`,
    SYSTEM_DATABASES,
  );
  return rows.map(({ name, n, bytes }) => ({ name, tables: Number(n), bytes: Number(bytes ?? 0) }));
}

/** The tables of a database that can be replicated, as far as the user can see them, by name. */
export async function listTables(connection: Connection, database: string): Promise<TableSummary[]> {
  return (await readTables(connection, database)).map(summary);
}

/** Where the binary log stands now, as the server prints it, and as a position to start from. */
export async function readBinlogStatus(connection: Connection): Promise<BinlogPosition> {
  const [{ version }] = await select<{ version: string }>(connection, 'SELECT @@version AS version');
  const { flavour } = parseServerVersion(version);
  const status = await askBinlogStatus(connection);
  const printed = flavour === 'mysql' ? statusColumn(status, 'Executed_Gtid_Set') : undefined;
  return { flavour, status, set: withoutBreaks(printed ?? (await readSet(connection, flavour))) };
}

/** Whether a replication of `database` (undefined: of all) can start from a set that somebody typed in. */
export async function checkStartSet(
  connection: Connection,
  text: string,
  database: string | undefined,
): Promise<StartSetVerdict> {
  try {
    const identity = await identityOf(connection, database);
    const { flavour } = identity;
    const { warnings } = await checkStart(connection, { position: text, identity, stored: undefined });
    if (flavour === 'mariadb') {
      const set = withoutBreaks(text);
      const newest = await readSet(connection, flavour);
      const pending = newest.split(',').filter((gtid) => !set.split(',').includes(gtid));
      return { state: 'good', set, warnings, pending: pending.join(',') };
    }
    const [row] = await select<{ canonical: string; pending: string }>(
      connection,
      `SELECT GTID_SUBTRACT(?, '') AS canonical, GTID_SUBTRACT(@@GLOBAL.gtid_executed, ?) AS pending`,
      [text, text],
    );
    return { state: 'good', set: withoutBreaks(row.canonical), warnings, pending: withoutBreaks(row.pending) };
  } catch (error) {
    if (error instanceof OperatorError) return { state: 'refused', error };
    throw error;
  }
}

async function readSet(connection: Connection, flavour: Flavour): Promise<string> {
  const name = flavour === 'mysql' ? 'gtid_executed' : 'gtid_binlog_pos';
  const [row] = await select<{ set_text: string }>(connection, `SELECT @@GLOBAL.${name} AS set_text`);
  return row.set_text;
}

/** The server breaks long sets into lines. */
function withoutBreaks(set: string): string {
  return set.replaceAll(/\s/g, '');
}

function summary(table: TableFacts): TableSummary {
  const { name, rows, bytes, engine, key, oldTemporals } = table;
  const facts = { name, rows, bytes, engine, key };
  if (oldTemporals.length > 0) {
    return {
      ...facts,
      warning: `columns in a format of MariaDB 5.3, of which the binary log does not tell the precision: ${oldTemporals.join(', ')}`,
      fix: `${rewriteStatement(table)};`,
    };
  }
  if (key === 'none') {
    return {
      ...facts,
      warning: 'no primary key: rows are found by all of their columns, and rows that are alike cannot be told apart',
      fix: `ALTER TABLE ${quotedTable(table)} ADD COLUMN id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY;`,
    };
  }
  if (NOT_TRANSACTIONAL.has(engine.toUpperCase())) {
    return { ...facts, warning: `${engine} knows no transactions: each statement arrives as one of its own` };
  }
  return facts;
}
