import { OperatorError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { failureOf } from './connection-errors.ts';
import { type MysqlIdentity, refuseOtherSource } from './identity.ts';
import { checkMariadbStart } from './mariadb-start.ts';
import { select } from './server-facts.ts';
import { shortened, type StartQuestion, type StartVerdict, type StartWarning, startOver } from './start-question.ts';

export { identityOf, type MysqlIdentity } from './identity.ts';
export type { StartQuestion, StartVerdict, StartWarning } from './start-question.ts';

/**
 * Refuses, with a named error, to start or to go on from a position when the source that answers cannot deliver exactly what
 * comes after it. The server itself tells some of it only when the stream is asked for, and some never: GTIDs of another
 * server, and those of a domain that it does not know, are passed over without a word.
 * @throws OperatorError MYSQL_GTID_SYNTAX, MYSQL_GTID_EMPTY, MYSQL_GTID_UNKNOWN, MYSQL_GTID_AHEAD, MYSQL_GTID_PURGED,
 *   MYSQL_SOURCE_CHANGED
 */
export async function checkStart(connection: Connection, question: StartQuestion): Promise<StartVerdict> {
  const { identity, stored, forget } = question;
  if (stored !== undefined) refuseOtherSource(identity, stored, startOver(forget));
  const set = (question.position?.toString() ?? '').replaceAll(/\s/g, '');
  const warnings =
    identity.flavour === 'mysql'
      ? await checkMysqlStart(connection, set, forget)
      : await checkMariadbStart(connection, set, forget);
  return { warnings: [...failedOver(identity, stored), ...warnings] };
}

/** The same GTIDs on another server: that is what they are made for, and somebody should know. */
function failedOver(identity: MysqlIdentity, stored: StartQuestion['stored']): StartWarning[] {
  if (stored?.server === undefined || stored.server === identity.server) return [];
  const name = identity.flavour === 'mysql' ? 'server_uuid' : 'server_id';
  return [
    {
      code: 'MYSQL_SOURCE_FAILED_OVER',
      message: `the source is another server than the one that the checkpoint was written for (${name} ${identity.server}, formerly ${stored.server}); it has everything up to the checkpoint, and the replication goes on from there`,
    },
  ];
}

interface Sets {
  /** Of the set, what the server has not executed. */
  readonly ahead: string;
  /** Of what the server has executed and purged, what is not in the set. */
  readonly missing: string;
  readonly executed: string;
  readonly purged: string;
  /** Of the set, what the server has executed. */
  readonly common: string;
}

async function checkMysqlStart(
  connection: Connection,
  set: string,
  forget: string | undefined,
): Promise<StartWarning[]> {
  const sets = await readSets(connection, set);
  const look = [
    `SELECT GTID_SUBSET('${set}', @@GLOBAL.gtid_executed); -- 1 when the source has executed all of it`,
    `SELECT GTID_SUBTRACT('${set}', @@GLOBAL.gtid_executed); -- what it has not`,
    `SELECT GTID_SUBTRACT(@@GLOBAL.gtid_purged, '${set}'); -- what is needed and gone from its log`,
    'SHOW BINARY LOG STATUS; -- SHOW MASTER STATUS before MySQL 8.2',
  ].join('\n');
  if (set === '') {
    if (sets.purged !== '') throw nothingToStartFrom(sets);
    return [
      {
        code: 'MYSQL_GTID_EMPTY',
        message: `there is no GTID set to start from, and the source has purged nothing: the replication begins with its very first transaction and sends all of ${sets.executed === '' ? 'its history, which is empty' : shortened(sets.executed)}`,
      },
    ];
  }
  if (sets.common === '') {
    throw new OperatorError(
      'MYSQL_GTID_UNKNOWN',
      `the source has executed nothing of the GTID set ${shortened(set)}, which must come from another server: starting from it would send the whole history of this one (it has executed ${shortened(sets.executed) || 'nothing'})`,
      { fix: `Connect to the server that the set comes from, or start over:\n${startOver(forget)}\n${look}` },
    );
  }
  if (sets.ahead !== '') {
    throw new OperatorError(
      'MYSQL_GTID_AHEAD',
      `the source has not executed ${shortened(sets.ahead)} of the GTID set ${shortened(set)}: it was restored from a backup, lost its newest commits in a failover, or is a replica that lags behind; what is on the target may hold changes that the source does not`,
      {
        fix: `A replica that lags behind catches up; this waits for it up to 10 minutes:\nSELECT WAIT_FOR_EXECUTED_GTID_SET('${sets.ahead}', 600); -- 0 when it has them\nOtherwise connect to the server that has them, or start over:\n${startOver(forget)}\n${look}`,
      },
    );
  }
  if (sets.missing !== '') {
    throw new OperatorError(
      'MYSQL_GTID_PURGED',
      `the source has removed the binary logs with ${shortened(sets.missing)}, which comes after the GTID set ${shortened(set)} and is not on the target: those changes cannot be delivered any more`,
      {
        fix: `A replica of the source may still have them: connect there. Otherwise start over:\n${startOver(forget)}\nAnd keep the logs for longer: SET PERSIST binlog_expire_logs_seconds = 604800;\n${look}`,
      },
    );
  }
  return [];
}

function nothingToStartFrom({ executed, purged }: Sets): OperatorError {
  return new OperatorError(
    'MYSQL_GTID_EMPTY',
    `there is no GTID set to start from, and the source no longer has its history from the beginning: it has removed ${shortened(purged)}`,
    {
      fix: `Copy the data, and start from the GTID set of that copy.\nOr, when the target has all that the source has executed by now, from that:\n--defaultGTIDSet ${executed}\nSELECT @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged;`,
    },
  );
}

async function readSets(connection: Connection, set: string): Promise<Sets> {
  try {
    const [row] = await select<Sets>(
      connection,
      `SELECT GTID_SUBTRACT(?, @@GLOBAL.gtid_executed) AS ahead, GTID_SUBTRACT(@@GLOBAL.gtid_purged, ?) AS missing,
              @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_purged AS purged,
              GTID_SUBTRACT(?, GTID_SUBTRACT(?, @@GLOBAL.gtid_executed)) AS common`,
      [set, set, set, set],
    );
    // The server breaks long sets into lines.
    const flat = (text: string) => text.replaceAll(/\s/g, '');
    return {
      ahead: flat(row.ahead),
      missing: flat(row.missing),
      executed: flat(row.executed),
      purged: flat(row.purged),
      common: flat(row.common),
    };
  } catch (cause) {
    const { number, message } = failureOf(cause);
    if (number !== 1772) throw cause;
    const tagged = /:[a-z_]/i.test(set) ? '; GTIDs with tags need MySQL 8.3 or newer' : '';
    throw new OperatorError(
      'MYSQL_GTID_SYNTAX',
      `the source cannot read the GTID set ${shortened(set)}: ${message}${tagged}`,
      {
        fix: 'a set as SELECT @@GLOBAL.gtid_executed; prints it, as in 77263736-7899-11f0-81a5-0242ac120002:1-38',
        cause,
      },
    );
  }
}
