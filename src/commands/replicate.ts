import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { VERSION } from '../config/build.ts';
import { parseConnectionString } from '../config/connection.ts';
import { registerSecret } from '../config/secrets.ts';
import type { Settings } from '../config/settings.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import { Activity } from '../engine/activity.ts';
import { connectionLost, isTransient } from '../engine/connection-loss.ts';
import { applierMetrics, watchPipeline } from '../engine/instrumentation.ts';
import { openLetters } from '../engine/letters.ts';
import { Pause } from '../engine/pause.ts';
import { Pipeline } from '../engine/pipeline.ts';
import { scriptMetrics } from '../engine/script-metrics.ts';
import { openTarget, type Target, type TargetSettings } from '../engine/target.ts';
import { DefectError, OperatorError, UsageError } from '../errors.ts';
import { type ClosableLogger, createLogger } from '../log/create-logger.ts';
import { errorText, logError, moreLine } from '../log/log-error.ts';
import type { Logger } from '../log/logger.ts';
import { Diagnostics } from '../metrics/diagnostics.ts';
import type { Metrics } from '../metrics/registry.ts';
import { type Control, MetricsServer } from '../metrics/server.ts';
import { Snapshotter } from '../metrics/snapshots/snapshotter.ts';
import type { Troubles } from '../metrics/troubles.ts';
import type { Source } from '../sources/source.ts';
import { Lease, leaseName } from '../staging/lease.ts';
import { typeErrors } from '../userscript/check-types.ts';
import { Userscript } from '../userscript/userscript.ts';
import type { CommandContext } from './command.ts';
import { endOnDefects } from './defects.ts';
import { describeEngine } from './engine-diagnostics.ts';
import { snapshotSettings } from './engine-snapshots.ts';
import { isStandardError, reopenedOnHangup } from './log-file.ts';

/** The flags that every log source has. */
export type EngineSettings = Settings<'pglogical' | 'mylogical' | 'oraclelogminer'>;

/** Batches that may wait when `--targetApplyQueueSize` is not set: the bytes are bounded by `--memoryLimit`. */
const QUEUE_SIZE = 256;

/** Milliseconds that each part gets to say goodbye; a server that is stalled never answers. */
const CLOSE_PATIENCE = 2000;

/** Milliseconds that a step of the start is tried again: what a process that has just died held may not be free yet. */
const START_PATIENCE = 10_000;

/** The engine's log, counted by level; what it tells of problems is kept for `/_/diag`. */
export function openLog(
  settings: EngineSettings,
  metrics: Metrics,
  troubles: Troubles,
  context: CommandContext,
): ClosableLogger {
  const log = createLogger({
    format: settings.logFormat as 'text' | 'fluent',
    verbosity: settings.verbose,
    destination: settings.logDestination,
    rotation: { maxSize: settings.logMaxSize, maxFiles: settings.logMaxFiles },
    stdout: context.stdout,
    onLine: (level, message, fields) => {
      metrics.handle.log_message_count.inc({ level });
      troubles.line(level, message, fields);
    },
  });
  return reopenedOnHangup(log);
}

/**
 * V8 lets the room for young objects grow to 64 MB under load. The hot path makes few objects, which a room of 2 MB holds as well: the throughput
 * is the same, and the process a hundred megabytes smaller.
 */
const YOUNG_GENERATION = '--semi-space-growth-factor=1';

/** Runs an engine until it is told to stop; resolves to the exit status. */
export async function replicate(parts: {
  source: Source;
  sourceConnection: SourceConnection;
  settings: EngineSettings;
  /** The flags that have to be the same on every start, for people: `--slotName and --stagingSchema`. */
  sameFlags: string;
  metrics: Metrics;
  troubles: Troubles;
  log: ClosableLogger;
  context: CommandContext;
}): Promise<number> {
  const { source, settings, metrics, log, context } = parts;
  setFlagsFromString(YOUNG_GENERATION);
  const stop = stopOnSignals(log);
  const pause = pausing(metrics, log);
  const control = controlOf(context.env, pause);
  const activity = new Activity();
  const queueSize = settings.targetApplyQueueSize ?? QUEUE_SIZE;
  // Where the log is a file, the terminal has to be told as well.
  const apart = settings.logDestination !== undefined && !isStandardError(settings.logDestination);
  const tell = (error: unknown) => {
    if (apart) context.stderr.write(`${context.program}: ${errorText(error)}\n${moreLine(error)}`);
  };
  endOnDefects(log, tell);
  const targetConnection = parseConnectionString(settings.targetConn, '--targetConn', context.env);
  const stagingConnection =
    settings.stagingConn === undefined
      ? undefined
      : parseConnectionString(settings.stagingConn, '--stagingConn', context.env);
  const diagnostics = new Diagnostics();
  let health = (): string | undefined => 'starting';
  /** Who has the lease that is waited for. */
  let holder: string | undefined;
  let server: MetricsServer | undefined;
  let snapshotter: Snapshotter | undefined;
  const closers: (() => unknown)[] = [];
  try {
    log.info(`${context.program === 'replicator' ? 'Replicator' : 'Instar'} starting`, {
      version: VERSION,
      source: parts.sourceConnection.display,
      target: targetConnection.display,
    });
    const snapshots = snapshotSettings(settings);
    const ignored = [parts.sourceConnection, targetConnection, stagingConnection].flatMap((one) => one?.ignored ?? []);
    if (ignored.length > 0) {
      log.warn(`parameters of connection strings without effect here: ${[...new Set(ignored)].join(', ')}`);
    }
    if (settings.metricsAddr !== undefined) {
      const address = settings.metricsAddr;
      server = await MetricsServer.start({
        address,
        metrics,
        diagnostics,
        health: () => health(),
        logger: log,
        control,
        debugEverywhere: settings.enableDebugEndpoints,
      });
    }
    const target = await patiently(
      () => openTarget(targetConnection, stagingConnection, source, targetSettings(settings), metrics),
      stop.signal,
      log,
    );
    closers.push(() => target.close());
    const userscript = await openUserscript(settings, target, metrics, log);
    if (userscript !== undefined) closers.push(() => userscript.close());
    const letters = openLetters(target, settings.dlqTableName);
    const pipeline = new Pipeline({
      source,
      dialect: target.dialect,
      tables: target.tables,
      store: target.store,
      identity: target.identity,
      openSession: target.openSession,
      deadLetters: letters,
      ...(userscript && {
        script: { userscript, schema: target.schema, defaultsOf: target.defaultsOf, timeout: settings.applyTimeout },
      }),
      batching: {
        flushSize: settings.flushSize,
        transactionLimit: settings.timestampLimit,
        memoryLimit: settings.memoryLimit,
        queueSize,
      },
      applying: {
        flushPeriod: settings.flushPeriod,
        maxRetries: settings.maxRetries,
        retryInitialBackoff: settings.retryInitialBackoff,
        retryMaxBackoff: settings.retryMaxBackoff,
        retryMultiplier: settings.retryMultiplier,
        onApplyError: settings.onApplyError as 'stop' | 'dlq',
        collapse: settings.collapseMutations,
        lanes: settings.enableParallelApplies ? lanes(settings) : 1,
      },
      gracePeriod: settings.gracePeriod,
      pause,
      events: applierMetrics(metrics, source.kind, target.schema.raw, settings.dlqTableName, log, activity),
      log,
    });
    const waiting = () => (holder === undefined ? undefined : `waiting for the lease held by ${holder}`);
    health = () =>
      holder === undefined ? pipeline.health : `${settings.standby ? 'standby' : 'starting'}: ${waiting()}`;
    describeEngine(diagnostics, {
      ...parts,
      settings: { ...settings, targetApplyQueueSize: queueSize },
      target: targetConnection,
      staging: stagingConnection ?? targetConnection,
      pipeline,
      pause,
      activity,
      waiting,
    });
    if (snapshots !== undefined) snapshotter = new Snapshotter({ ...snapshots, metrics, diagnostics, logger: log });
    closers.push(
      watchPipeline(metrics, pipeline, source, { queueSize, schema: target.schema.raw }, activity),
      refreshSchema(target.tables, settings.schemaRefresh, log),
    );
    const reader = `${targetConnection.host}:${targetConnection.port}/${target.schema.raw}`;
    // The lease comes before the source: who already replicates tells more than whose slot is in use.
    let connected = false;
    const connect = async () => {
      if (connected) return;
      const tables = await patiently(() => source.connect(reader), stop.signal, log);
      closers.push(() => source.close());
      // Only its handlers know where the rows of a table that they handle go.
      const written = () => tables.filter((table) => !userscript?.handles(table, target.tables.catalogue));
      await patiently(() => target.tables.check(written), stop.signal, log);
      connected = true;
    };
    await runUnderLease(pipeline, connect, stop.signal, log, (cut, onLost) =>
      Lease.acquire({
        staging: target.staging,
        name: leaseName(source.kind, target.schema),
        connect: target.connectStaging,
        standby: settings.standby,
        signal: AbortSignal.any([stop.signal, cut]),
        onLost,
        onWait: (other) => {
          holder = other;
        },
        log,
      }).finally(() => {
        holder = undefined;
      }),
    );
    log.info(`stopped as asked; resume with the same ${parts.sameFlags}`, {
      checkpoint: pipeline.state.checkpoint?.toString(),
    });
    return 0;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return 0;
    const told = error instanceof OperatorError ? error : new DefectError(error);
    logError(log, told);
    tell(told);
    return error instanceof UsageError ? 2 : 1;
  } finally {
    stop.release();
    // First, as it shows how everything was when it ended.
    if (snapshotter !== undefined) closers.push(() => snapshotter?.close());
    for (const close of closers.reverse()) {
      await Promise.race([Promise.resolve(close()).catch(() => {}), sleep(CLOSE_PATIENCE, undefined, { ref: false })]);
    }
    await server?.close();
    await log.close();
  }
}

/** The userscript of `--userscript`, ready for rows. @throws OperatorError SCRIPT_… */
async function openUserscript(
  settings: EngineSettings,
  target: Target,
  metrics: Metrics,
  log: Logger,
): Promise<Userscript | undefined> {
  const { userscript: path, userscriptTimeout: timeout } = settings;
  if (path === undefined || path === '') return undefined;
  const script = await Userscript.open({ path, timeout, log, ...scriptMetrics(metrics, () => target.schema.raw) });
  try {
    script.bind(target.schema, target.dialect, target.tables.catalogue);
  } catch (error) {
    await script.close();
    throw error;
  }
  void tellTypeErrors(path, log);
  const { schemas, tables } = script.configuration;
  log.info('rows go through a userscript', {
    path,
    schemas: schemas.map(({ name }) => name).join(', '),
    tables: tables.flatMap(({ names }) => names).join(', '),
  });
  return script;
}

/** Type errors do not keep a script from running: they are told, and the engine does not wait for the compiler. */
async function tellTypeErrors(path: string, log: Logger): Promise<void> {
  const errors = await typeErrors(path).catch(() => undefined);
  if (errors === undefined || errors.length === 0) return;
  log.warn(`the userscript has type errors, with which it runs all the same:\n${errors.join('\n')}`, {
    code: 'SCRIPT_TYPES',
    fix: `instar userscript check ${path}`,
  });
}

/** Parallelism is held to 80% of the connections allowed. */
function lanes({ parallelism, targetMaxPoolSize }: EngineSettings): number {
  return Math.min(parallelism, Math.max(1, Math.floor(0.8 * targetMaxPoolSize)));
}

function targetSettings(settings: EngineSettings): TargetSettings {
  const { targetSchema, stagingSchema, stagingCreateSchema, applyTimeout, targetStatementCacheSize } = settings;
  return { targetSchema, stagingSchema, stagingCreateSchema, applyTimeout, statementCache: targetStatementCacheSize };
}

/** What passes by itself within moments; a server that refuses, or cannot be found, is told at once. */
const PASSING = new Set([
  'CONNECTION_LOST',
  'MYSQL_CONNECTION_LOST',
  'MYSQL_SOURCE_DISCONNECTED',
  'MYSQL_STARTING',
  'PG_CONNECTION_LOST',
  'PG_SLOT_ACTIVE',
  'PG_SOURCE_DISCONNECTED',
  'PG_STARTING',
  'TARGET_LOST',
]);

/**
 * Does a step of the start, again for a while when what it failed by passes.
 * @throws OperatorError of the step; the signal's reason when stopped.
 */
async function patiently<T>(step: () => Promise<T>, stop: AbortSignal, log: Logger): Promise<T> {
  const deadline = performance.now() + START_PATIENCE;
  for (let told = ''; ; ) {
    stop.throwIfAborted();
    try {
      return await step();
    } catch (error) {
      if (!isTransient(error)) throw error;
      const failure = connectionLost(error as Error);
      if (!PASSING.has(failure.code) || performance.now() > deadline) throw failure;
      if (told !== failure.code) {
        log.info(`${failure.message}; will try again for up to ${START_PATIENCE / 1000} s`, { code: failure.code });
      }
      told = failure.code;
      await sleep(200, undefined, { signal: stop }).catch(() => {});
    }
  }
}

/**
 * Runs the pipeline while the lease is held. A lease that ran out because the staging database could not be reached is taken
 * again as soon as it can; one that another process has taken ends the run.
 */
async function runUnderLease(
  pipeline: Pipeline,
  connect: () => Promise<void>,
  stop: AbortSignal,
  log: Logger,
  acquire: (cut: AbortSignal, onLost: (error: OperatorError) => void) => Promise<Lease>,
): Promise<void> {
  for (let first = true; !stop.aborted; first = false) {
    const cut = new AbortController();
    let lease: Lease | undefined;
    try {
      lease = await patiently(() => acquire(cut.signal, (error) => cut.abort(error)), stop, log);
      await connect();
      await pipeline.run(stop, cut.signal);
    } catch (error) {
      if (stop.aborted && !(error instanceof OperatorError)) return;
      // A lost lease is waited for, and whatever keeps it from being taken again; what fails at the start is told at once.
      const waits = error instanceof OperatorError && error.transient && (!first || cut.signal.aborted);
      if (!waits) throw error;
      log.warn(`${error.message}; will try again`, { code: error.code });
      await sleep(500, undefined, { signal: stop }).catch(() => {});
    } finally {
      await lease?.release();
    }
  }
}

/** Reads the target's catalogue again every `period` ms; returns how to stop. */
function refreshSchema(tables: { refresh(): Promise<void> }, period: number, log: Logger): () => void {
  if (period <= 0) return () => {};
  const timer = setInterval(() => {
    tables
      .refresh()
      .catch((error: Error) => log.debug('the target schema could not be read again', { error: error.message }));
  }, period);
  timer.unref();
  return () => clearInterval(timer);
}

/** The first SIGINT or SIGTERM asks for an orderly stop; the second ends the process, which loses nothing. */
function stopOnSignals(log: Logger): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      log.warn('stopping at once; what was not committed will be read again on resume', { signal: name });
      process.exit(0);
    }
    log.info('Interrupted: finishing what is in hand; once more to stop at once', { signal: name });
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release() {
      process.removeListener('SIGINT', onSignal);
      process.removeListener('SIGTERM', onSignal);
    },
  };
}

/** The switch that stops applying for a while, as the log and the metrics show it. */
function pausing({ handle }: Metrics, log: Logger): Pause {
  const pause = new Pause();
  pause.onChange((active) => {
    handle.instar_paused.set(active ? 1 : 0);
    log.info(active ? 'paused by request' : 'continued');
  });
  return pause;
}

/** Who knows the token in the environment may pause; without one nobody may. */
function controlOf(env: NodeJS.ProcessEnv, pause: Pause): Control | undefined {
  const token = env.INSTAR_CONTROL_TOKEN;
  if (!token) return undefined;
  registerSecret(token);
  return { token, pause: () => pause.set(true), continue: () => pause.set(false) };
}
