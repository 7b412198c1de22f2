import { parseCommandLine } from '../config/command-line.ts';
import { parseOracleConnectionString } from '../config/oracle-connection.ts';
import { UsageError } from '../errors.ts';
import { createMetrics } from '../metrics/registry.ts';
import { Troubles } from '../metrics/troubles.ts';
import { parseApplicationUsers } from '../sources/oracle/application-users.ts';
import { useThickMode } from '../sources/oracle/connection.ts';
import { OracleSource } from '../sources/oracle/oracle-source.ts';
import type { TruncatePolicy } from '../sources/oracle/redo/redo-reader.ts';
import { parseScn } from '../sources/oracle/scn.ts';
import type { CommandContext } from './command.ts';
import { countMutations } from './count-mutations.ts';
import { openLog, replicate } from './replicate.ts';

/** `instar oraclelogminer`: replicates the tables of an Oracle user by LogMiner. */
export async function run(context: CommandContext): Promise<number> {
  const { settings, warnings } = parseCommandLine('oraclelogminer', context.args, context.env);
  const connection = parseOracleConnectionString(settings.sourceConn, '--sourceConn');
  const pdbConnection =
    settings.sourcePDBConn === undefined
      ? connection.pdb
      : parseOracleConnectionString(settings.sourcePDBConn, '--sourcePDBConn');
  const { sourceSchema } = settings;
  if (sourceSchema === undefined) {
    throw new UsageError('sourceSchema must be set: whose tables are to be replicated', {
      fix: '--sourceSchema MIGRATION_SCHEMA (as Oracle spells it: nearly always in capitals)',
    });
  }
  if (settings.oracleClientLib !== undefined) useThickMode(settings.oracleClientLib);
  const metrics = createMetrics();
  const { handle } = metrics;
  const troubles = new Troubles();
  const log = openLog(settings, metrics, troubles, context);
  for (const warning of warnings) log.warn(warning);
  const { scnWindowSize: limit } = settings;
  const source = new OracleSource({
    connection,
    pdbConnection,
    sourceSchema,
    scn: settings.scn === undefined ? undefined : parseScn(settings.scn, '--scn'),
    backfillFrom:
      settings.backfillFromSCN === undefined ? undefined : parseScn(settings.backfillFromSCN, '--backfillFromSCN'),
    applicationUsers: parseApplicationUsers(settings['oracle-application-users'] ?? ''),
    windowLimit: limit === undefined || limit <= 0 ? undefined : BigInt(limit),
    truncate: settings.truncate as TruncatePolicy,
    dataDir: settings.dataDir,
    memoryBudget: settings.memoryLimit / 2,
    log,
    metrics: {
      mutation: countMutations(metrics, 'oracle'),
      skipped: (reason, count) => handle.instar_oraclelogminer_redo_skipped_total.inc({ reason }, count),
      distance: (scns) => handle.oraclelogminer_scn_interval_size.set(scns),
      window: (total, query, size) => {
        handle.oraclelogminer_time_per_window_seconds.observe(total);
        handle.oraclelogminer_query_redo_logs_duration_seconds.observe(query);
        handle.instar_oraclelogminer_window_size.set(size);
      },
      open: (transactions) => handle.oraclelogminer_num_inflight_transactions_in_memory.set(transactions),
    },
  });
  return await replicate({
    source,
    sourceConnection: connection,
    settings,
    sameFlags: '--sourceSchema and --stagingSchema',
    metrics,
    troubles,
    log,
    context,
  });
}
