import { parseCommandLine } from '../config/command-line.ts';
import { parseMysqlConnectionString } from '../config/mysql-connection.ts';
import { UsageError } from '../errors.ts';
import { createMetrics } from '../metrics/registry.ts';
import { Troubles } from '../metrics/troubles.ts';
import { MysqlSource } from '../sources/mysql/mysql-source.ts';
import type { CountedValue } from '../sources/mysql/values/column.ts';
import type { CommandContext } from './command.ts';
import { countMutations } from './count-mutations.ts';
import { openLog, replicate } from './replicate.ts';

/** How the metrics call the ways in which a value may come to the target in another form. */
const REASONS: Readonly<Record<CountedValue, string>> = {
  zeroDate: 'zero_date',
  boolOutOfRange: 'bool_out_of_range',
};

/** `instar mylogical`: replicates a MySQL or MariaDB database by its binary log. */
export async function run(context: CommandContext): Promise<number> {
  const { settings, given, warnings } = parseCommandLine('mylogical', context.args, context.env);
  const connection = parseMysqlConnectionString(settings.sourceConn, '--sourceConn', context.env);
  if (connection.database === '' && !settings.allDatabases) {
    throw new UsageError('--sourceConn names no database, so that it is not clear which one to replicate', {
      fix: 'mysql://user:password@host:3306/database\nor --allDatabases',
    });
  }
  const metrics = createMetrics();
  const { handle } = metrics;
  const troubles = new Troubles();
  const log = openLog(settings, metrics, troubles, context);
  for (const warning of warnings) log.warn(warning);
  const source = new MysqlSource({
    connection,
    allDatabases: settings.allDatabases,
    // An empty set that somebody has written is another thing than none.
    start: given.has('defaultGTIDSet') ? (settings.defaultGTIDSet ?? '') : undefined,
    serverId: settings.replicationProcessID,
    fetchMetadata: settings.fetchMetadata,
    zeroDates: settings.zeroDates,
    truncate: settings.truncate,
    dataDir: settings.dataDir,
    log,
    metrics: {
      dialSuccess: () => handle.mylogical_dial_success_total.inc(),
      dialFailure: () => handle.mylogical_dial_failure_total.inc(),
      mutation: countMutations(metrics, 'mysql'),
      valueChanged: (what, count) => handle.instar_values_changed_total.inc({ reason: REASONS[what] }, count),
    },
  });
  const sameFlags = '--stagingSchema';
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
