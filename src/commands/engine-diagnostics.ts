import { VERSION } from '../config/build.ts';
import type { ConnectionDescription } from '../config/connection.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import type { Activity } from '../engine/activity.ts';
import type { Pause } from '../engine/pause.ts';
import type { Pipeline } from '../engine/pipeline.ts';
import type { Logger } from '../log/logger.ts';
import type { Diagnostics } from '../metrics/diagnostics.ts';
import type { Troubles } from '../metrics/troubles.ts';
import type { Source } from '../sources/source.ts';
import type { EngineSettings } from './replicate.ts';

export interface EngineParts {
  readonly source: Source;
  readonly sourceConnection: SourceConnection;
  readonly target: ConnectionDescription;
  readonly staging: ConnectionDescription;
  /** As they are in force. */
  readonly settings: EngineSettings;
  readonly pipeline: Pipeline;
  readonly pause: Pause;
  readonly activity: Activity;
  readonly troubles: Troubles;
  /** What is waited for before the engine can begin. */
  readonly waiting: () => string | undefined;
  readonly log: Logger;
}

/** Registers what `/_/diag` shows of an engine, and logs it on SIGUSR1. */
export function describeEngine(diagnostics: Diagnostics, parts: EngineParts): void {
  const { source, pipeline, pause, activity } = parts;
  const { status } = source;
  const settings = { ...parts.settings, sourceConn: undefined, targetConn: undefined, stagingConn: undefined };
  diagnostics.register('build', () => ({ version: VERSION, node: process.version, pid: process.pid }));
  diagnostics.register('settings', () => settings);
  diagnostics.register('source', () => ({
    kind: source.kind,
    connection: parts.sourceConnection.display,
    identity: source.identity,
    state: status.state,
    head: status.head?.toString(),
    lagBytes: status.lagBytes,
    waitingTransactions: status.waitingTransactions,
    retainedBytes: status.retainedBytes,
    retention: { retainedBytes: status.retainedBytes, ...status.retention },
    received: status.received,
    lastReceived: status.lastReceived,
  }));
  diagnostics.register('target', () => ({ connection: parts.target.display }));
  diagnostics.register('staging', () => ({
    connection: parts.staging.display,
    schema: parts.settings.stagingSchema,
  }));
  diagnostics.register('checkpoint', () => ({ position: pipeline.state.checkpoint?.toString() }));
  diagnostics.register('engine', () => {
    const waiting = parts.waiting();
    return {
      state: waiting === undefined ? pipeline.state.state : 'starting',
      reason: waiting ?? pipeline.state.reason,
      paused: pause.active,
      bufferedBytes: pipeline.buffered,
      queued: pipeline.queued,
      inFlight: pipeline.inFlight,
      ...activity.shares,
    };
  });
  diagnostics.register('lag', () => ({
    ...activity.lag,
    lastEvent: activity.lastEvent,
    lastHeartbeat: status.lastReceived || undefined,
  }));
  diagnostics.register('troubles', () => parts.troubles.list);
  process.on('SIGUSR1', () => parts.log.info('diagnostics', { document: diagnostics.document() }));
}
