import { DatabaseError } from 'pg';
import { parseConnectionString } from '../config/connection.ts';
import { parseMysqlConnectionString } from '../config/mysql-connection.ts';
import { connectionError as postgresRefusal } from '../config/postgres-client.ts';
import type { ErrorCode } from '../explanations/table.ts';
import { connectionError as mysqlRefusal } from '../sources/mysql/connection-errors.ts';
import { BINLOG_FAILED, BINLOG_FAILURES, streamError as mysqlFailure } from '../sources/mysql/server-errors.ts';
import { BY_DRIVER, BY_NUMBER } from '../sources/oracle/ora-explanations.ts';
import { streamError as postgresFailure } from '../sources/postgres/server-errors.ts';
import { type Verdict, verdict } from '../target/retry.ts';

/** What an error is called that no rule names: told only where nothing else is. */
const NAMELESS: ReadonlySet<string> = new Set<ErrorCode>([
  'PG_CONNECT',
  'PG_SOURCE_ERROR',
  'MYSQL_CONNECT',
  'MYSQL_SOURCE_ERROR',
  'APPLY_FAILED',
]);

const AT_THE_TARGET: Readonly<Record<Verdict, ErrorCode>> = {
  retry: 'APPLY_RETRIES',
  reconnect: 'TARGET_LOST',
  fenced: 'CHECKPOINT_MOVED',
  schema: 'TARGET_SCHEMA_DRIFT',
  refused: 'APPLY_FAILED',
  denied: 'TARGET_DENIED',
};

/**
 * The codes under which an error of a database server is told here: `ORA-01291` and `NJS-503` of Oracle, a number of MySQL (`1236`,
 * `ERROR 1236`), a SQLSTATE of PostgreSQL and CockroachDB (`42501`). The rules themselves are asked, so that this cannot say
 * anything else than they do. Undefined for what is no such error.
 */
export function codesOfServerError(text: string): readonly ErrorCode[] | undefined {
  const oracle = /^ORA-?(\d{1,5})$/i.exec(text)?.[1];
  if (oracle !== undefined) return [BY_NUMBER.get(Number(oracle))?.code ?? 'ORACLE_ERROR'];
  if (/^NJS-\d{3}$/i.test(text)) return [BY_DRIVER.get(text.toUpperCase())?.code ?? 'ORACLE_ERROR'];
  const mysql = /^(?:MYSQL|ERROR)?[ -]?(\d{4})$/i.exec(text)?.[1];
  if (mysql !== undefined) return named(ofMysql(Number(mysql)));
  const state = /^(?:SQLSTATE)?[ -]?([0-9A-Z]{5})$/i.exec(text)?.[1];
  return state !== undefined && /\d/.test(state) ? named(ofSqlState(state.toUpperCase())) : undefined;
}

function ofMysql(errno: number): ErrorCode[] {
  // Its number says only that the log cannot be read; why is in the text.
  if (errno === BINLOG_FAILED) return [...BINLOG_FAILURES.map(({ code }) => code), 'MYSQL_BINLOG'];
  const error = Object.assign(new Error('…'), { errno });
  const description = parseMysqlConnectionString('mysql://user@host/database', 'here', {});
  const context = { user: 'user', flavour: 'mysql', serverId: 1 } as const;
  return [mysqlRefusal(error, description, true).code, mysqlFailure(error, context).code];
}

function ofSqlState(code: string): ErrorCode[] {
  const error = Object.assign(new DatabaseError('…', 0, 'error'), { code });
  const description = parseConnectionString('postgresql://user@host/database', 'here', {});
  const context = { slot: 'slot', publication: 'publication' };
  return [
    postgresRefusal(error, description, 'source').code,
    postgresFailure(error, { ...context, started: false }).code,
    postgresFailure(error, { ...context, started: true }).code,
    AT_THE_TARGET[verdict(error)],
  ];
}

function named(codes: readonly ErrorCode[]): readonly ErrorCode[] {
  const [all, known] = [[...new Set(codes)], [...new Set(codes)].filter((code) => !NAMELESS.has(code))];
  return known.length > 0 ? known : all;
}
