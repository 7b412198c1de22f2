import { Poller } from '../../src/dashboard/poller.ts';

/** What an engine shows of itself; to be changed at will between looks. */
export interface FakeEngine {
  rows: number;
  deletes: number;
  received: number;
  lag: number;
  lagBytes: number;
  queued: number;
  busy: number;
  retained: number;
  paused: boolean;
  state: string;
  reason: string | undefined;
  tables: string[];
  troubles: { at: number; code: string; message: string; fix?: string; table?: string }[];
  deadLetters: number;
  /** Transactions of a MySQL source that were applied, and that wait; undefined for a PostgreSQL source. */
  gtids: { applied: number; waiting: number } | undefined;
  /** It is gone: nobody answers. */
  gone: boolean;
}

export const NOW = Date.UTC(2026, 10, 22, 10, 20, 30);

/** An engine and a poller that looks at it whenever it is told to, with a clock of its own. */
export function fakeEngine(over: Partial<FakeEngine> = {}) {
  const engine: FakeEngine = {
    rows: 0,
    deletes: 0,
    received: 0,
    lag: 0.012,
    lagBytes: 0,
    queued: 0,
    busy: 0.1,
    retained: 2e9,
    paused: false,
    state: 'streaming',
    reason: undefined,
    tables: ['orders', 'customers', 'items'],
    troubles: [],
    deadLetters: 0,
    gtids: undefined,
    gone: false,
    ...over,
  };
  let now = NOW;
  const poller = new Poller('127.0.0.1:30005', {
    now: () => now,
    ask: () =>
      engine.gone
        ? Promise.reject(new Error('nobody listens on 127.0.0.1:30005 (connection refused)'))
        : Promise.resolve({ varz: varz(engine), diag: diag(engine, now), clockAhead: 0 }),
  });
  // The test says when it looks; the dashboard only begins and ends.
  poller.start = () => {};
  return {
    engine,
    poller,
    now: () => now,
    /** A second passes for each look; `change` is made before it. */
    async look(times = 1, change: (engine: FakeEngine) => void = () => {}): Promise<void> {
      for (let time = 0; time < times; time++) {
        now += 1000;
        change(engine);
        await poller.look();
      }
    },
  };
}

/** Changes arrive and are applied. */
export function busy(engine: FakeEngine): void {
  engine.rows += 1234;
  engine.deletes += 10;
  engine.received += 12_300_000;
}

function varz({ rows, deletes, lag, tables, deadLetters, queued }: FakeEngine): string {
  const lines = tables.flatMap((name, index) => {
    const labels = `{schema="shop.public",table="${name}"}`;
    const share = Math.floor(rows / tables.length) + (index === 0 ? rows % tables.length : 0);
    return [
      `apply_upserts_total${labels} ${share}`,
      `apply_deletes_total${labels} ${index === 0 ? deletes : 0}`,
      `apply_errors_total${labels} ${index === tables.length - 1 ? deadLetters : 0}`,
      `target_apply_mutation_age_seconds_sum${labels} ${share * lag}`,
      `target_apply_mutation_age_seconds_count${labels} ${share}`,
    ];
  });
  return `${lines.join('\n')}
mutation_total{source="postgres",type="insert"} ${rows}
core_sweep_duration_seconds_count{schema="shop.public"} ${rows / 100}
source_commit_to_apply_lag_seconds ${lag}
target_apply_queue_utilization_percent ${queued / 2.56}
cdc_sink_start_seconds ${NOW / 1000 - 3600}
instar_dead_letters_total{table="dlq"} ${deadLetters}
`;
}

/** What is told of a source by its kind. */
function sourceOf({ gtids, received, lagBytes, retained }: FakeEngine): { source: object; position: string } {
  if (gtids !== undefined) {
    const upTo = (last: number) => `77263736-7899-11f0-81a5-0242ac120002:1-${last}`;
    const head = upTo(gtids.applied + gtids.waiting);
    return {
      source: {
        kind: 'mylogical',
        connection: 'mysql://app@db1:3306/shop',
        head,
        waitingTransactions: gtids.waiting,
      },
      position: upTo(gtids.applied),
    };
  }
  const at = (lsn: number) => `0/${(0x167a220 + lsn).toString(16).toUpperCase()}`;
  return {
    source: {
      kind: 'pglogical',
      connection: 'postgresql://app@db1:5432/shop',
      head: at(received + lagBytes),
      lagBytes,
      retention: { retainedBytes: retained, limitBytes: 64e9, walStatus: 'extended' },
    },
    position: at(received),
  };
}

function diag(engine: FakeEngine, now: number): unknown {
  const { source, position } = sourceOf(engine);
  return {
    build: { pid: 4711 },
    settings: { memoryLimit: 256e6 },
    source: {
      ...source,
      state: engine.state === 'streaming' ? 'streaming' : 'connecting',
      lastReceived: now - 1000,
      received: engine.received,
    },
    target: { connection: 'postgresql://app@crdb:26257/shop' },
    checkpoint: { position },
    engine: {
      state: engine.state,
      reason: engine.reason,
      paused: engine.paused,
      bufferedBytes: engine.queued * 1e6,
      queued: engine.queued,
      inFlight: engine.queued > 0 ? 1 : 0,
      targetBusy: engine.busy,
    },
    lag: { p50: engine.lag / 2, p99: engine.lag * 3, lastEvent: now - 2000 },
    troubles: engine.troubles,
  };
}
