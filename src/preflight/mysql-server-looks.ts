import { OperatorError } from '../errors.ts';
import type { Finding } from '../sources/finding.ts';
import { monitorRightFinding, replicationRightFinding, selectRightFinding } from '../sources/mysql/grants.ts';
import { serverIdFreeFinding } from '../sources/mysql/replicas.ts';
import {
  partialJsonFinding,
  replicaAdvice,
  retentionFinding,
  rowImageFinding,
} from '../sources/mysql/server-advice.ts';
import type { ServerFacts } from '../sources/mysql/server-facts.ts';
import {
  binlogFilterFinding,
  binlogFormatFinding,
  fetchesMetadata,
  gtidConsistencyFinding,
  gtidModeFinding,
  logBinFinding,
  replicaFinding,
  rowMetadataFinding,
  serverIdFinding,
  versionFinding,
} from '../sources/mysql/server-requirements.ts';
import { formatSeconds } from '../terminal/format.ts';
import type { Check } from './check.ts';
import { encryptionOutcome } from './encryption.ts';
import { failed, failedBy, passed } from './look.ts';
import type { MysqlSourceFacts } from './mysql-source-facts.ts';
import type { MysqlLook } from './mysql-source-look.ts';
import { advisory, blocking, fromFinding } from './source-look.ts';

/** The server itself, its settings, and what the user may do there. */
export const SERVER_LOOKS: readonly MysqlLook[] = [
  {
    check: blocking('connection', 'connection', 'Everything else is asked over it.'),
    needs: [],
    async look(facts) {
      try {
        const { latency, user, database } = await facts.connection();
        const where = database === '' ? '' : ` in ${database}`;
        return passed(`${user}${where}, answers within ${formatSeconds(latency / 1000)}`);
      } catch (error) {
        if (!(error instanceof OperatorError)) throw error;
        return failedBy(error, error.message, 'source');
      }
    },
  },
  {
    check: advisory('encryption', 'encryption', 'Without it anybody on the way can read the data, and change it.'),
    needs: ['source.connection'],
    look: async (facts) => encryptionOutcome(facts.description, await facts.connection(), 'source'),
  },
  {
    check: blocking('version', 'version', 'Older servers, and other products, do not send changes in this form.'),
    needs: ['source.connection'],
    look: async (facts) => fromFinding(versionFinding(await facts.server())),
  },
  {
    check: blocking('database', 'database', 'It says which tables are replicated: those of no other are.'),
    needs: ['source.connection'],
    async look({ database, connection }) {
      if (database === undefined) return passed('all of them');
      if (database !== '') return passed((await connection()).database);
      return failed('none named', {
        expected: 'a database, or --allDatabases',
        code: 'MYSQL_NO_DATABASE',
        fix: { side: 'source', text: 'Name the database in the connection string: mysql://user@host:3306/DATABASE' },
      });
    },
  },
  server(blocking('log_bin', 'log_bin', 'Without a binary log there is nothing to read changes from.'), logBinFinding),
  server(
    blocking('server_id', 'server_id', 'A server without an id of its own sends its log to nobody.'),
    serverIdFinding,
  ),
  server(
    blocking(
      'gtid_mode',
      'gtid_mode',
      'By the GTIDs of transactions a replication knows what it has and what it lacks.',
    ),
    gtidModeFinding,
  ),
  server(
    blocking(
      'enforce_gtid_consistency',
      'enforce_gtid_consistency',
      'Without it the source lets statements through that cannot be logged with one GTID.',
    ),
    gtidConsistencyFinding,
  ),
  server(
    blocking(
      'binlog_format',
      'binlog_format',
      'Only logged rows can be replicated, not the statements that changed them.',
    ),
    binlogFormatFinding,
  ),
  server(
    blocking(
      'binlog_row_metadata',
      'binlog_row_metadata',
      'It puts the names and types of columns into the log, as they were when it was written.',
    ),
    (found, { wishes }) => rowMetadataFinding(found, wishes.fetchMetadata === true),
  ),
  server(
    blocking('binlog_filter', 'binlog_do_db, binlog_ignore_db', 'What these leave out is nowhere to be read.'),
    (found, { database }) => binlogFilterFinding(found, database),
  ),
  server(
    blocking(
      'log_replica_updates',
      'log_replica_updates',
      'A replica without it does not log what it gets from its primary.',
    ),
    replicaFinding,
  ),
  server(
    blocking('replication_right', 'right to replicate', 'Without it the server does not let the user read its log.'),
    ({ grants, version }) => replicationRightFinding(grants, version.flavour),
  ),
  {
    check: advisory(
      'monitor_right',
      'right to see the log',
      'With it the checks can see filters and what has been removed, and a setup can show where the log stands.',
    ),
    needs: ['source.version'],
    async look(facts) {
      const { grants, version } = await facts.server();
      return fromFinding(monitorRightFinding(grants, version.flavour));
    },
  },
  {
    check: blocking(
      'metadata_right',
      'right to read definitions',
      'Names and types of columns are read from the catalogue, which shows only what the user may read.',
    ),
    needs: ['source.version'],
    async look(facts) {
      const found = await facts.server();
      if (!fetchesMetadata(found, facts.wishes.fetchMetadata === true)) return passed('not needed: the log has them');
      return fromFinding(selectRightFinding(found.grants, facts.database));
    },
  },
  {
    check: advisory(
      'read_right',
      'right to read',
      'Checks and comparisons of tables, and copying the existing rows with this user, need it.',
    ),
    needs: ['source.version'],
    look: async (facts) => fromFinding(selectRightFinding((await facts.server()).grants, facts.database)),
  },
  {
    check: advisory(
      'reader_id',
      'server id of this reader',
      'Of two readers with one id the source ends the connection of the first.',
    ),
    needs: ['source.version'],
    async look(facts) {
      const { serverId } = facts.wishes;
      if (serverId === undefined) return passed('not chosen yet');
      return fromFinding(serverIdFreeFinding(serverId, await facts.server(), await facts.replicas()));
    },
  },
  server(
    advisory(
      'retention',
      'retention of binary logs',
      'A replication that stands still for longer than logs are kept has to begin anew.',
    ),
    (found) => retentionFinding(found),
  ),
  server(
    advisory(
      'binlog_row_image',
      'binlog_row_image',
      'Less than the whole row works, but leaves nothing to mend a row with that the target lacks.',
    ),
    rowImageFinding,
  ),
  server(
    advisory(
      'binlog_row_value_options',
      'binlog_row_value_options',
      'What changed within a JSON value is applied to the old value, which has to be in the log too.',
    ),
    partialJsonFinding,
  ),
  server(
    advisory('primary', 'primary', 'A replica sends changes only when it has applied them itself.'),
    replicaAdvice,
  ),
];

function server(check: Check, find: (server: ServerFacts, facts: MysqlSourceFacts) => Finding): MysqlLook {
  return {
    check,
    needs: ['source.version'],
    look: async (facts) => fromFinding(find(await facts.server(), facts)),
  };
}
