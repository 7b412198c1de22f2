import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Replica } from '../harness/replica.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { randomNumbers } from './chaos.ts';
import { FaultProxy } from './proxy.ts';
import { type Dice, diceOf } from './workload-steps.ts';
import { WORKLOAD_TABLES } from './workload-tables.ts';
import { chooseSeed, Workload } from './workload.ts';

/** How long each run strikes, in milliseconds; INSTAR_SOAK gives seconds. */
const DURATION = process.env.INSTAR_SOAK === undefined ? 9_000 : Number(process.env.INSTAR_SOAK) * 1000;
/** Time that a busy machine may need to apply what has piled up. */
const CATCH_UP = 90_000 + DURATION;

interface Run {
  readonly replica: Replica;
  readonly source: PostgresServer;
  readonly target: PostgresServer;
  readonly dice: Dice;
  readonly seed: number;
  /** Starts the replicator, after the first time with the flags of a resume. */
  startEngine(): Promise<void>;
}

interface Scenario {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly sourceVersion?: 14 | 18;
  /** The replicator reaches the servers through proxies. */
  prepare?(
    run: Run,
    t: TestContext,
  ): Promise<{ sourceConn: string; targetConn: string; strike(): Promise<void>; calm(): void }>;
  strike?(run: Run): Promise<void>;
}

/** SIGKILL and a new start. */
async function killEngine({ replica, dice, startEngine }: Run): Promise<void> {
  await sleep(dice.roll(1500));
  await replica.engine?.kill();
  await sleep(dice.pick([0, 0, 300]));
  await startEngine();
}

async function crashServer(server: PostgresServer, dice: Dice): Promise<void> {
  await sleep(800 + dice.roll(1500));
  await server.kill();
  await sleep(dice.roll(700));
  await server.restart();
}

/** Both connections through proxies; `rate` is the share of the target's statements that fail. */
async function throughProxies(run: Run, t: TestContext, rate: number) {
  const [source, target] = await Promise.all([FaultProxy.start(run.source), FaultProxy.start(run.target)]);
  t.after(() => Promise.all([source.close(), target.close()]));
  const faults = [
    target.chaos({ seed: run.seed, rate, everyMs: 2500 }),
    source.chaos({ seed: run.seed + 1, rate: 0, everyMs: 3000 }),
  ];
  const calm = () => {
    for (const chaos of faults) chaos.stop();
  };
  t.after(calm);
  return {
    sourceConn: source.url(run.replica.sourceConn),
    targetConn: target.url(run.replica.targetConn),
    strike: () => sleep(500),
    calm,
  };
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'the engine is killed', strike: killEngine },
  { name: 'the engine is killed, source PostgreSQL 14', sourceVersion: 14, strike: killEngine },
  { name: 'the target crashes', strike: ({ target, dice }) => crashServer(target, dice) },
  { name: 'the source crashes', strike: ({ source, dice }) => crashServer(source, dice) },
  {
    name: 'connections are cut and stalled, statements fail, commits are ambiguous',
    prepare: (run, t) => throughProxies(run, t, 0.01),
  },
  {
    name: 'parallel applies: the engine is killed, connections are cut, commits are ambiguous',
    flags: ['--enableParallelApplies'],
    prepare: async (run, t) => {
      const proxies = await throughProxies(run, t, 0.01);
      return { ...proxies, strike: () => killEngine(run) };
    },
  },
  {
    name: 'everything at once, in small batches',
    flags: ['--flushSize', '5', '--targetApplyQueueSize', '3', '--memoryLimit', '4MiB'],
    prepare: async (run, t) => {
      const proxies = await throughProxies(run, t, 0.005);
      const blows = [
        () => killEngine(run),
        () => crashServer(run.source, run.dice),
        () => crashServer(run.target, run.dice),
      ];
      return { ...proxies, strike: () => run.dice.pick(blows)() };
    },
  },
];

for (const [index, scenario] of SCENARIOS.entries()) {
  test(`nothing is lost or doubled: ${scenario.name}`, async (t) => {
    const seed = chooseSeed() + index * 7919;
    t.diagnostic(`seed ${seed - index * 7919}`);
    const settings = { logical_decoding_work_mem: '64kB', wal_sender_timeout: '5s' };
    const [source, target] = await Promise.all([
      startPostgres({ version: scenario.sourceVersion ?? 18, settings }),
      startPostgres({ version: 18 }),
    ]);
    t.after(() => Promise.all([source.stop(), target.stop()]).then(() => {}));
    const replica = await Replica.create(t, source, target, { schema: WORKLOAD_TABLES });
    const workload = new Workload(replica, seed);

    let conns = { sourceConn: replica.sourceConn, targetConn: replica.targetConn };
    let streamed = false;
    const run: Run = {
      replica,
      source,
      target,
      seed,
      dice: diceOf(randomNumbers(seed + 2000)),
      startEngine: async () => {
        // Once there is a checkpoint to find the target schema by, the shorter command is enough.
        streamed ||= /streaming/.test(replica.engine?.log ?? '');
        const flags = [...(streamed ? replica.resumeFlags : replica.firstRunFlags), ...(scenario.flags ?? [])];
        await replica.start([], { ...conns, flags });
      },
    };
    const prepared = await scenario.prepare?.(run, t);
    if (prepared !== undefined) conns = prepared;
    const strike = prepared?.strike ?? (() => scenario.strike?.(run));

    await run.startEngine();
    workload.start();
    const end = Date.now() + DURATION;
    try {
      // A server that is not there at the start ends the replicator, as it should.
      await replica.engine?.waitForLog(/ streaming /, 60_000);
      await sleep(500);
      while (Date.now() < end) {
        await strike();
        if (replica.engine?.failed) throw new Error(`the engine gave up\n${replica.engine.logTail()}`);
      }
    } finally {
      prepared?.calm();
      await workload.stop();
    }
    await replica.reconnect();
    await replica.settle(CATCH_UP);
    await workload.alignSchema();
    t.diagnostic(workload.summary);
    await replica.assertEqual();
    assert.deepEqual(workload.violations, []);
  });
}
