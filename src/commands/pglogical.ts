import { parseCommandLine } from '../config/command-line.ts';
import { parseConnectionString } from '../config/connection.ts';
import { createMetrics } from '../metrics/registry.ts';
import { Troubles } from '../metrics/troubles.ts';
import { PostgresSource } from '../sources/postgres/postgres-source.ts';
import type { CommandContext } from './command.ts';
import { countMutations } from './count-mutations.ts';
import { openLog, replicate } from './replicate.ts';

/** `instar pglogical`: replicates a PostgreSQL database by logical replication. */
export async function run(context: CommandContext): Promise<number> {
  const { settings, warnings } = parseCommandLine('pglogical', context.args, context.env);
  const connection = parseConnectionString(settings.sourceConn, '--sourceConn', context.env);
  const metrics = createMetrics();
  const { handle } = metrics;
  const troubles = new Troubles();
  const log = openLog(settings, metrics, troubles, context);
  for (const warning of warnings) log.warn(warning);
  const source = new PostgresSource({
    connection,
    slotName: settings.slotName,
    publicationName: settings.publicationName,
    standbyTimeout: settings.standbyTimeout,
    truncate: settings.truncate,
    dataDir: settings.dataDir,
    log,
    metrics: {
      dialSuccess: () => handle.pglogical_dial_success_total.inc(),
      dialFailure: () => handle.pglogical_dial_failure_total.inc(),
      unchangedToast: (count) => handle.pglogical_unchanged_toasted_columns.inc(count),
      emptyTransaction: () => handle.pglogical_empty_transactions.inc(),
      mutation: countMutations(metrics, 'postgres'),
    },
  });
  const sameFlags = '--slotName and --stagingSchema';
  return await replicate({
    source,
    sourceConnection: connection,
    settings,
    sameFlags,
    metrics,
    troubles,
    log,
    context,
  });
}
