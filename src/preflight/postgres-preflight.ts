import type { ConnectionDescription } from '../config/connection.ts';
import { flagNamed } from '../config/flags.ts';
import { listPublications, listSlots, listTables } from '../sources/postgres/setup.ts';
import { closeQuietly, openForChecks, testConnection } from './connection-test.ts';
import { postgresInquiry } from './postgres-inquiry.ts';
import { PostgresResume } from './postgres-resume.ts';
import { checkPostgresSource, plannedSourceChecks } from './postgres-source.ts';
import { PostgresSourceFacts } from './postgres-source-facts.ts';
import { runFix } from './run-fix.ts';
import type { SourceChoices } from './source-choices.ts';
import type { SourcePreflight } from './source-preflight.ts';

/** What can be asked of a PostgreSQL source. */
export function postgresPreflight(connection: ConnectionDescription): SourcePreflight {
  return {
    planned: plannedSourceChecks(),
    test: () => testConnection(connection, 'source'),
    check: (wishes, report, signal) => checkPostgresSource(connection, wishes, report, signal),
    choices: () => readChoices(connection),
    fix: (fix) => runFix(fix, { source: connection }),
    inquire: (wishes) => postgresInquiry(new PostgresSourceFacts(connection, wishes)),
    resume: (facts) =>
      new PostgresResume(connection, facts, facts.wishes.slot?.name ?? String(flagNamed('slotName').default)),
  };
}

async function readChoices(connection: ConnectionDescription): Promise<SourceChoices> {
  const client = await openForChecks(connection, 'source');
  try {
    return {
      tables: await listTables(client),
      publications: await listPublications(client),
      slots: await listSlots(client),
    };
  } finally {
    closeQuietly(client);
  }
}
