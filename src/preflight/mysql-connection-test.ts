import type { MysqlConnectionDescription } from '../config/mysql-connection.ts';
import { OperatorError } from '../errors.ts';
import { type Connection, close, connect } from '../sources/mysql/connection.ts';
import { connectionError } from '../sources/mysql/connection-errors.ts';
import { parseServerVersion } from '../sources/mysql/flavour.ts';
import { select } from '../sources/mysql/server-facts.ts';
import type { ConnectionFacts } from './connection-test.ts';
import { Turns } from './turns.ts';

/** Milliseconds that a server gets for one question of a check. */
const ANSWER_TIMEOUT = 15_000;

/**
 * Connects and asks who is there, then closes the connection again.
 * @throws OperatorError MYSQL_… as `connect` does.
 */
export async function testMysqlConnection(description: MysqlConnectionDescription): Promise<ConnectionFacts> {
  const line = new MysqlLine(description);
  try {
    return await line.ask(describeMysql);
  } catch (error) {
    throw error instanceof OperatorError ? error : connectionError(error, description, false);
  } finally {
    line.close();
  }
}

/** Asks the server on an open connection who it is. */
export async function describeMysql(connection: Connection): Promise<ConnectionFacts> {
  const started = performance.now();
  const [row] = await select<{ version: string; name: string | null; account: string }>(
    connection,
    'SELECT @@version AS version, DATABASE() AS name, CURRENT_USER() AS account',
  );
  const latency = performance.now() - started;
  const [cipher] = await select<{ Value: string }>(connection, `SHOW SESSION STATUS LIKE 'Ssl_cipher'`);
  const { flavour, text } = parseServerVersion(row.version);
  return {
    product: flavour,
    version: /^\d+(?:\.\d+)*/.exec(text)?.[0] ?? text,
    database: row.name ?? '',
    user: row.account,
    encrypted: (cipher?.Value ?? '') !== '',
    latency,
  };
}

/**
 * One connection to a MySQL or MariaDB server for the questions of many checks. A question that takes too long is given up by
 * the server, so that the next one can be asked; when the server does not answer at all it fails a little later.
 */
export class MysqlLine extends Turns<Connection> {
  constructor(description: MysqlConnectionDescription) {
    super({ open: () => openForChecks(description), close });
  }

  override ask<T>(questions: (connection: Connection) => Promise<T>): Promise<T> {
    return super.ask(async (connection) => {
      const silence = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => silence.reject(new Error(`no answer within ${ANSWER_TIMEOUT / 1000} s`)),
        ANSWER_TIMEOUT + 2000,
      );
      try {
        return await Promise.race([questions(connection), silence.promise]);
      } finally {
        clearTimeout(timer);
      }
    });
  }
}

async function openForChecks(description: MysqlConnectionDescription): Promise<Connection> {
  const connection = await connect(description);
  // Each product has one of the two.
  await connection.query(`SET SESSION max_execution_time = ${ANSWER_TIMEOUT}`).catch(() => {});
  await connection.query(`SET SESSION max_statement_time = ${ANSWER_TIMEOUT / 1000}`).catch(() => {});
  return connection;
}
