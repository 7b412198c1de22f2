import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionDescription, parseConnectionString } from '../config/connection.ts';
import type { Settings } from '../config/settings.ts';
import { applierMetrics, watchPipeline } from '../engine/instrumentation.ts';
import { openLetters } from '../engine/letters.ts';
import { Pipeline } from '../engine/pipeline.ts';
import { openTarget, type TargetSettings } from '../engine/target.ts';
import { OperatorError, UsageError } from '../errors.ts';
import { type ClosableLogger, createLogger } from '../log/create-logger.ts';
import { logError } from '../log/log-error.ts';
import type { Logger } from '../log/logger.ts';
import { Diagnostics } from '../metrics/diagnostics.ts';
import type { Metrics } from '../metrics/registry.ts';
import { MetricsServer } from '../metrics/server.ts';
import type { Source } from '../sources/source.ts';
import { Lease, leaseName } from '../staging/lease.ts';
import type { CommandContext } from './command.ts';
import { VERSION } from '../config/build.ts';

/** The flags that every log source has. */
export type EngineSettings = Omit<
  Settings<'pglogical'>,
  'slotName' | 'publicationName' | 'standbyTimeout' | 'truncate'
>;

/** Batches that may wait when `--targetApplyQueueSize` is not set: the bytes are bounded by `--memoryLimit`. */
const QUEUE_SIZE = 256;

/** Milliseconds that each part gets to say goodbye; a server that is stalled never answers. */
const CLOSE_PATIENCE = 2000;

/** Milliseconds for which the slot may still be held by a process that has just died. */
const SLOT_PATIENCE = 10_000;

/** The engine's log, counted by level. */
export function openLog(settings: EngineSettings, metrics: Metrics, context: CommandContext): ClosableLogger {
  return createLogger({
    format: settings.logFormat as 'text' | 'fluent',
    verbosity: settings.verbose,
    destination: settings.logDestination,
    stdout: context.stdout,
    onLine: (level) => metrics.handle.log_message_count.inc({ level }),
  });
}

/** Runs an engine until it is told to stop; resolves to the exit status. */
export async function replicate(parts: {
  source: Source;
  sourceConnection: ConnectionDescription;
  settings: EngineSettings;
  metrics: Metrics;
  log: ClosableLogger;
  context: CommandContext;
}): Promise<number> {
  const { source, settings, metrics, log, context } = parts;
  const stop = stopOnSignals(log);
  const defects = endOnDefects(log);
  const targetConnection = parseConnectionString(settings.targetConn, '--targetConn', context.env);
  const stagingConnection =
    settings.stagingConn === undefined
      ? undefined
      : parseConnectionString(settings.stagingConn, '--stagingConn', context.env);
  const diagnostics = new Diagnostics();
  let health = (): string | undefined => 'starting';
  let server: MetricsServer | undefined;
  const closers: (() => unknown)[] = [];
  try {
    log.info(`${context.program === 'replicator' ? 'Replicator' : 'Instar'} starting`, {
      version: VERSION,
      source: parts.sourceConnection.display,
      target: targetConnection.display,
    });
    const ignored = [parts.sourceConnection, targetConnection, stagingConnection].flatMap((one) => one?.ignored ?? []);
    if (ignored.length > 0) {
      log.warn(`parameters of connection strings without effect here: ${[...new Set(ignored)].join(', ')}`);
    }
    if (settings.metricsAddr !== undefined) {
      const address = settings.metricsAddr;
      server = await MetricsServer.start({ address, metrics, diagnostics, health: () => health(), logger: log });
    }
    const target = await openTarget(targetConnection, stagingConnection, source, targetSettings(settings), metrics);
    closers.push(() => target.close());
    const letters = openLetters(target, settings.dlqTableName);
    const pipeline = new Pipeline({
      source,
      dialect: target.dialect,
      tables: target.tables,
      store: target.store,
      identity: target.identity,
      openSession: target.openSession,
      deadLetters: letters,
      batching: {
        flushSize: settings.flushSize,
        transactionLimit: settings.timestampLimit,
        memoryLimit: settings.memoryLimit,
        queueSize: settings.targetApplyQueueSize ?? QUEUE_SIZE,
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
      events: applierMetrics(metrics, source.kind, target.schema.raw, settings.dlqTableName, log),
      log,
    });
    health = () => pipeline.health;
    describe(diagnostics, parts, targetConnection, stagingConnection, pipeline);
    closers.push(
      watchPipeline(metrics, pipeline, source, {
        queueSize: settings.targetApplyQueueSize ?? QUEUE_SIZE,
        schema: target.schema.raw,
      }),
      refreshSchema(target.tables, settings.schemaRefresh, log),
    );
    // The lease comes before the source: who already replicates tells more than whose slot is in use.
    let connected = false;
    const connect = async () => {
      if (connected) return;
      const tables = await connectSource(source, stop.signal, log);
      closers.push(() => source.close());
      target.tables.check(tables);
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
        log,
      }),
    );
    log.info('stopped as asked; resume with the same --slotName and --stagingSchema', {
      checkpoint: pipeline.state.checkpoint?.toString(),
    });
    return 0;
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return 0;
    logError(log, error);
    // Where the log is a file, the terminal has to be told as well.
    if (settings.logDestination !== undefined) throw error;
    return error instanceof UsageError ? 2 : 1;
  } finally {
    stop.release();
    defects.release();
    for (const close of closers.reverse()) {
      await Promise.race([Promise.resolve(close()).catch(() => {}), sleep(CLOSE_PATIENCE, undefined, { ref: false })]);
    }
    await server?.close();
    await log.close();
  }
}

/** Parallelism is held to 80% of the connections allowed. */
function lanes({ parallelism, targetMaxPoolSize }: EngineSettings): number {
  return Math.min(parallelism, Math.max(1, Math.floor(0.8 * targetMaxPoolSize)));
}

function targetSettings(settings: EngineSettings): TargetSettings {
  const { targetSchema, stagingSchema, stagingCreateSchema, applyTimeout, targetStatementCacheSize } = settings;
  return { targetSchema, stagingSchema, stagingCreateSchema, applyTimeout, statementCache: targetStatementCacheSize };
}

/**
 * Connects and checks; waits a while for a slot that a process which has just died still holds.
 * @throws OperatorError of the source; the signal's reason when stopped.
 */
async function connectSource(source: Source, stop: AbortSignal, log: Logger): ReturnType<Source['connect']> {
  const deadline = performance.now() + SLOT_PATIENCE;
  for (let told = false; ; told = true) {
    stop.throwIfAborted();
    try {
      return await source.connect();
    } catch (error) {
      const held = error instanceof OperatorError && error.code === 'PG_SLOT_ACTIVE';
      if (!held || performance.now() > deadline) throw error;
      if (!told) log.info(`${error.message}; waiting up to ${SLOT_PATIENCE / 1000} s for it`);
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
      lease = await acquire(cut.signal, (error) => cut.abort(error));
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

/** An error that nobody caught is a defect: it is logged, masked, and ends the process; the checkpoint is safe. */
function endOnDefects(log: ClosableLogger): { release(): void } {
  const onDefect = (error: unknown) => {
    const message = `a defect in this program, please report it; what is committed is safe, resume with the same command`;
    logError(log, new OperatorError('INTERNAL', message, { cause: error }), {
      error: error instanceof Error ? error.message : String(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    log.flush().then(() => process.exit(1));
  };
  process.on('uncaughtException', onDefect);
  process.on('unhandledRejection', onDefect);
  return {
    release() {
      process.removeListener('uncaughtException', onDefect);
      process.removeListener('unhandledRejection', onDefect);
    },
  };
}

/** What `/_/diag` shows, and SIGUSR1 logs. */
function describe(
  diagnostics: Diagnostics,
  parts: { source: Source; sourceConnection: ConnectionDescription; settings: EngineSettings; log: Logger },
  target: ConnectionDescription,
  staging: ConnectionDescription | undefined,
  pipeline: Pipeline,
): void {
  const { source, sourceConnection, settings, log } = parts;
  const shown = { ...settings, sourceConn: undefined, targetConn: undefined, stagingConn: undefined };
  diagnostics.register('build', () => ({ version: VERSION, node: process.version, pid: process.pid }));
  diagnostics.register('settings', () => shown);
  diagnostics.register('source', () => ({
    kind: source.kind,
    connection: sourceConnection.display,
    identity: source.identity,
    state: source.status.state,
    head: source.status.head?.toString(),
    lagBytes: source.status.lagBytes,
    retainedBytes: source.status.retainedBytes,
    lastReceived: source.status.lastReceived,
  }));
  diagnostics.register('target', () => ({ connection: target.display }));
  diagnostics.register('staging', () => ({ connection: (staging ?? target).display, schema: settings.stagingSchema }));
  diagnostics.register('checkpoint', () => ({ position: pipeline.state.checkpoint?.toString() }));
  diagnostics.register('engine', () => ({
    state: pipeline.state.state,
    reason: pipeline.state.reason,
    bufferedBytes: pipeline.buffered,
    queued: pipeline.queued,
    inFlight: pipeline.inFlight,
  }));
  process.on('SIGUSR1', () => log.info('diagnostics', { document: diagnostics.document() }));
}
