import { connect } from '../config/postgres-client.ts';
import { OperatorError } from '../errors.ts';
import type { Finding } from '../sources/finding.ts';
import { ReplicationConnection } from '../sources/postgres/replication-connection.ts';
import type { ServerFacts } from '../sources/postgres/server-facts.ts';
import {
  freeSlotsFinding,
  primaryFinding,
  replicationRightFinding,
  versionFinding,
  walLevelFinding,
  walSendersFinding,
} from '../sources/postgres/server-requirements.ts';
import { formatSeconds } from '../terminal/format.ts';
import { encryptionOutcome } from './encryption.ts';
import { failed, failedBy, type Outcome, passed } from './look.ts';
import type { PostgresSourceFacts } from './postgres-source-facts.ts';
import type { SourceLook } from './postgres-source-look.ts';
import { advisory, blocking, fromFinding } from './source-look.ts';

/** The server itself, and the way there. */
export const SERVER_LOOKS: readonly SourceLook[] = [
  {
    check: blocking('connection', 'connection', 'Everything else is asked over it.'),
    needs: [],
    async look(facts) {
      try {
        const { latency, user, database } = await facts.connection();
        return passed(`${user} in ${database}, answers within ${formatSeconds(latency / 1000)}`);
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
    async look(facts) {
      const { product, version } = await facts.connection();
      if (product === 'postgresql') return fromFinding(versionFinding(await facts.server()));
      return failed(`CockroachDB ${version}`, {
        expected: 'PostgreSQL 12 or newer',
        fix: { side: 'source', text: 'Connect to the PostgreSQL database to replicate from.' },
      });
    },
  },
  server(
    'primary',
    'primary',
    'A standby cannot keep a slot of its own here; changes are read from the primary.',
    primaryFinding,
  ),
  server(
    'wal_level',
    'wal_level',
    'At a lower level the log does not hold what is needed to tell which rows changed.',
    walLevelFinding,
  ),
  server(
    'replication_right',
    'right to replicate',
    'Without it the server does not let the user read its log.',
    replicationRightFinding,
  ),
  server(
    'wal_senders',
    'max_wal_senders',
    'One replication connection is held for as long as the replication runs.',
    walSendersFinding,
  ),
  {
    check: blocking(
      'replication_connection',
      'replication connection',
      'It is a kind of its own, which pg_hba.conf, limits and poolers may refuse although others pass.',
    ),
    needs: ['source.version', 'source.replication_right', 'source.wal_senders'],
    look: openReplication,
  },
  {
    check: blocking(
      'free_slots',
      'max_replication_slots',
      'In a slot the source remembers what has been read; there has to be room for one more.',
    ),
    needs: ['source.version', 'source.primary'],
    async look(facts) {
      const finding = freeSlotsFinding(await facts.server());
      const needed = facts.wishes.slot === undefined || (await facts.slot()) === undefined;
      return needed ? fromFinding(finding) : passed(`${finding.found}; none is needed`);
    },
  },
];

function server(id: string, title: string, why: string, find: (server: ServerFacts) => Finding): SourceLook {
  return {
    check: blocking(id, title, why),
    needs: ['source.version'],
    look: async (facts) => fromFinding(find(await facts.server())),
  };
}

/** Opens the connection that the replication will need, and says who answered. */
async function openReplication({ description }: PostgresSourceFacts): Promise<Outcome> {
  let connection: ReplicationConnection | undefined;
  try {
    const client = await connect(description, 'source', { replication: 'database' });
    connection = new ReplicationConnection(client);
    const { systemId, timeline, flushed } = await connection.identify();
    return passed(`system ${systemId}, timeline ${timeline}, at ${flushed}`);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    if (!/unsupported startup parameter/i.test(error.message)) return failedBy(error, error.message, 'source');
    return failed(error.message, {
      expected: 'a connection to the server itself',
      code: error.code,
      fix: {
        side: 'source',
        text: 'Connect to the server itself: a pooler such as PgBouncer does not pass replication on.',
      },
    });
  } finally {
    await connection?.close();
  }
}
