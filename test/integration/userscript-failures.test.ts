import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../harness/engine.ts';
import { Replica } from '../harness/replica.ts';
import { scriptFor } from '../harness/script-example.ts';
import { sharedServer } from '../servers/postgres.ts';

/** With so little memory the source streams transactions that are still open; without, they come in pieces when they end. */
const spilling = sharedServer({ settings: { logical_decoding_work_mem: '64kB' } });
const plain = sharedServer();
const target = sharedServer();

const TABLES = 'create table items (id int primary key, v text); create table other (id int primary key)';

const POISON = `api.configureTargetSchema(SCHEMA, {
  onRowUpsert: (row, meta) => {
    if (meta.table === "items" && row.id === "13") throw new Error("thirteen");
    return meta.table === "items" ? { ...row, v: row.v + "!" } : row;
  },
  onRowDelete: (row) => row,
});`;

interface Kind {
  readonly source: typeof plain;
  /** Rows in a transaction, and how wide each is. */
  readonly rows: number;
  readonly wide: number;
}

const KINDS: Readonly<Record<string, Kind>> = {
  'a small transaction': { source: plain, rows: 3, wide: 10 },
  'a transaction that comes in pieces': { source: plain, rows: 3000, wide: 1200 },
  'a transaction that was gathered on disk': { source: spilling, rows: 3000, wide: 1200 },
};

/** `select` of rows from `first` on; the one with the bad number is the last but one. */
function rows({ rows: count, wide }: Kind, first: number, bad: boolean): string {
  const values = `select n, repeat('x', ${wide}) from generate_series(${first}, ${first + count - 1}) n`;
  return bad ? `${values} union all select 13, 'bad' union all select -1, 'last'` : values;
}

async function start(t: TestContext, kind: Kind, script: string, flags: readonly string[] = []): Promise<Replica> {
  const replica = await Replica.create(t, kind.source.server, target.server, { schema: TABLES });
  await replica.start(['--userscript', scriptFor(t, replica, script), ...flags]);
  return replica;
}

for (const [name, kind] of Object.entries(KINDS)) {
  test(`${name} that a handler fails on stops the engine for good; what was before it is there, nothing of it is`, async (t) => {
    const replica = await start(t, kind, POISON);
    await replica.source.query('insert into other values (1)');
    await replica.source.query(
      `begin; insert into other values (2); insert into items ${rows(kind, 1000, true)}; commit`,
    );
    const { engine } = replica;
    assert.deepEqual(await engine?.waitForExit(), { code: 1, signal: null });
    assert.match(
      engine?.log ?? '',
      /ERROR the userscript failed in onRowUpsert, for table items, row id=13, at \S+script\.ts:5:\d+: Error: thirteen; nothing of the transaction was applied.* code=SCRIPT_FAILED/,
    );
    assert.deepEqual(
      (
        await replica.target.query(
          'select (select count(*)::int from items) as items, array_agg(id) as other from other',
        )
      ).rows,
      [{ items: 0, other: [1] }],
    );
  });

  test(`${name} that a handler fails on goes to the dead-letter table as the source sent it, under dlq`, async (t) => {
    const replica = await start(t, kind, POISON, ['--onApplyError', 'dlq']);
    await replica.source.query('insert into items values (1, $$a$$)');
    await replica.source.query(
      `begin; insert into other values (2); insert into items ${rows(kind, 1000, true)}; commit`,
    );
    await replica.source.query('insert into items values (2, $$b$$)');
    await replica.settle();
    assert.deepEqual((await replica.target.query('select * from items order by 1')).rows, [
      { id: 1, v: 'a!' },
      { id: 2, v: 'b!' },
    ]);
    const letters = await replica.target.query(
      `select count(*)::int as n, count(*) filter (where data_after->>'v' like '%!')::int as changed,
              min(source_logical)::int as first, max(source_logical)::int as last, min(error) as error from replicator_dlq`,
    );
    const { n, changed, first, last, error } = letters.rows[0];
    assert.deepEqual({ n, changed, first, last }, { n: kind.rows + 3, changed: 0, first: 0, last: kind.rows + 2 });
    assert.match(error, /^SCRIPT_FAILED: the userscript failed in onRowUpsert/);
    const varz = await replica.engine?.metrics();
    assert.equal(
      varz?.get(`script_errors_total{schema="${replica.targetSchema}",table="",function="onRowUpsert"}`) !== undefined,
      true,
    );
  });

  test(`${name} goes through handlers whole`, async (t) => {
    const replica = await start(t, kind, POISON);
    await replica.source.query(
      `begin; insert into items ${rows(kind, 1000, false)}; savepoint a; insert into items values (13, 'x'); rollback to a; delete from items where id = 1001; commit`,
    );
    await replica.settle();
    const { rows: found } = await replica.target.query(
      `select count(*)::int as n, count(*) filter (where v like '%x!')::int as changed from items`,
    );
    assert.deepEqual(found, [{ n: kind.rows - 1, changed: kind.rows - 1 }]);
  });

  test(`${name} is written by onWrite, beside rows of another table`, async (t) => {
    const replica = await start(
      t,
      kind,
      'api.configureTargetTables(["items"], { onWrite: (rows) => api.write(rows.map((row) => row.action === "upsert" ? { ...row, data: { ...row.data, v: "w" } } : row)) });',
    );
    await replica.source.query(
      `begin; insert into other values (7); insert into items ${rows(kind, 1000, false)}; insert into other values (8); commit`,
    );
    await replica.settle();
    const { rows: found } = await replica.target.query(
      `select count(*)::int as n, (select count(*)::int from other) as other from items where v = 'w'`,
    );
    assert.deepEqual(found, [{ n: kind.rows, other: 2 }]);
  });

  test(`${name} that onWrite fails on goes to the dead-letter table, under dlq`, async (t) => {
    const replica = await start(
      t,
      kind,
      'api.configureTargetTables(["items"], { onWrite: async (rows) => { await api.write(rows); if (rows.some((row) => row.pk[0] === "13")) throw "no"; } });',
      ['--onApplyError', 'dlq'],
    );
    await replica.source.query(
      `begin; insert into other values (7); insert into items ${rows(kind, 1000, true)}; commit`,
    );
    await replica.settle();
    const { rows: found } = await replica.target.query(
      'select (select count(*)::int from items) as items, (select count(*)::int from other) as other, (select count(*)::int from replicator_dlq) as letters',
    );
    assert.deepEqual(found, [{ items: 0, other: 0, letters: kind.rows + 3 }]);
  });
}

test('an endless handler does not keep the engine from stopping, and its endpoints answer meanwhile', async (t) => {
  const replica = await start(
    t,
    KINDS['a small transaction'],
    POISON.replace('throw new Error("thirteen")', 'for (;;);'),
    ['--userscriptTimeout', '1h', '--gracePeriod', '1s'],
  );
  await replica.settle();
  const engine = replica.engine!;
  await replica.source.query(`insert into items values (13, 'x')`);
  await eventually(
    async () => ((await engine.metrics()).get('instar_buffered_bytes') ?? 0) > 0,
    () => 'the row was never read',
  );
  assert.deepEqual(await engine.stop(10_000), { code: 0, signal: null });
});

test('a table that is made while its first rows wait is found', async (t) => {
  const replica = await start(
    t,
    KINDS['a small transaction'],
    'api.configureTargetSchema(SCHEMA, { onRowUpsert: (row, meta) => meta.table === "items" ? { later: [row] } : row, onRowDelete: (row) => row });',
  );
  await replica.settle();
  await replica.target.query('create table later (id int primary key, v text)');
  await replica.source.query(`insert into items values (1, 'a')`);
  await replica.settle();
  assert.deepEqual((await replica.target.query('select * from later')).rows, [{ id: 1, v: 'a' }]);
});

const REFUSED: Readonly<Record<string, readonly [script: string, code: string, message: RegExp]>> = {
  'for another schema': [
    'api.configureTargetSchema("other.public", { onRowUpsert: (r) => r, onRowDelete: (r) => r })',
    'SCRIPT_SCHEMA',
    /configures the target schema "other.public"/,
  ],
  'for a table that is not there': [
    'api.configureTargetTables(["ITEMS"], { onWrite: api.write })',
    'SCRIPT_NO_TABLE',
    /target table ITEMS/,
  ],
  'that configures nothing': ['console.log("nothing")', 'SCRIPT_EMPTY', /configures nothing/],
  'that fails while it is loaded': ['null.x', 'SCRIPT_FAILED', /script\.ts:3:6: TypeError/],
  'with half a pair of handlers': [
    'api.configureTargetSchema(SCHEMA, { onRowUpsert: (r) => r } as any)',
    'SCRIPT_CONFIG',
    /must both be given/,
  ],
  'that cannot be compiled': ['const = 5', 'SCRIPT_SYNTAX', /script\.ts:3:7: /],
};

for (const [what, [script, code, message]] of Object.entries(REFUSED)) {
  test(`a script ${what} is refused at the start: ${code}`, async (t) => {
    const replica = await start(t, KINDS['a small transaction'], script);
    const { engine } = replica;
    assert.deepEqual(await engine?.waitForExit(), { code: 1, signal: null });
    assert.match(engine?.log ?? '', new RegExp(`code=${code}\\b`));
    assert.match(engine?.log ?? '', message);
    assert.equal(await replica.checkpoint(), undefined);
  });
}

test('type errors are told at the start, and the script runs all the same', async (t) => {
  const replica = await start(t, KINDS['a small transaction'], `${POISON}\nconst wrong: number = "text";`);
  await replica.engine?.waitForLog(/script\.ts:\d+:7: TS2322: [^\n]*[\s\S]*code=SCRIPT_TYPES/);
  await replica.source.query(`insert into items values (1, 'a')`);
  await replica.settle();
  assert.deepEqual((await replica.target.query('select v from items')).rows, [{ v: 'a!' }]);
});

test('of a batch with a transaction that a handler fails on, those behind it that no handler changes go on as they are', async (t) => {
  const replica = await Replica.create(t, plain.server, target.server, { schema: TABLES });
  // All of them are there when the engine starts, and come in one batch.
  for (const id of [12, 13, 14]) await replica.source.query('insert into items values ($1, $2)', [id, 'v']);
  await replica.source.query('insert into other values (1)');
  await replica.source.query('delete from items where id = 12');
  const script = scriptFor(t, replica, POISON.replace('{ ...row, v: row.v + "!" }', 'row'));
  await replica.start(['--userscript', script, '--onApplyError', 'dlq']);
  await replica.settle();
  const { rows: items } = await replica.target.query('select * from items');
  assert.deepEqual(items, [{ id: 14, v: 'v' }]);
  const { rows: others } = await replica.target.query('select * from other');
  assert.deepEqual(others, [{ id: 1 }]);
  const { rows: letters } = await replica.target.query('select count(*)::int as n from replicator_dlq');
  assert.deepEqual(letters, [{ n: 1 }]);
});
