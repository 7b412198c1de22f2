import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replica } from '../harness/replica.ts';
import { scriptFor } from '../harness/script-example.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer();
const target = sharedServer();

const ORDERS = 'create table orders (id int primary key, customer int, total numeric)';

async function replicaWith(t: Parameters<typeof Replica.create>[0], targetSchema: string): Promise<Replica> {
  return await Replica.create(t, source.server, target.server, { sourceSchema: ORDERS, targetSchema });
}

async function transaction(replica: Replica, ...statements: string[]): Promise<void> {
  await replica.source.query(`begin; ${statements.join('; ')}; commit`);
}

test('the transaction of onWrite: query, exec, columns, schema, table, write', async (t) => {
  const replica = await replicaWith(
    t,
    `create table orders (total numeric default 1.5, id int primary key, customer int, twice numeric generated always as (total * 2) stored);
     create table customers (id int primary key, n int, vip boolean); insert into customers values (1, 0, true), (2, 0, false);
     create table seen (what text)`,
  );
  const script = scriptFor(
    t,
    replica,
    `api.configureTargetTables(["orders"], {
       onWrite: async (rows) => {
         const tx = api.getTX();
         await tx.exec("INSERT INTO seen VALUES ($1)", { schema: tx.schema(), table: tx.table(), columns: tx.columns() });
         for (const row of rows) {
           if (row.action === "delete") { await api.write([row]); continue; }
           const found = await tx.query("SELECT id, vip, NULL, 'text', n FROM customers WHERE id = $1", row.data.customer);
           let customer: any = null;
           for (const one of found) { customer = one; break; }
           if (customer === null) { console.warn("skipped", row.pk); continue; }
           await tx.exec("INSERT INTO seen VALUES ($1)", JSON.stringify([customer, row.meta]));
           await api.write([row]);
           await tx.exec("UPDATE customers SET n = n + 1 WHERE id = $1", row.data.customer);
         }
       },
     });`,
  );
  const engine = await replica.start(['--userscript', script]);
  await transaction(
    replica,
    'insert into orders values (1, 1, 10.50), (2, 2, 20), (3, 3, 30)',
    'update orders set total = 11 where id = 1',
  );
  await transaction(replica, 'delete from orders where id = 2');
  await replica.settle();
  const { rows } = await replica.target.query('select id, customer, total from orders');
  assert.deepEqual(rows, [{ id: 1, customer: 1, total: '11' }]);
  assert.deepEqual((await replica.target.query('select id, n from customers order by 1')).rows, [
    { id: 1, n: 2 },
    { id: 2, n: 1 },
  ]);
  const seen = (await replica.target.query<{ what: string }>('select what from seen')).rows.map(({ what }) =>
    JSON.parse(what),
  );
  assert.deepEqual(seen[0], {
    schema: '"public"',
    table: '"public"."orders"',
    columns: [
      { ignored: false, name: '"id"', primary: true, type: 'integer' },
      { defaultExpr: '1.5', ignored: false, name: '"total"', primary: false, type: 'numeric' },
      { ignored: false, name: '"customer"', primary: false, type: 'integer' },
      { ignored: true, name: '"twice"', primary: false, type: 'numeric' },
    ],
  });
  assert.deepEqual(seen[1], [['1', true, null, 'text', '0'], { schema: replica.targetSchema, table: 'orders' }]);
  assert.match(engine.log, /WARN {2}skipped \["3"\]/);
  const metrics = await engine.metrics();
  const labels = `{schema="${replica.targetSchema}",table="orders",function="onWrite"}`;
  assert((metrics.get(`script_invocations_total${labels}`) ?? 0) >= 1);
  assert.equal(metrics.get('script_errors_total'), undefined);
});

test('onWrite stands between writes of other tables: rows that refer to each other keep their order', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: 'create table parent (id int primary key); create table child (id int primary key, parent int)',
    targetSchema:
      'create table parent (id int primary key); create table child (id int primary key, parent int references parent)',
  });
  const script = scriptFor(
    t,
    replica,
    'api.configureTargetTables(["parent"], { onWrite: (rows) => api.write(rows) });',
  );
  await replica.start(['--userscript', script]);
  await transaction(
    replica,
    'insert into parent values (1)',
    'insert into child values (1, 1)',
    'insert into parent values (2)',
    'update child set parent = 2',
    'delete from parent where id = 1',
  );
  await transaction(
    replica,
    'delete from child',
    'delete from parent',
    'insert into parent values (7)',
    'insert into child values (7, 7)',
  );
  await replica.assertSettledEqual();
});

test('an error of the database that onWrite lets through is one as without a script; a savepoint lets it go on', async (t) => {
  const replica = await replicaWith(
    t,
    'create table orders (id int primary key, customer int, total numeric check (total < 100)); create table odd (id text, why text)',
  );
  const script = scriptFor(
    t,
    replica,
    `api.configureTargetTables(["orders"], {
       onWrite: async (rows) => {
         const tx = api.getTX();
         for (const row of rows) {
           await tx.exec("SAVEPOINT a");
           try { await api.write([row]); }
           catch (e) {
             if (row.pk[0] === "13") throw e;
             await tx.exec("ROLLBACK TO SAVEPOINT a");
             await tx.exec("INSERT INTO odd VALUES ($1, $2)", row.pk[0], String(e));
           }
         }
       },
     });`,
  );
  const engine = await replica.start(['--userscript', script]);
  await transaction(replica, 'insert into orders values (1, 1, 5), (2, 1, 500), (3, 1, 7)');
  await replica.settle();
  assert.deepEqual((await replica.target.query('select id from orders order by 1')).rows, [{ id: 1 }, { id: 3 }]);
  const odd = (await replica.target.query<{ id: string; why: string }>('select * from odd')).rows;
  assert.equal(odd.length, 1);
  assert.match(odd[0].why, /^Error: ERROR: new row .* violates check constraint .*\(SQLSTATE 23514\)$/);
  await transaction(replica, 'insert into orders values (12, 1, 5), (13, 1, 500)');
  assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
  assert.match(engine.log, /APPLY_FAILED/);
  assert.match(engine.log, /SQLSTATE 23514/);
  assert.deepEqual((await replica.target.query('select id from orders order by 1')).rows, [{ id: 1 }, { id: 3 }]);
});

const REFUSED: Readonly<Record<string, { body: string; code: string }>> = {
  'throws of its own': {
    body: 'await tx.exec("INSERT INTO log VALUES (1)"); throw new Error("enough of " + rows.length)',
    code: 'SCRIPT_FAILED',
  },
  commits: { body: 'await api.write(rows); await tx.exec("/* so */ commit")', code: 'SCRIPT_STATEMENT' },
  'changes the session': { body: 'await tx.exec("SET statement_timeout = 0")', code: 'SCRIPT_STATEMENT' },
  'sends two statements': { body: 'await tx.exec("SELECT 1; COMMIT")', code: 'APPLY_FAILED' },
  'goes on after an error': { body: 'try { await tx.exec("SELECT 1/0") } catch {} ', code: 'SCRIPT_ABANDONED' },
  'does not wait for what fails': {
    body: 'tx.exec("SELECT * FROM nowhere").catch(() => {})',
    code: 'SCRIPT_ABANDONED',
  },
  'never settles': {
    body: 'await tx.exec("INSERT INTO log VALUES (1)"); await new Promise(() => {})',
    code: 'SCRIPT_NEVER_ENDS',
  },
  'never ends': { body: 'for (;;);', code: 'SCRIPT_TIMEOUT' },
  'asks without end': { body: 'for (;;) await tx.query("SELECT 1")', code: 'SCRIPT_TIMEOUT' },
  'is no promise that resolves': {
    body: 'const bad: any = { then() { throw new Error("no then") } }; return bad',
    code: 'SCRIPT_FAILED',
  },
  'writes what is no row': { body: 'await api.write([{ action: "upsert" } as any])', code: 'SCRIPT_RESULT' },
  'writes to no table': {
    body: 'await api.write([{ ...rows[0], meta: { schema: "", table: "nowhere" } }])',
    code: 'SCRIPT_FAILED',
  },
};

for (const [what, { body, code }] of Object.entries(REFUSED)) {
  test(`an onWrite that ${what}: ${code}, and nothing of the transaction is there`, async (t) => {
    const replica = await replicaWith(
      t,
      `${ORDERS}; create table log (n int); create table other (id int primary key)`,
    );
    await replica.source.query('create table other (id int primary key)');
    const script = scriptFor(
      t,
      replica,
      `api.configureTargetTables(["orders"], { onWrite: async (rows) => {
         const tx = api.getTX();
         if (rows.every((row) => row.pk[0] !== "13")) return api.write(rows);
         ${body}
       } });`,
    );
    const flags = [
      '--userscript',
      script,
      '--userscriptTimeout',
      '500ms',
      '--applyTimeout',
      '2s',
      '--metricsAddr',
      ':0',
    ];
    const engine = await replica.start(flags);
    await transaction(replica, 'insert into orders values (1, 1, 1)');
    await replica.settle();
    await transaction(replica, 'insert into other values (13)', 'insert into orders values (13, 1, 1)');
    assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
    assert.match(engine.log, new RegExp(`ERROR .*code=${code}\\b`));
    assert.deepEqual((await replica.target.query('select id from orders')).rows, [{ id: 1 }]);
    assert.deepEqual((await replica.target.query('select * from other union select * from log')).rows, []);
    await replica.source.query('insert into orders values (14, 1, 1)');
    const again = await replica.start([...flags, '--onApplyError', 'dlq']);
    await replica.settle();
    assert.deepEqual((await replica.target.query('select id from orders order by 1')).rows, [{ id: 1 }, { id: 14 }]);
    const letters = (
      await replica.target.query('select dlq_name, data_after from replicator_dlq order by source_logical')
    ).rows;
    assert.deepEqual(
      letters.map((letter) => letter.dlq_name),
      ['other', 'orders'],
    );
    assert.equal(again.running, true);
  });
}

test('getTX and write outside of onWrite are refused', async (t) => {
  const replica = await replicaWith(t, ORDERS);
  const script = scriptFor(
    t,
    replica,
    'api.configureTargetSchema(SCHEMA, { onRowUpsert: (row, meta) => { if (meta.table === "orders") api.getTX(); return row; }, onRowDelete: (row) => row });',
  );
  const engine = await replica.start(['--userscript', script]);
  await transaction(replica, 'insert into orders values (1, 1, 1)');
  assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
  assert.match(
    engine.log,
    /in onRowUpsert, for table orders, row id=1, at \S+script\.ts:3:\d+: getTX\(\) can only be used inside of onWrite.* code=SCRIPT_TRANSACTION/,
  );
});
