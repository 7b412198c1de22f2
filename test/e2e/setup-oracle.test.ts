import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { stateOf } from '../../src/sessions/state.ts';
import { SENTINEL } from '../../src/sources/oracle/sentinel.ts';
import { eventually } from '../harness/engine.ts';
import { keepPicture } from '../harness/pictures.ts';
import { OracleServer } from '../servers/oracle/oracle.ts';
import type { ModelTable } from '../servers/oracle/redo-model.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';
import { Operator } from './operator.ts';

const targets = sharedServer();

interface Place {
  readonly operator: Operator;
  readonly server: OracleServer;
  readonly table: ModelTable;
  readonly target: TestDatabase;
  /** Rows in a transaction of their own. */
  insert(from: number, to: number): void;
}

async function begin(t: TestContext): Promise<Place> {
  const operator = new Operator(t);
  const server = await OracleServer.start({ profile: '23ai', multitenant: true });
  t.after(() => server.close());
  const target = await targets.freshDatabase(t);
  const column = (name: string, type: string, nullable: boolean) => ({ name, type, length: 22, nullable });
  const columns = [column('ID', 'NUMBER', false), column('NAME', 'VARCHAR2', true)];
  const table = server.model.createTable(server.owner, 'ITEM', columns, ['ID']);
  const insert = (from: number, to: number) => {
    const transaction = server.model.begin();
    for (let id = from; id <= to; id++) transaction.insert(table, [String(id), `v${id}`]);
    transaction.commit();
  };
  return { operator, server, table, target, insert };
}

/** The root and its pluggable database in one connection string. */
const url = ({ rootUrl, model }: OracleServer) => `${rootUrl}?pdb=${model.container}`;

async function assertRows(target: TestDatabase, from: number, to: number): Promise<void> {
  const wanted = JSON.stringify(Array.from({ length: to - from + 1 }, (_, i) => `${from + i} v${from + i}`));
  await eventually(
    async () => {
      const found = await target.query(`SELECT id || ' ' || name AS row FROM item ORDER BY id`);
      return JSON.stringify(found.map(({ row }) => row)) === wanted;
    },
    () => `the target does not have ${from} to ${to}`,
  );
}

test('first-time setup from Oracle by keys alone, with three failing checks mended on the way; killed with -9 and resumed by one key', async (t) => {
  const { operator, server, table, target, insert } = await begin(t);
  const { model } = server;
  const open = model.begin(1, 'BATCH');
  open.insert(table, ['0', 'never committed']);
  Object.assign(model.settings, { minimal: 'NO', key: 'NO' });
  model.tables.delete(`${server.owner}.${SENTINEL}`);
  const terminal = operator.open();
  await operator.choosesOracle();
  await operator.connects('source', url(server));
  const owners = await operator.sees('Whose tables are replicated?');
  assert.match(owners, /APP +1 table/);
  await operator.press('return');
  const lacking = await operator.sees(/Not ready {2}3 must be put right/);
  assert.match(lacking, /✗ supplemental logging +failed +NO/);
  // Each is mended by one key, and looked at again.
  await operator.press('f');
  await operator.sees(/Not ready {2}2 must be put right/);
  await operator.press('f');
  await operator.sees(/Not ready {2}1 must be put right/);
  await operator.press('f');
  await operator.sees(/Ready, /);
  assert.equal(model.settings.key, 'YES');
  assert(model.tables.has(`${server.owner}.${SENTINEL}`));
  await operator.passesChecks();
  await operator.choosesAllTables();
  const start = await operator.sees('From which SCN');
  assert.match(start, /The newest one is \d+/);
  assert.match(start, /Oldest open transaction: BATCH since .*, SCN \d+\./);
  await operator.press('return', 'return');
  await operator.connects('target', target.url);
  await operator.choosesSchema();
  await operator.sees(/Not ready/);
  await operator.sees(/CREATE TABLE "public"\."item"/);
  await operator.press('f');
  await operator.sees(/Ready.*passed/);
  await operator.goesOn(/Ready/);
  await operator.acceptsOptions();
  await operator.sees('WHERE IT BEGINS');
  await operator.launches();
  open.rollback();
  insert(1, 300);
  await assertRows(target, 1, 300);
  await operator.sees(/LogMiner +[\d,]+ SCNs to read/);

  const { run } = operator.replication;
  process.kill(run!.pid, 'SIGKILL');
  await operator.sees('not running');
  insert(301, 500);
  await operator.press('r');
  await operator.sees(/● (following|caught up)/);
  assert.notEqual(operator.replication.run?.pid, run?.pid);
  await assertRows(target, 1, 500);
  await operator.press('q');
  await operator.sees('Leave the dashboard?');
  await operator.press('return');
  await operator.sees(/Saved replications[\s\S]*running/);
  await operator.press('q');
  assert.deepEqual(await terminal.exit, { code: 0, signal: 0 });
  assert.deepEqual(server.double.refused, []);
});

test('one table of two, an SCN that is typed in, a transaction that was open then, and users whose transactions do not count; stopped, and resumed from home', async (t) => {
  const { operator, server, table, target, insert } = await begin(t);
  const { model } = server;
  await target.query('CREATE TABLE item (id numeric PRIMARY KEY, name text)');
  const other = model.createTable(server.owner, 'SECRET', table.columns, ['ID']);
  const reports = model.begin(1, 'REPORTS');
  reports.insert(other, ['1', 'nobody asked for it']);
  const open = model.begin();
  open.insert(table, ['1', 'v1']);
  const scn = model.scn;
  insert(2, 3);
  const terminal = operator.open();
  await operator.choosesOracle();
  await operator.connects('source', url(server));
  await operator.sees(/APP +2 tables/);
  await operator.press('return');
  await operator.passesChecks();
  await operator.sees(/APP\.ITEM[\s\S]*APP\.SECRET/);
  await operator.press('down', ' ', 'return');
  await operator.sees(/Oldest open transaction: REPORTS since/);
  await operator.press('up');
  terminal.type('app');
  await operator.press('return');
  const narrowed = await operator.sees(/Oldest open one that counts: APP since/);
  assert.match(narrowed.replaceAll(/\s+/g, ' '), /One of another user does not count/);
  assert.match(narrowed, new RegExp(`Oldest open transaction +${open.firstScn}\\b`));
  await operator.sees(/\^N the newest/);
  keepPicture(terminal, 'oracle-start');
  await operator.press('up', 'ctrl+u');
  operator.terminal.type('99999999999');
  await operator.press('return', 'return');
  await operator.sees('the source has only come to');
  await operator.press('ctrl+u');
  operator.terminal.type(String(scn));
  await operator.press('return', 'return');
  await operator.connects('target', target.url);
  await operator.choosesSchema();
  await operator.sees(/Ready.*passed/);
  await operator.goesOn(/Ready/);
  await operator.acceptsOptions();
  await operator.launches();
  open.commit();
  reports.commit();
  // What began before the SCN and was committed behind it is whole.
  await assertRows(target, 1, 3);
  await operator.press('s');
  await operator.sees('Stop the engine?');
  await operator.press('right', 'return');
  await operator.sees('not running');
  await operator.press('q');
  await operator.sees(/Saved replications[\s\S]*stopped/);
  assert.equal(stateOf(operator.replication), 'stopped');
  insert(4, 9);
  await operator.press('r');
  await operator.sees(/● (following|caught up)/);
  await assertRows(target, 1, 9);
});
