import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine, eventually } from '../harness/engine.ts';
import { connect } from '../harness/replica.ts';
import { OraError } from '../servers/oracle/answer.ts';
import { OracleServer, type OracleServerOptions } from '../servers/oracle/oracle.ts';
import { freshDatabase, sharedServer } from '../servers/postgres.ts';
import { randomNumbers } from './chaos.ts';
import { comparedQueries, ORACLE_TARGET_TABLES, OracleWorkload } from './oracle-workload.ts';
import { chooseSeed } from './workload.ts';
import { type Dice, diceOf } from './workload-steps.ts';

/** How long each run strikes, in milliseconds; INSTAR_SOAK gives seconds. */
const DURATION = process.env.INSTAR_SOAK === undefined ? 7_000 : Number(process.env.INSTAR_SOAK) * 1000;
/** Time that a busy machine may need to apply what has piled up. */
const CATCH_UP = 60_000;

const target = sharedServer();

interface Run {
  readonly server: OracleServer;
  readonly dice: Dice;
  engine: Engine;
  startEngine(): Promise<void>;
}

interface Scenario {
  readonly name: string;
  readonly server: OracleServerOptions;
  readonly flags?: readonly string[];
  strike(run: Run): Promise<void>;
}

async function killEngine(run: Run): Promise<void> {
  const { model } = run.server;
  // The other instance of a cluster is slow to write its redo now and then.
  const written = model.threads > 1 && run.dice.roll(2) === 0 ? model.stall(2) : () => {};
  await sleep(run.dice.roll(1500));
  written();
  await run.engine.kill();
  await sleep(run.dice.pick([0, 0, 300]));
  await run.startEngine();
}

/** Whatever goes wrong at a server that stays up. */
async function troubleServer({ server: { double, model }, dice }: Run): Promise<void> {
  await sleep(dice.roll(900));
  const trouble = dice.roll(7);
  if (trouble === 0) double.dropAll();
  else if (trouble === 1) double.dropNext(/FROM V\$LOGMNR_CONTENTS/, { rows: dice.roll(300) });
  else if (trouble === 2)
    double.failNext(/START_LOGMNR/, new OraError(4036, 'PGA memory used by the instance exceeds PGA_AGGREGATE_LIMIT'));
  else if (trouble === 3)
    double.failNext(/V\$LOGMNR_CONTENTS/, new OraError(310, 'archived log contains sequence 12; sequence 9 required'));
  else if (trouble === 4) double.failNext(/CURRENT_SCN/, new OraError(3113, 'end-of-file on communication channel'));
  else if (trouble === 5) {
    model.switchLog(1, 'late');
    await sleep(dice.roll(400));
    model.logs.archive();
  } else double.failNext(/UPDATE .*REPLICATOR_SENTINEL/, new OraError(1089, 'immediate shutdown in progress'));
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'the engine is killed', server: { profile: '19c', multitenant: true }, strike: killEngine },
  { name: 'the engine is killed, two threads of redo', server: { profile: '23ai', threads: 2 }, strike: killEngine },
  {
    name: 'the engine is killed, windows of 50 SCNs, transactions on the disk',
    server: { profile: '19c' },
    flags: ['--scnWindowSize', '50', '--memoryLimit', '4MiB', '--flushSize', '5'],
    strike: killEngine,
  },
  { name: 'the server is in trouble', server: { profile: '23ai', multitenant: true }, strike: troubleServer },
];

for (const [index, scenario] of SCENARIOS.entries()) {
  test(`nothing is lost or doubled from Oracle: ${scenario.name}`, async (t) => {
    const seed = chooseSeed() + index * 7919;
    t.diagnostic(`seed ${seed - index * 7919}`);
    await runScenario(t, scenario, seed);
  });
}

/** The first of the rows, shortened. */
function shown(rows: readonly string[]): string {
  return rows
    .slice(0, 3)
    .map((row) => row.slice(0, 120))
    .join(' ');
}

async function runScenario(t: TestContext, scenario: Scenario, seed: number): Promise<void> {
  const server = await OracleServer.start(scenario.server);
  t.after(() => server.close());
  const database = await freshDatabase(target.server, t);
  await database.query(ORACLE_TARGET_TABLES);
  const { model } = server;
  const workload = new OracleWorkload(model, server.owner, diceOf(randomNumbers(seed)));
  const dice = diceOf(randomNumbers(seed + 2000));
  // Nothing is committed when the copy is made: all rows of what is open by then have to come from the redo before.
  workload.open();
  const backfill = workload.oldest;
  const scn = workload.copied();
  const always = [
    ...['--sourceSchema', server.owner, '--stagingSchema', '_replicator', '--stagingCreateSchema'],
    ...['--targetSchema', `${database.name}.public`, ...(scenario.flags ?? [])],
  ];
  let streamed = false;
  const start = () =>
    Engine.start(t, {
      command: 'oraclelogminer',
      sourceConn: server.rootUrl,
      targetConn: database.url,
      environment: server.pdbUrl === undefined ? {} : { INSTAR_SOURCE_PDB_CONN: server.pdbUrl },
      flags: streamed ? always : [...always, '--scn', String(scn), '--backfillFromSCN', String(backfill)],
    });
  const run: Run = {
    server,
    dice,
    engine: await start(),
    async startEngine() {
      // Once there is a checkpoint, the SCN is refused.
      streamed ||= / streaming /.test(run.engine.log);
      run.engine = await start();
    },
  };
  await run.engine.waitForLog(/ streaming /, 30_000);
  let steps = 0;
  const working = setInterval(() => {
    for (let i = 0; i < 10; i++) workload.step();
    steps += 10;
  }, 5);
  try {
    const end = Date.now() + DURATION;
    while (Date.now() < end) {
      await scenario.strike(run);
      if (run.engine.failed) throw new Error(`the engine gave up\n${run.engine.logTail()}`);
    }
  } finally {
    clearInterval(working);
  }
  workload.finish();
  model.logs.archive();
  t.diagnostic(`${steps} steps, ${model.redo.length} records of redo, SCN ${scn} to ${model.scn}`);
  const client = await connect(database.url);
  t.after(() => client.end());
  const sorted = (found: unknown[][]) => found.map((row) => JSON.stringify(row)).sort();
  let differs = '';
  await eventually(
    async () => {
      if (run.engine.failed) throw new Error(`the engine gave up\n${run.engine.logTail()}`);
      differs = '';
      for (const [table, sql] of comparedQueries()) {
        const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
        const [found, expected] = [sorted(rows), sorted(workload.rows(table))];
        const missing = expected.filter((row) => !found.includes(row));
        const wrong = found.filter((row) => !expected.includes(row));
        if (found.length !== expected.length || missing.length > 0 || wrong.length > 0) {
          differs += `${table}: ${found.length} rows, ${expected.length} expected; missing ${shown(missing)}; too much ${shown(wrong)}\n`;
        }
      }
      return differs === '';
    },
    () => `${differs}${run.engine.logTail()}`,
    CATCH_UP,
    500,
  );
  assert.deepEqual(server.double.refused, [], 'every statement was one that the double knows');
  assert.ok(model.redo.length > 1000);
}
