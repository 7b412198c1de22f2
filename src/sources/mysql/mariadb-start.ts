import { OperatorError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { failureOf } from './connection-errors.ts';
import { select } from './server-facts.ts';
import { type StartWarning, shortened, startOver } from './start-question.ts';

/** A GTID of MariaDB. */
interface Gtid {
  readonly domain: string;
  readonly server: string;
  readonly sequence: bigint;
}

const DENIED = 1227;

/**
 * Refuses a position from which a MariaDB server cannot deliver exactly what comes after it. A position holds one GTID for
 * each domain; the server passes over domains that it does not know, and sends those that are left out from their beginning.
 * @throws OperatorError MYSQL_GTID_SYNTAX, MYSQL_GTID_EMPTY, MYSQL_GTID_UNKNOWN, MYSQL_GTID_AHEAD, MYSQL_GTID_PURGED
 * @see https://mariadb.com/kb/en/gtid/
 */
export async function checkMariadbStart(
  connection: Connection,
  text: string,
  forget: string | undefined,
): Promise<StartWarning[]> {
  const position = parse(text);
  const [{ newest, state }] = await select<{ newest: string; state: string }>(
    connection,
    'SELECT @@GLOBAL.gtid_binlog_pos AS newest, @@GLOBAL.gtid_binlog_state AS state',
  );
  const oldest = await readOldest(connection);
  if (position.length === 0) return startAtBeginning(newest, oldest);

  const written = parse(state);
  const refusal = { text, newest, forget };
  for (const gtid of position) checkWritten(gtid, written, refusal);

  const purged = parse(oldest ?? '').filter((gone) => {
    const mine = position.find(({ domain }) => domain === gone.domain);
    return mine === undefined || mine.sequence < gone.sequence;
  });
  if (purged.length > 0) {
    throw new OperatorError(
      'MYSQL_GTID_PURGED',
      `the source has removed the binary logs up to ${purged.map(print).join(',')}, which comes after the position ${shortened(text)} and is not on the target: those changes cannot be delivered any more`,
      {
        fix: `A replica of the source may still have them: connect there. Otherwise start over:\n${startOver(forget)}\nAnd keep the logs for longer: SET GLOBAL binlog_expire_logs_seconds = 604800;\n${LOOK}`,
      },
    );
  }
  const unlisted = parse(newest).filter(({ domain }) => !position.some((mine) => mine.domain === domain));
  if (unlisted.length === 0) return [];
  return [
    {
      code: 'MYSQL_GTID_DOMAIN_NEW',
      message: `the position ${shortened(text)} has nothing of ${unlisted.length === 1 ? 'domain' : 'domains'} ${unlisted.map(({ domain }) => domain).join(', ')}, which the source sends from the beginning`,
    },
  ];
}

const LOOK = [
  'SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.gtid_binlog_state; -- newest of each domain; newest of each domain and server',
  'SHOW BINARY LOGS; -- those that are left',
  "SELECT BINLOG_GTID_POS('<first of them>', 4); -- what is gone",
].join('\n');

interface Refusal {
  readonly text: string;
  readonly newest: string;
  readonly forget: string | undefined;
}

/** Whether the server has written this GTID at all. */
function checkWritten(gtid: Gtid, written: readonly Gtid[], { text, newest, forget }: Refusal): void {
  const inDomain = written.filter(({ domain }) => domain === gtid.domain);
  if (inDomain.length === 0) {
    throw new OperatorError(
      'MYSQL_GTID_UNKNOWN',
      `the binary log of the source has nothing of domain ${gtid.domain}, which the position ${shortened(text)} names (${print(gtid)}): it comes from another server, or the log was reset; the source's own position is ${newest || 'empty'}`,
      { fix: `Connect to the server that the position comes from, or start over:\n${startOver(forget)}\n${LOOK}` },
    );
  }
  if (inDomain.every(({ sequence }) => sequence < gtid.sequence)) {
    throw new OperatorError(
      'MYSQL_GTID_AHEAD',
      `the source has not got as far as ${print(gtid)} (its own position is ${newest || 'empty'}): it was restored from a backup, lost its newest commits in a failover, or is a replica that lags behind; what is on the target may hold changes that the source does not`,
      {
        fix: `A replica that lags behind catches up; this waits for it up to 10 minutes:\nSELECT MASTER_GTID_WAIT('${print(gtid)}', 600); -- 0 when it has it\nOtherwise connect to the server that has it, or start over:\n${startOver(forget)}\n${LOOK}`,
      },
    );
  }
  const byServer = inDomain.find(({ server }) => server === gtid.server);
  if (byServer !== undefined && gtid.sequence <= byServer.sequence) return;
  throw new OperatorError(
    'MYSQL_GTID_UNKNOWN',
    `${print(gtid)} is not in the binary log of the source, although it has got further in domain ${gtid.domain} (its own position is ${newest}): the two have diverged, or the position comes from another server`,
    { fix: `Connect to the server that the position comes from, or start over:\n${startOver(forget)}\n${LOOK}` },
  );
}

function startAtBeginning(newest: string, oldest: string | undefined): StartWarning[] {
  if (oldest === '') {
    return [
      {
        code: 'MYSQL_GTID_EMPTY',
        message: `there is no position to start from, and the source has purged nothing: the replication begins with its very first transaction and sends everything up to ${newest || 'now'}`,
      },
    ];
  }
  const gone =
    oldest === undefined
      ? 'and its user may not see whether the source has its history from the beginning'
      : `and the source no longer has its history from the beginning: everything up to ${oldest} is removed`;
  throw new OperatorError('MYSQL_GTID_EMPTY', `there is no position to start from, ${gone}`, {
    fix: `Copy the data, and start from the position of that copy.\nOr, when the target has all that the source has by now, from that:\n--defaultGTIDSet ${newest}\n${LOOK}`,
  });
}

/** What came before the oldest log that is left: '' when nothing did. Undefined when the user may not see it. */
async function readOldest(connection: Connection): Promise<string | undefined> {
  try {
    const logs = await select<{ Log_name: string }>(connection, 'SHOW BINARY LOGS');
    if (logs.length === 0) return '';
    const sql = 'SELECT BINLOG_GTID_POS(?, 4) AS oldest';
    const [{ oldest }] = await select<{ oldest: string | null }>(connection, sql, [logs[0].Log_name]);
    return oldest ?? undefined;
  } catch (error) {
    if (failureOf(error).number === DENIED) return undefined;
    throw error;
  }
}

function parse(text: string): Gtid[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const match = /^\s*(\d+)-(\d+)-(\d+)\s*$/.exec(part);
    if (match === null) {
      throw new OperatorError('MYSQL_GTID_SYNTAX', `${JSON.stringify(part)} is no GTID of MariaDB`, {
        fix: 'one GTID for each domain, as SELECT @@GLOBAL.gtid_binlog_pos; prints them: 0-1-100,7-2-5',
      });
    }
    return { domain: match[1], server: match[2], sequence: BigInt(match[3]) };
  });
}

function print({ domain, server, sequence }: Gtid): string {
  return `${domain}-${server}-${sequence}`;
}
