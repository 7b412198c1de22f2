import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MysqlReplica } from '../harness/mysql-replica.ts';
import { type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { randomNumbers } from './chaos.ts';
import { MysqlWorkload } from './mysql-workload.ts';
import { FIRST_ROWS, MYSQL_TABLES, TARGET_TABLES } from './mysql-workload-tables.ts';
import { RawProxy } from './raw-proxy.ts';
import { type Dice, diceOf } from './workload-steps.ts';
import { chooseSeed } from './workload.ts';

/** How long each run strikes, in milliseconds; INSTAR_SOAK gives seconds. */
const DURATION = process.env.INSTAR_SOAK === undefined ? 7_000 : Number(process.env.INSTAR_SOAK) * 1000;
/** Time that a busy machine may need to apply what has piled up. */
const CATCH_UP = 90_000 + DURATION;

interface Run {
  readonly replica: MysqlReplica;
  readonly source: MysqlServer;
  readonly target: PostgresServer;
  readonly dice: Dice;
  /** Starts the replicator, after the first time with the flags of a resume. */
  startEngine(): Promise<void>;
}

interface Scenario {
  readonly name: string;
  readonly flavour: MysqlFlavour;
  readonly settings?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  readonly proxied?: true;
  strike(run: Run, proxy: RawProxy | undefined): Promise<void>;
}

async function killEngine({ replica, dice, startEngine }: Run): Promise<void> {
  await sleep(dice.roll(1500));
  await replica.engine?.kill();
  await sleep(dice.pick([0, 0, 300]));
  await startEngine();
}

async function crashSource({ source, dice }: Run): Promise<void> {
  await sleep(1500 + dice.roll(1500));
  await source.kill();
  await sleep(dice.roll(500));
  await source.restart();
}

async function crashTarget({ target, dice }: Run): Promise<void> {
  await sleep(800 + dice.roll(1500));
  await target.kill();
  await sleep(dice.roll(500));
  await target.restart();
}

async function strikeLine({ dice }: Run, proxy: RawProxy | undefined): Promise<void> {
  await sleep(300 + dice.roll(1200));
  if (dice.roll(3) > 0) proxy?.cut();
  else {
    proxy?.stall();
    await sleep(20 + dice.roll(400));
    proxy?.resume();
  }
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'the engine is killed', flavour: 'mysql', strike: killEngine },
  { name: 'the engine is killed', flavour: 'mariadb-11', strike: killEngine },
  { name: 'the source crashes', flavour: 'mysql', strike: crashSource },
  { name: 'the source crashes', flavour: 'mariadb', strike: crashSource },
  { name: 'the target crashes', flavour: 'mysql', strike: crashTarget },
  { name: 'the line to the source is cut and stalled', flavour: 'mysql', proxied: true, strike: strikeLine },
  {
    name: 'metadata from the catalogue, and the engine is killed',
    flavour: 'mysql',
    settings: { binlog_row_metadata: 'MINIMAL' },
    flags: ['--fetchMetadata'],
    strike: killEngine,
  },
  {
    name: 'parallel applies in small batches, and the engine is killed',
    flavour: 'mysql',
    flags: ['--enableParallelApplies', '--flushSize', '5', '--targetApplyQueueSize', '3', '--memoryLimit', '4MiB'],
    strike: killEngine,
  },
];

for (const [index, scenario] of SCENARIOS.entries()) {
  test(`nothing is lost or doubled from ${scenario.flavour}: ${scenario.name}`, async (t) => {
    const seed = chooseSeed() + index * 7919;
    t.diagnostic(`seed ${seed - index * 7919}`);
    await runScenario(t, scenario, seed);
  });
}

async function runScenario(t: TestContext, scenario: Scenario, seed: number): Promise<void> {
  const { flavour, settings, flags = [] } = scenario;
  const [source, target] = await Promise.all([startMysql({ flavour, settings }), startPostgres({ version: 18 })]);
  t.after(() => Promise.all([source.stop(), target.stop()]).then(() => {}));
  const replica = await MysqlReplica.create(t, source, target, {
    sourceSchema: MYSQL_TABLES,
    targetSchema: TARGET_TABLES,
    rows: FIRST_ROWS,
  });
  // A schema that changes cannot be read by definitions of today.
  const schemaChanges = !flags.includes('--fetchMetadata');
  const workload = new MysqlWorkload(replica, source, seed, { schemaChanges });
  const proxy = scenario.proxied && (await RawProxy.start(source));
  if (proxy) t.after(() => proxy.close());
  const sourceConn = proxy ? proxy.url(replica.sourceConn) : replica.sourceConn;

  let streamed = false;
  const run: Run = {
    replica,
    source,
    target,
    dice: diceOf(randomNumbers(seed + 2000)),
    startEngine: async () => {
      // Once there is a checkpoint to find the target schema by, the shorter command is enough.
      streamed ||= /streaming/.test(replica.engine?.log ?? '');
      await replica.start([], {
        sourceConn,
        flags: [...(streamed ? replica.resumeFlags : replica.firstRunFlags), ...flags],
      });
    },
  };
  await run.startEngine();
  workload.start();
  const end = Date.now() + DURATION;
  try {
    // A server that is not there at the start ends the replicator, as it should.
    await replica.engine?.waitForLog(/ streaming /, 60_000);
    await sleep(500);
    while (Date.now() < end) {
      await scenario.strike(run, proxy || undefined);
      if (replica.engine?.failed) throw new Error(`the engine gave up\n${replica.engine.logTail()}`);
    }
  } finally {
    await workload.stop();
  }
  await replica.reconnect();
  await replica.assertSettledEqual(CATCH_UP);
  t.diagnostic(workload.summary);
  assert.deepEqual(workload.violations, []);
}
