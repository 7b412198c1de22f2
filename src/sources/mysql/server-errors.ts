import type { ErrorCode } from '../../explanations/table.ts';
import { mask } from '../../config/secrets.ts';
import { OperatorError } from '../../errors.ts';
import { failureOf } from './connection-errors.ts';
import { type Flavour, productName } from './flavour.ts';
import { quoteText } from './sql-text.ts';

/** Where a failure happened, to say more than the server does. */
export interface StreamContext {
  readonly flavour: Flavour;
  /** The user of the connection. */
  readonly user: string;
  /** By which this reader is known to the server (`--replicationProcessID`). */
  readonly serverId: number;
}

/** ER_MASTER_FATAL_ERROR_READING_BINLOG: everything that keeps a dump from going on has this number and a text of its own. */
export const BINLOG_FAILED = 1236;

/**
 * The server is going, coming or short of something, or has ended this connection: too many connections, shutdown, network
 * trouble, lock waits, interrupted, killed, offline, idle for too long.
 */
const TRANSIENT = new Set([
  1040, 1053, 1129, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1213, 1226, 1317, 1927, 3024, 3032, 3168, 3169,
  4031,
]);

/** Connections that are gone. */
const LOST = new Set([1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 3168, 3169, 4031]);

const START_OVER =
  'Copy the data again, then start from the GTID set of that copy: remove the checkpoint (DELETE FROM <staging schema>.memo WHERE key = …) and give the set with --defaultGTIDSet.';

/** What the server's text about its binary log means. The first that matches counts. */
export const BINLOG_FAILURES: readonly {
  readonly text: RegExp;
  readonly code: ErrorCode;
  readonly meaning: string;
  fix(context: StreamContext): string;
  readonly transient?: boolean;
}[] = [
  {
    text: /same server_uuid|same server_id/i,
    code: 'MYSQL_SERVER_ID_IN_USE',
    meaning:
      'another reader with the same server id has connected, and the source ended this one for it: another instance of this replication is running, or another replica has the same id',
    fix: ({ serverId }) =>
      `SHOW REPLICAS; -- SHOW SLAVE HOSTS on MariaDB and before MySQL 8.0.22\nStop the other one, or give this one another id than ${serverId}: --replicationProcessID`,
  },
  {
    text: /more GTIDs than the (source|master) has/i,
    code: 'MYSQL_GTID_AHEAD',
    meaning:
      'the checkpoint holds transactions that the source does not have: it was restored from a backup or lost its newest commits, so the target holds changes that the source does not',
    fix: () => `SELECT @@GLOBAL.gtid_executed;\n${START_OVER}`,
  },
  {
    text: /purged (required )?binary logs|could not find first log file|could not find GTID state/i,
    code: 'MYSQL_GTID_PURGED',
    meaning:
      'the source has removed binary logs that were not read yet; the changes in them cannot be delivered any more',
    fix: ({ flavour }) =>
      `${flavour === 'mysql' ? 'SELECT @@GLOBAL.gtid_purged;' : 'SHOW BINARY LOGS;'} -- what is gone\n${START_OVER}\nAnd keep the logs for longer: ${flavour === 'mysql' ? 'SET PERSIST' : 'SET GLOBAL'} binlog_expire_logs_seconds = 604800;`,
  },
  {
    text: /not in the (master|source|primary)'s binlog|requested by the (slave|replica)|connecting (slave|replica) requested/i,
    code: 'MYSQL_GTID_UNKNOWN',
    meaning:
      'the binary log of the source does not hold the position from which to go on: it was reset, restored or failed over, or this is another server',
    fix: () => `SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.gtid_binlog_state;\n${START_OVER}`,
  },
  {
    text: /GTID_MODE\s*=/i,
    code: 'MYSQL_GTID_MODE',
    meaning: 'the source does not give every transaction a GTID',
    fix: () => 'Set gtid_mode = ON at the source, step by step: OFF_PERMISSIVE, ON_PERMISSIVE, ON.',
  },
  {
    text: /anonymous transaction/i,
    code: 'MYSQL_ANONYMOUS_TRANSACTION',
    meaning:
      'the log holds a transaction without a GTID after the position from which to go on: gtid_mode was not ON all the time, and what was committed meanwhile cannot be told apart',
    fix: () => `SELECT @@GLOBAL.gtid_mode; -- must be ON and stay so\n${START_OVER}`,
  },
  {
    text: /binary log is not open/i,
    code: 'MYSQL_LOG_BIN',
    meaning: 'the source writes no binary log',
    fix: () => 'Start it with log_bin on.',
  },
  {
    text: /server_id was not set/i,
    code: 'MYSQL_SERVER_ID',
    meaning: 'the source has no server id, without which it sends nothing',
    fix: () => 'SET GLOBAL server_id = 1;',
  },
  {
    text: /max_allowed_packet/i,
    code: 'MYSQL_EVENT_TOO_LARGE',
    meaning: 'an event in its binary log is larger than the source may send',
    fix: ({ flavour }) =>
      `SET GLOBAL ${flavour === 'mysql' ? 'max_allowed_packet = 1073741824' : 'slave_max_allowed_packet = 1073741824, max_allowed_packet = 1073741824'};`,
  },
];

/**
 * What a failure on the connection that reads the binary log means, or of a question asked beside it. Whatever is not the
 * server's own refusal is taken for a lost connection and is transient.
 */
export function streamError(cause: unknown, context: StreamContext): OperatorError {
  if (cause instanceof OperatorError) return cause;
  const { number, message } = failureOf(cause);
  if (isConnectionLoss(cause)) {
    return new OperatorError('MYSQL_SOURCE_DISCONNECTED', `lost the connection to the source database: ${message}`, {
      transient: true,
      cause,
    });
  }
  if (number === BINLOG_FAILED || number === 4052) return binlogError(cause, context);
  const told = `${message} (${number})`;
  switch (number) {
    case 1227:
      return replicationDenied(context.user, context.flavour, cause);
    case 1142:
    case 1143:
    case 1044:
      return new OperatorError('MYSQL_PERMISSION', `the source does not let its user do this: ${told}`, {
        fix: `GRANT SELECT ON <database>.* TO ${quoteText(context.user)}@'%';`,
        cause,
      });
    case 1772:
    case 1941:
      return new OperatorError('MYSQL_GTID_SYNTAX', `the source cannot read the GTIDs from which to start: ${told}`, {
        fix:
          context.flavour === 'mysql'
            ? 'a set as SELECT @@GLOBAL.gtid_executed; prints it'
            : 'one GTID for each domain, as SELECT @@GLOBAL.gtid_binlog_pos; prints them',
        cause,
      });
    default:
      return new OperatorError('MYSQL_SOURCE_ERROR', `error received from source database: ${told}`, {
        transient: TRANSIENT.has(number),
        cause,
      });
  }
}

/** True when the connection is gone, and a new one may do better. */
export function isConnectionLoss(cause: unknown): boolean {
  if (cause instanceof OperatorError) return false;
  const { number } = failureOf(cause);
  return number === 0 || LOST.has(number);
}

/** A user who may not read the binary log. `user` as in the connection, or as CURRENT_USER() prints it. */
export function replicationDenied(user: string, flavour: Flavour, cause?: unknown): OperatorError {
  const account = user.includes('@') ? user : `${user}@%`;
  const at = account.lastIndexOf('@');
  const grantee = `${quoteText(account.slice(0, at))}@${quoteText(account.slice(at + 1))}`;
  return new OperatorError(
    'MYSQL_NO_REPLICATION_PRIVILEGE',
    `the source user ${user} has no right to read the binary log${cause === undefined ? '' : `: ${failureOf(cause).message}`}`,
    {
      fix: `GRANT REPLICATION SLAVE, ${flavour === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT'} ON *.* TO ${grantee};`,
      cause,
    },
  );
}

function binlogError(cause: unknown, context: StreamContext): OperatorError {
  const { number, message } = failureOf(cause);
  const known = number === 4052 ? BINLOG_FAILURES[0] : BINLOG_FAILURES.find(({ text }) => text.test(message));
  if (known === undefined) {
    return new OperatorError(
      'MYSQL_BINLOG',
      `the source cannot go on reading its binary log: ${message} (${number}); nothing was skipped`,
      {
        fix: `The error log of ${productName(context.flavour)} says more. If a log file is damaged, what is in it is lost:\n${START_OVER}`,
        cause,
      },
    );
  }
  return new OperatorError(known.code, `${known.meaning}: ${mask(message)}`, { fix: known.fix(context), cause });
}
