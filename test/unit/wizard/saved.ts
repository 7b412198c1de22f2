import type { Reading } from '../../../src/dashboard/reading.ts';
import type { Replication } from '../../../src/sessions/replication.ts';

/** A replication that has been launched, as it is saved. */
export function launched(name: string, change: Partial<Replication> = {}): Replication {
  return {
    name,
    created: '2026-11-20T10:00:00.000Z',
    answers: {
      kind: 'pglogical',
      source: { display: 'postgresql://app:*****@db1:5432/shop' },
      target: { display: 'postgresql://root@crdb:26257/defaultdb?sslmode=require' },
      tables: 'all',
      targetSchema: 'defaultdb.public',
      publication: { name: 'molt_fetch', create: true },
      slot: { name: 'molt_slot', create: true },
      options: {},
    },
    made: [
      { what: 'publication', side: 'source', name: 'molt_fetch', at: '2026-11-20T10:05:00.000Z' },
      { what: 'slot', side: 'source', name: 'molt_slot', at: '2026-11-20T10:05:01.000Z', lsn: '0/167A220' },
      { what: 'staging schema', side: 'target', name: '_replicator.public', at: '2026-11-20T10:05:02.000Z' },
    ],
    run: {
      pid: 4711,
      identity: 'x',
      started: Date.now() - 2 * 3600_000,
      metricsAddr: '127.0.0.1:41234',
      logFile: '/var/log/shop.log',
    },
    ...change,
  };
}

/** A reading of an engine that follows its source. */
export function reading(change: Partial<Reading> = {}): Reading {
  return {
    at: Date.now(),
    staleFor: 0,
    silence: undefined,
    source: undefined,
    target: undefined,
    kind: 'pglogical',
    pid: 4711,
    startedAt: undefined,
    engineState: 'following',
    paused: false,
    lag: {
      state: 'following',
      reason: undefined,
      seconds: 0.35,
      bytes: 0,
      transactions: undefined,
      p50: undefined,
      p99: undefined,
      trend: undefined,
      caughtUpIn: undefined,
      lastEvent: undefined,
      lastHeartbeat: undefined,
    },
    rowsPerSecond: undefined,
    bytesPerSecond: undefined,
    history: { lagSeconds: [], rowsPerSecond: [], bytesPerSecond: [] },
    position: { source: '0/167A300', applied: '0/167A2F8', distance: 8 },
    retained: {
      bytes: undefined,
      limit: undefined,
      bytesPerHour: undefined,
      secondsLeft: undefined,
      walStatus: undefined,
    },
    stages: [],
    tables: [],
    script: undefined,
    mining: undefined,
    troubles: [],
    deadLetters: undefined,
    deadLetterTable: undefined,
    ...change,
  };
}
