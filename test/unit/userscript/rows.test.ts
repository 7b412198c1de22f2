import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openScript, sourceTable, targetTable } from '../../harness/userscript-rig.ts';

const items = sourceTable('items', '!id', 'name', 'qty');
const target = targetTable('items', '!id int', 'name', 'qty int');

/** A script whose handlers of the schema have these bodies. */
const script = (upsert: string, remove = 'return row'): string =>
  `api.configureTargetSchema("defaultdb.public", {
     onRowUpsert: (row: any, meta) => { ${upsert} },
     onRowDelete: (row: any, meta) => { ${remove} },
   });`;

test('a batch that is returned as it was is the very log that was given', async (t) => {
  const rig = await openScript(t, script('return row'), [target]);
  const done = await rig.transform(
    [
      { insert: items, row: ['1', 'a', '5'] },
      { update: items, row: ['1', undefined, null] },
    ],
    [
      { delete: items, row: ['1', null, null] },
      { update: items, row: ['3', 'x', 'y'], before: ['2', null, null] },
    ],
  );
  assert.equal(done.error, undefined);
  assert.deepEqual(done.counts, [2, 2]);
  assert.equal(done.log.tables[0], items);
});

test('null leaves a row out, and its transaction stays, with nothing in it', async (t) => {
  const rig = await openScript(t, script('return row.id === "1" ? null : row'), [target]);
  const done = await rig.transform(
    [{ insert: items, row: ['1', 'a', '5'] }],
    [{ insert: items, row: ['2', 'b', '5'] }],
  );
  assert.deepEqual(done.counts, [0, 1]);
  assert.deepEqual(done.ends[0], 0);
});

test('columns can be changed, added and taken away; one that is undefined is not there', async (t) => {
  const rig = await openScript(
    t,
    script(
      'row.name = row.name.toUpperCase(); delete row.qty; row.total = 5; row.no = undefined; return { ...row, sum: "7" }',
    ),
    [targetTable('items', '!id int', 'name', 'total int', 'sum int')],
  );
  assert.deepEqual(await rig.entries([{ insert: items, row: ['1', 'a', '5'] }]), ['+items id=1 name=A total=5 sum=7']);
});

test('what a handler does to one row does not reach another', async (t) => {
  const rig = await openScript(
    t,
    `let last: any; ${script('if (last) { last.name = "changed late"; last.extra = 1; } last = row; meta.table = "x"; return row')}`,
    [target],
  );
  const changes = ['1', '2', '3'].map((id) => ({ insert: items, row: [id, `n${id}`, '1'] }));
  assert.deepEqual(await rig.entries(changes), [
    '+items id=1 name=n1 qty=1',
    '+items id=2 name=n2 qty=1',
    '+items id=3 name=n3 qty=1',
  ]);
});

test('rows of tables that no handler names stand where they stood', async (t) => {
  const other = sourceTable('other', '!id');
  const rig = await openScript(
    t,
    'api.configureTargetTables(["items"], { onRowUpsert: (row) => row.id === "2" ? null : { ...row, name: "x" }, onRowDelete: (keys) => keys });',
    [target, targetTable('other', '!id int')],
  );
  const found = await rig.entries(
    [
      { insert: other, row: ['1'] },
      { insert: items, row: ['1', 'a', '5'] },
      { insert: other, row: ['2'] },
    ],
    [{ insert: items, row: ['2', 'a', '5'] }, { truncate: other }, { delete: other, row: ['1'] }],
  );
  assert.deepEqual(found, ['+other id=1', '+items id=1 name=x qty=5', '+other id=2', '0other', '-other [id=1]']);
});

test('rows are sent to other tables, one to several, and deletions by the key of each', async (t) => {
  const rig = await openScript(
    t,
    script(
      'return { items: [row], names: [{ item: row.id, name: row.name }, { item: row.id + "0", name: "b" }] }',
      'return { items: [row], names: [{ item: row.id, name: "not looked at" }] }',
    ),
    [target, targetTable('names', '!item int', 'name')],
  );
  assert.deepEqual(
    await rig.entries([
      { insert: items, row: ['1', 'a', '5'] },
      { delete: items, row: ['1', null, null] },
    ]),
    ['~items id=1 name=a qty=5', '~names item=1 name=a', '~names item=10 name=b', '-items [id=1]', '-names [item=1]'],
  );
});

test('a changed key is one move where both rows go to the same table, else a deletion and a row', async (t) => {
  const rig = await openScript(
    t,
    `const to = (row: any) => Number(row.id) < 10 ? { low: [row] } : { high: [row] };
     ${script('return to(row)', 'return to(row)')}`,
    [targetTable('low', '!id int', 'name', 'qty int'), targetTable('high', '!id int', 'name', 'qty int')],
  );
  const found = await rig.entries([
    { insert: items, row: ['1', 'a', '5'] },
    { update: items, row: ['2', 'a', '5'], before: ['1', null, null] },
    { update: items, row: ['20', 'a', '5'], before: ['2', null, null] },
  ]);
  assert.deepEqual(found, [
    '+low id=1 name=a qty=5',
    '~low [id=1] id=2 name=a qty=5',
    '-low [id=2]',
    '~high id=20 name=a qty=5',
  ]);
});

test('a row whose new key is left out is deleted by the old one', async (t) => {
  const rig = await openScript(t, script('return Number(row.id) > 100 ? null : row'), [target]);
  const found = await rig.entries([{ update: items, row: ['200', 'a', '5'], before: ['1', null, null] }]);
  assert.deepEqual(found, ['-items [id=1]']);
});

test('a column that the source did not send is not in the row, and stays unsent', async (t) => {
  const rig = await openScript(t, script('row.seen = Object.keys(row).join(); return row'), [
    targetTable('items', '!id int', 'name', 'qty int', 'seen'),
  ]);
  const found = await rig.entries([
    { update: items, row: ['1', 'a', '5'] },
    { update: items, row: ['1', undefined, '6'] },
  ]);
  assert.deepEqual(found, ['~items id=1 name=a qty=5 seen=id,name,qty', '~items id=1 name=? qty=6 seen=id,qty']);
});

test('a source that sends whole old rows: what an update left out is taken from there', async (t) => {
  const full = sourceTable('items', 'id', 'name', 'qty');
  const rig = await openScript(t, script('return { ...row, name: row.name + "!" }'), [target]);
  const found = await rig.entries([
    { update: full, row: ['1', undefined, '6'], before: ['1', 'old', '5'] },
    { update: full, row: ['2', 'x', '6'], before: ['1', 'old', '5'] },
  ]);
  assert.deepEqual(found, ['~items id=1 name=old! qty=6', '~items [id=1 name=old qty=5] id=2 name=x! qty=6']);
});

test('a table without any key: old rows are found as they were written, by all of their columns', async (t) => {
  const log = sourceTable('log', 'line', 'n');
  const rig = await openScript(
    t,
    script('return { line: row.line + "!", n: row.n }', 'return { line: row.line + "!", n: row.n }'),
    [targetTable('log', 'line', 'n int')],
  );
  const found = await rig.entries([
    { insert: log, row: ['a', '1'] },
    { update: log, row: ['b', '1'], before: ['a', '1'] },
    { delete: log, row: ['b', '1'] },
  ]);
  assert.deepEqual(found, ['+log line=a! n=1', '~log [line=a! n=1] line=b! n=1', '-log [line=b! n=1]']);
});

test('handlers of a table come behind those of the schema, with the target table; deletions get the key in its order', async (t) => {
  const pairs = sourceTable('pairs', '!b', '!a', 'v');
  const rig = await openScript(
    t,
    `${script('return { renamed: [{ ...row, v: meta.table }] }', 'return { renamed: [row] }')}
     api.configureTargetTables(["renamed"], {
       onRowUpsert: (row, meta) => row.a === "x" ? null : { ...row, v: row.v + ">" + meta.table + ">" + meta.schema },
       onRowDelete: (keys, meta) => keys[0] === "x" ? null : [keys[0] + "!", keys[1]],
     });`,
    [targetTable('renamed', '!a', '!b', 'v')].map((table) => ({ ...table, primaryKey: ['a', 'b'] })),
  );
  const found = await rig.entries([
    { insert: pairs, row: ['1', 'k', 'v'] },
    { insert: pairs, row: ['1', 'x', 'v'] },
    { delete: pairs, row: ['1', 'k', null] },
    { delete: pairs, row: ['1', 'x', null] },
  ]);
  assert.deepEqual(found, ['+renamed b=1 a=k v=pairs>renamed>defaultdb.public', '-renamed [b=1 a=k!]']);
});

test('a TRUNCATE goes where rows as they are go; where handlers know better, it is refused', async (t) => {
  const rig = await openScript(
    t,
    script('return meta.table === "dropped" ? null : meta.table === "moved" ? { items: [row] } : row'),
    [target],
  );
  const dropped = sourceTable('dropped', '!id');
  const moved = sourceTable('moved', '!id');
  assert.deepEqual(await rig.entries([{ truncate: items }]), ['0items']);
  assert.deepEqual(await rig.entries([{ insert: dropped, row: ['1'] }, { truncate: dropped }]), []);
  const unknown = await rig.transform([{ truncate: sourceTable('never_seen', '!id') }]);
  assert.equal(unknown.error?.code, 'SCRIPT_TRUNCATE');
  const { error, ends } = await rig.transform(
    [{ insert: moved, row: ['1'] }],
    [{ insert: moved, row: ['2'] }, { truncate: moved }],
  );
  assert.equal(error?.code, 'SCRIPT_TRUNCATE');
  assert.equal(ends.length, 1);
});

test('names of tables and columns that JavaScript has other plans for', async (t) => {
  const odd = sourceTable('constructor', '!__proto__', 'toString', 'hasOwnProperty', '__defineGetter__');
  const rig = await openScript(t, script('return { ...row, toString: row.toString + "!" }'), [
    targetTable('constructor', '!__proto__', 'toString', 'hasOwnProperty', '__defineGetter__'),
  ]);
  assert.deepEqual(await rig.entries([{ insert: odd, row: ['a', 'b', 'c', 'd'] }]), [
    '+constructor __proto__=a toString=b! hasOwnProperty=c __defineGetter__=d',
  ]);
});
