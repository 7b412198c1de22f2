import { parseCommandLine } from '../config/command-line.ts';
import { parseConnectionString } from '../config/connection.ts';
import { createMetrics, type Metrics } from '../metrics/registry.ts';
import { Troubles } from '../metrics/troubles.ts';
import { PostgresSource } from '../sources/postgres/postgres-source.ts';
import type { CommandContext } from './command.ts';
import { openLog, replicate } from './replicate.ts';

/** Counts changes read; the metrics are told once for all transactions that came in the same turn. */
function countMutations({ handle }: Metrics): (kind: string, count: number) => void {
  const counts = new Map<string, number>();
  return (kind, count) => {
    if (counts.size === 0) {
      setImmediate(() => {
        for (const [type, number] of counts) {
          handle.mutation_total.inc({ source: 'postgres', type }, number);
          handle.acceptor_mutations_total.inc({ type: 'received' }, number);
        }
        counts.clear();
      });
    }
    counts.set(kind, (counts.get(kind) ?? 0) + count);
  };
}

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
      mutation: countMutations(metrics),
    },
  });
  return await replicate({ source, sourceConnection: connection, settings, metrics, troubles, log, context });
}
