import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConnectionString } from '../../src/config/connection.ts';
import type { CheckResult } from '../../src/preflight/check.ts';
import { checkScript } from '../../src/preflight/script.ts';
import { checkTarget } from '../../src/preflight/target.ts';
import { scriptEffects } from '../../src/userscript/describe-script.ts';
import { IMPORT, scriptFiles } from '../harness/userscript-rig.ts';
import { sharedServer } from '../servers/postgres.ts';

const shared = sharedServer();

interface Scope {
  after(done: () => Promise<void> | void): void;
}

async function target(t: Scope) {
  const database = await shared.freshDatabase(t);
  await database.query(
    'CREATE TABLE orders (id INT PRIMARY KEY, total NUMERIC); CREATE TABLE "Line" (id INT PRIMARY KEY)',
  );
  return parseConnectionString(database.url, '--targetConn', {});
}

const FILTER = `${IMPORT}
  api.configureTargetSchema("public", { onRowUpsert: (row) => row, onRowDelete: (row) => row });
  api.configureTargetTables(["orders"], { onRowUpsert: (row) => row, onRowDelete: (row) => row });
  api.configureTargetTables(["Line"], { onWrite: (ops) => api.write(ops) });
`;

test('a script is compared with the tables of the target, and tells what it does to which', async (t) => {
  const found = await checkScript(scriptFiles(t, { 'filter.ts': FILTER }), await target(t), 'public');
  assert.deepEqual(found.errors, []);
  assert.deepEqual(scriptEffects(found), [
    'sees every row on its way to the schema public',
    'sees the rows of the table orders',
    'writes the rows of the table Line',
  ]);
});

const WRONG: readonly [string, string, RegExp][] = [
  [
    'SCRIPT_NO_TABLE',
    FILTER.replace('"orders"', '"order"'),
    /configures the target table order, which public does not have/,
  ],
  ['SCRIPT_NO_TABLE', FILTER.replace('"Line"', '"line"'), /configures the target table line/],
  [
    'SCRIPT_SCHEMA',
    `${IMPORT} api.configureTargetSchema("other", { onRowUpsert: (row) => row, onRowDelete: (row) => row });`,
    /the target schema "other"/,
  ],
  ['SCRIPT_EMPTY', `${IMPORT} console.log("nothing");`, /configures nothing/],
];

test('what would end the replication at its start is told before', async (t) => {
  const connection = await target(t);
  for (const [code, text, message] of WRONG) {
    const { errors } = await checkScript(scriptFiles(t, { 'filter.ts': text }), connection, 'public');
    assert.deepEqual(
      errors.map((error) => error.code),
      [code],
    );
    assert.match(errors[0].message, message);
  }
});

test('it is one of the checks of a target where there is one, and of no other', async (t) => {
  const connection = await target(t);
  const wishes = { targetSchema: 'public', stagingSchema: '_replicator', tables: 'all', source: connection } as const;
  const look = async (userscript: string | undefined): Promise<CheckResult | undefined> => {
    const results = await checkTarget(connection, { ...wishes, userscript });
    return results.find(({ id }) => id === 'target.userscript');
  };
  assert.equal(await look(undefined), undefined);
  const good = await look(scriptFiles(t, { 'filter.ts': FILTER }));
  assert.equal(good?.state, 'passed');
  assert.match(good?.found ?? '', /sees the rows of the table orders; writes the rows of the table Line/);
  const bad = await look(scriptFiles(t, { 'filter.ts': WRONG[0][1] }));
  assert.deepEqual([bad?.state, bad?.severity, bad?.code], ['failed', 'blocking', 'SCRIPT_NO_TABLE']);
  assert.match(bad?.fix?.text ?? '', /Create the table on the target, or take its name out/);
  const missing = await look('/nowhere/script.ts');
  assert.equal(missing?.state, 'failed');
});
