import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openScript, sourceTable, targetTable } from '../../harness/userscript-rig.ts';

const items = sourceTable('items', '!id', 'name', 'qty');
const target = targetTable('items', '!id int', 'name', 'qty int');

const both = (body: string) =>
  `api.configureTargetSchema("defaultdb.public", { onRowUpsert: (row, meta) => { ${body} }, onRowDelete: (row, meta) => row });`;

test('a row that is returned as it was goes on to the byte', async (t) => {
  const rig = await openScript(t, both('return row'), [target]);
  const done = await rig.transform([{ insert: items, row: ['1', 'a', '5'] }]);
  assert.equal(done.error, undefined);
  assert.deepEqual(done.counts, [1]);
});

test('null leaves a row out, and the transaction stays with nothing in it', async (t) => {
  const rig = await openScript(t, both('return row.id === "1" ? null : row'), [target]);
  const done = await rig.transform(
    [{ insert: items, row: ['1', 'a', '5'] }],
    [{ insert: items, row: ['2', 'b', '5'] }],
  );
  assert.deepEqual(done.counts, [0, 1]);
  assert.equal(done.ends.length, 2);
});

test('columns can be changed, added and taken away', async (t) => {
  const rig = await openScript(
    t,
    both('row.name = row.name.toUpperCase(); delete row.qty; row.total = 5; return { ...row, sum: "7" }'),
    [targetTable('items', '!id int', 'name', 'total int', 'sum int')],
  );
  assert.deepEqual(await rig.entries([{ insert: items, row: ['1', 'a', '5'] }]), ['+items id=1 name=A total=5 sum=7']);
});
