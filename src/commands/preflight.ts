import { type CommandLine, parseCommandLine } from '../config/command-line.ts';
import { type ConnectionDescription, parseConnectionString } from '../config/connection.ts';
import { isOracleText, parseOracleConnectionString } from '../config/oracle-connection.ts';
import { isOracle, type SourceConnection } from '../config/source-connection.ts';
import { flagNamed } from '../config/flags.ts';
import { mask } from '../config/secrets.ts';
import { UsageError } from '../errors.ts';
import { isReady } from '../preflight/check.ts';
import { reportJson, reportText } from '../preflight/check-report.ts';
import { preflightOf } from '../preflight/preflights.ts';
import type { OracleWishes, SourceWishes } from '../preflight/source-wishes.ts';
import { checkTarget } from '../preflight/target.ts';
import { describeConnections } from '../sessions/connections.ts';
import type { Replication } from '../sessions/replication.ts';
import { SecretsFile } from '../sessions/secrets.ts';
import { kitOf } from '../sessions/source-kits.ts';
import { stateOf } from '../sessions/state.ts';
import { ReplicationStore } from '../sessions/store.ts';
import { useThickMode } from '../sources/oracle/connection.ts';
import { parseScn } from '../sources/oracle/scn.ts';
import { parseTableName } from '../sources/table-name.ts';
import { kindOfText } from '../wizard/source-setups.ts';
import type { CommandContext } from './command.ts';

/** What is to be looked at. */
interface Plan {
  readonly source: SourceConnection;
  readonly target: ConnectionDescription;
  readonly staging: ConnectionDescription | undefined;
  readonly targetSchema: string;
  readonly stagingSchema: string;
  readonly userscript: string | undefined;
  /** What has to be known to read the results. */
  readonly note?: string;
  readonly wishes: SourceWishes & { readonly tables: 'all' | readonly string[] };
}

/**
 * `instar preflight [NAME]`: looks at source and target, of a saved replication or by flags, and changes nothing. 0: a
 * replication can start, 1: it cannot.
 */
export async function run({ args, env, stdout, stderr }: CommandContext): Promise<number> {
  const line = parseCommandLine('preflight', args, env);
  for (const warning of line.warnings) stderr.write(`${warning}\n`);
  const plan = line.argument === undefined ? planByFlags(line, env) : planByName(line.argument, env);
  const { source, target, staging, targetSchema, stagingSchema, userscript, wishes } = plan;
  if (plan.note !== undefined) stderr.write(`${plan.note}\n`);
  const [atSource, atTarget] = await Promise.all([
    preflightOf(source).check(wishes),
    checkTarget(target, { ...wishes, targetSchema, stagingSchema, source, userscript, ...(staging && { staging }) }),
  ]);
  const results = [...atSource, ...atTarget];
  const places = { source: source.display, target: target.display };
  stdout.write(mask(line.settings.json ? reportJson(results, places) : reportText(results, places)));
  return isReady(results) ? 0 : 1;
}

/** With flags, publication and slot have to be there already, as for `pglogical`. The scheme of the source says which kind it is. */
function planByFlags({ settings }: CommandLine<'preflight'>, env: NodeJS.ProcessEnv): Plan {
  const { sourceConn, targetSchema, stagingSchema, stagingConn, slotName, publicationName, tables } = settings;
  const { defaultGTIDSet, allDatabases, fetchMetadata } = settings;
  if (settings.oracleClientLib !== undefined) useThickMode(settings.oracleClientLib);
  const source = isOracleText(sourceConn)
    ? parseOracleConnectionString(sourceConn, '--sourceConn')
    : kitOf(kindOfText(sourceConn)).parse(sourceConn, '--sourceConn', env);
  if (targetSchema === undefined) {
    throw new UsageError('no target schema was configured: preflight needs --targetSchema', {
      fix: '--targetSchema <database>.<schema>',
    });
  }
  return {
    source,
    target: parseConnectionString(settings.targetConn, '--targetConn', env),
    staging: stagingConn === undefined ? undefined : parseConnectionString(stagingConn, '--stagingConn', env),
    targetSchema,
    stagingSchema,
    userscript: settings.userscript,
    wishes: {
      publication: publicationName === undefined ? { create: false } : { name: publicationName, create: false },
      slot: { name: slotName, create: false },
      startSet: defaultGTIDSet,
      allDatabases,
      fetchMetadata,
      tables: tables === undefined ? 'all' : tableList(tables),
      ...(isOracle(source) && { oracle: oracleWishes(settings) }),
    },
  };
}

/** @throws UsageError without --sourceSchema, and for SCNs that are none. */
function oracleWishes(settings: CommandLine<'preflight'>['settings']): OracleWishes {
  const { sourceSchema: schema, sourcePDBConn, scn, backfillFromSCN } = settings;
  if (schema === undefined) {
    throw new UsageError('sourceSchema must be set: whose tables are to be replicated', {
      fix: '--sourceSchema MIGRATION_SCHEMA',
    });
  }
  const start = backfillFromSCN ?? scn;
  return {
    schema,
    ...(sourcePDBConn !== undefined && { pdb: parseOracleConnectionString(sourcePDBConn, '--sourcePDBConn') }),
    ...(start !== undefined && { start: parseScn(start) }),
  };
}

/** A saved replication that was not launched yet may still have its publication and slot made. */
function planByName(name: string, env: NodeJS.ProcessEnv): Plan {
  const store = ReplicationStore.open(env);
  const replication = store.get(name);
  if (replication === undefined) throw store.missing(name);
  const { answers } = replication;
  const { tables = 'all', targetSchema, options } = answers;
  if (targetSchema === undefined) {
    throw new UsageError(`the setup of ${name} has no target schema yet`, { fix: 'instar' });
  }
  const launched = replication.step === undefined;
  const running = stateOf(replication) === 'running';
  return {
    ...(running && {
      note: `${name} replicates at this moment, as process ${replication.run?.pid}: slot and lease count as taken, and it is who has them. To look at a start: instar stop ${name}`,
    }),
    ...describeConnections(replication, { secrets: SecretsFile.open(env), env }),
    targetSchema,
    stagingSchema: options?.stagingSchema ?? String(flagNamed('stagingSchema').default),
    userscript: options?.userscript,
    wishes: { ...sinceThen(kitOf(answers.kind).wishes(answers, launched), replication), tables },
  };
}

/** Redo from before the first checkpoint is needed no more once there is one; the checks of the target look at the checkpoint. */
function sinceThen(wishes: SourceWishes, { replicated = false }: Replication): SourceWishes {
  const { oracle } = wishes;
  if (oracle === undefined || !replicated) return wishes;
  const { start: _, ...others } = oracle;
  return { ...wishes, oracle: others };
}

/** `a.b,"c,d".e` as a list. @throws UsageError for what is no table. */
function tableList(text: string): string[] {
  const tables = (text.match(/(?:"(?:[^"]|"")*"|[^",])+/g) ?? []).map((table) => table.trim());
  for (const table of tables) {
    try {
      parseTableName(table);
    } catch (error) {
      throw error instanceof UsageError ? new UsageError(`--tables: ${error.message}`) : error;
    }
  }
  if (tables.length === 0) throw new UsageError('--tables names no table');
  return tables;
}
