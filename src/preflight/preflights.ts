import { isMysql, isOracle, type SourceConnection } from '../config/source-connection.ts';
import { mysqlPreflight } from './mysql-preflight.ts';
import { oraclePreflight } from './oracle-preflight.ts';
import { postgresPreflight } from './postgres-preflight.ts';
import type { SourcePreflight } from './source-preflight.ts';

/** What can be asked of the source that a connection leads to. */
export function preflightOf(connection: SourceConnection): SourcePreflight {
  if (isOracle(connection)) return oraclePreflight(connection);
  return isMysql(connection) ? mysqlPreflight(connection) : postgresPreflight(connection);
}
