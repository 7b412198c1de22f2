import { UsageError } from '../errors.ts';
import type { ConnectionDescription } from './connection.ts';
import type { MysqlConnectionDescription } from './mysql-connection.ts';
import type { OracleConnectionDescription } from './oracle-connection.ts';

/** A connection to a source of any kind. */
export type SourceConnection = ConnectionDescription | MysqlConnectionDescription | OracleConnectionDescription;

export function isMysql(connection: SourceConnection): connection is MysqlConnectionDescription {
  return 'kind' in connection && connection.kind === 'mysql';
}

export function isOracle(connection: SourceConnection): connection is OracleConnectionDescription {
  return 'kind' in connection && connection.kind === 'oracle';
}

/** @throws UsageError for a connection to anything else. */
export function asMysql(connection: SourceConnection): MysqlConnectionDescription {
  if (isMysql(connection)) return connection;
  throw new UsageError('the connection is not one to MySQL or MariaDB');
}

/** @throws UsageError for a connection to anything else. */
export function asOracle(connection: SourceConnection): OracleConnectionDescription {
  if (isOracle(connection)) return connection;
  throw new UsageError('the connection is not one to Oracle');
}

/** @throws UsageError for a connection to anything else. */
export function asPostgres(connection: SourceConnection): ConnectionDescription {
  if (!('kind' in connection)) return connection;
  throw new UsageError('the connection is not one to PostgreSQL');
}
