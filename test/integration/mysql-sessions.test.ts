import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { flagNamed } from '../../src/config/flags.ts';
import { stopEngine } from '../../src/sessions/engine-child.ts';
import { cancelled, type LaunchStep, launch, retire } from '../../src/sessions/launch.ts';
import { resume } from '../../src/sessions/resume.ts';
import { stateOf } from '../../src/sessions/state.ts';
import { tableFilterPath } from '../../src/sessions/table-filter.ts';
import { killEngine, preparedMysql, settledRows } from '../harness/mysql-session-rig.ts';
import { sharedMysql, startMysql } from '../servers/mysql.ts';
import { sharedServer } from '../servers/postgres.ts';

/** Choosing tables takes a script; until the engine runs such scripts this cannot be tried. */
const NO_SCRIPTS = flagNamed('userscript').effect === 'unavailable' && 'the engine runs no userscripts yet';

const mysql = sharedMysql({});
const mariadb = sharedMysql({ flavour: 'mariadb' });
const targets = sharedServer();

const rows = (from: number, to: number) =>
  `INSERT INTO item VALUES ${Array.from({ length: to - from + 1 }, (_, n) => `(${from + n}, 'v${from + n}')`).join(', ')}`;

for (const [product, servers] of [
  ['MySQL', mysql],
  ['MariaDB', mariadb],
] as const) {
  test(`${product}: launched, killed with -9, resumed with both sides equal, stopped, retired: nothing is left`, async (t) => {
    const session = await preparedMysql(t, servers, targets);
    const steps: LaunchStep[] = [];
    const launched = await launch('shop', { ...session, report: (step) => steps.push(step) });
    assert.equal(stateOf(launched), 'running');
    assert.deepEqual(
      steps.filter(({ state }) => state !== 'running').map(({ id, state }) => [id, state]),
      [['engine', 'passed']],
    );
    assert.deepEqual(
      launched.made.map(({ what }) => what),
      ['staging schema'],
    );
    await session.from.query(rows(1, 500));
    await settledRows(session);

    await killEngine(session);
    for (let id = 501; id <= 520; id++) await session.from.query(rows(id, id));
    await session.from.query(`UPDATE item SET v = 'z' WHERE id % 7 = 0`);
    const dry = await resume('shop', { ...session, dryRun: true });
    assert.equal(dry.verdict?.safe, true, JSON.stringify(dry.verdict));
    assert.equal(dry.verdict?.behind.transactions, 21);
    assert.match(String(dry.verdict?.lines[1]), /^safe: 21 transactions behind/);
    assert.equal(stateOf(session.replication()), 'crashed');
    const resumed = await resume('shop', session);
    assert.equal(stateOf(resumed.replication!), 'running');
    await settledRows(session);

    const ending = await stopEngine(session.replication(), session);
    assert.equal(ending?.how, 'stopped');
    assert.equal(cancelled(session.replication()).length, 1);
    await retire('shop', session.replication().made, session);
    assert.equal(session.store.get('shop'), undefined);
    assert.deepEqual(await session.to.query(`SELECT nspname FROM pg_namespace WHERE nspname = '_replicator'`), []);
  });
}

test('a checkpoint whose logs were removed: not safe, what would be lost is said, and nothing is started', async (t) => {
  const server = await startMysql();
  t.after(() => server.stop());
  await server.createDatabase('lost');
  const url = server.uri('lost');
  const query = <Row extends object>(sql: string) => server.query<Row>(sql, [], 'lost');
  const own = { server, freshDatabase: async () => ({ server, name: 'lost', url, query }) };
  const session = await preparedMysql(t, own, targets);
  await launch('shop', session);
  await query(rows(1, 5));
  await settledRows(session);
  await stopEngine(session.replication(), session);
  await query(rows(6, 10));
  await server.query('FLUSH BINARY LOGS');
  const logs = await server.query<{ Log_name: string }>('SHOW BINARY LOGS');
  await server.query(`PURGE BINARY LOGS TO '${logs.at(-1)?.Log_name}'`);
  const { verdict, replication } = await resume('shop', session);
  assert.equal(verdict?.safe, false);
  assert.equal(replication, undefined);
  const purged = verdict?.findings.find(({ code }) => code === 'MYSQL_GTID_PURGED');
  assert.match(purged?.why ?? '', /would be lost/);
  const over = verdict?.waysOut.find(({ label }) => label === 'start over with a fresh copy');
  assert.match(over?.text ?? '', /DELETE FROM "?_replicator"?\.memo WHERE "key" IN \('mysql-wal-offset-public'/);
  assert.match(over?.text ?? '', /instar mylogical .*--defaultGTIDSet '<GTID set>'/);
  assert.equal(stateOf(session.replication()), 'stopped');
});

test('only the chosen tables are replicated, by a script that is written at the launch and removed with the rest', {
  skip: NO_SCRIPTS,
}, async (t) => {
  const session = await preparedMysql(t, mysql, targets);
  const { from, to } = session;
  // It is not on the target, and need not be.
  await from.query('CREATE TABLE left_out (id int PRIMARY KEY)');
  const script = tableFilterPath('shop', session.env);
  session.store.update('shop', (before) => ({
    ...before,
    answers: { ...before.answers, tables: [`${from.name}.item`], script },
  }));
  const steps: LaunchStep[] = [];
  await launch('shop', { ...session, report: (step) => steps.push(step) });
  assert.deepEqual(
    steps.filter(({ state }) => state !== 'running').map(({ id, state }) => [id, state]),
    [
      ['script', 'passed'],
      ['engine', 'passed'],
    ],
  );
  assert.ok(existsSync(script));
  await from.query('INSERT INTO left_out VALUES (1)');
  await from.query(rows(1, 3));
  await settledRows(session);
  await stopEngine(session.replication(), session);
  const { verdict } = await resume('shop', { ...session, dryRun: true });
  assert.equal(verdict?.safe, true, JSON.stringify(verdict));
  await retire('shop', session.replication().made, session);
  assert.equal(existsSync(script), false);
  assert.deepEqual(await to.query(`SELECT FROM pg_tables WHERE tablename = 'left_out'`), []);
});

test('a launch from a set that is gone fails, says so, and leaves nothing behind', async (t) => {
  const session = await preparedMysql(t, mysql, targets, {
    startSet: '77263736-7899-11f0-81a5-0242ac120002:1-38',
  });
  await assert.rejects(launch('shop', session), (error: Error) => {
    assert.match(error.message, /MYSQL_GTID_UNKNOWN/);
    return true;
  });
  assert.equal(stateOf(session.replication()), 'unfinished');
  assert.deepEqual(cancelled(session.replication()), []);
  assert.deepEqual(await session.to.query(`SELECT nspname FROM pg_namespace WHERE nspname = '_replicator'`), []);
});
