import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OperatorError } from '../../src/errors.ts';
import { Engine, eventually } from '../harness/engine.ts';
import { OracleRun, startOracle } from '../harness/oracle-run.ts';
import { OracleServer } from '../servers/oracle/oracle.ts';
import { freshDatabase, sharedServer, type TestDatabase } from '../servers/postgres.ts';

const target = sharedServer();

const number = (name: string) => ({ name, type: 'NUMBER', length: 22, nullable: false });
const text = (name: string) => ({ name, type: 'VARCHAR2', length: 100, nullable: true });

/** An engine that reads a new server into a new database with that table. */
async function replicated(
  t: TestContext,
  definition: string,
): Promise<[OracleServer, TestDatabase, () => Promise<Engine>]> {
  const server = await OracleServer.start({});
  t.after(() => server.close());
  const database = await freshDatabase(target.server, t);
  await database.query(definition);
  const scn = String(server.model.scn);
  const start = () =>
    Engine.start(t, {
      command: 'oraclelogminer',
      sourceConn: server.rootUrl,
      targetConn: database.url,
      flags: [
        ...['--sourceSchema', server.owner, '--stagingSchema', '_replicator', '--stagingCreateSchema'],
        ...['--targetSchema', `${database.name}.public`, '--scn', scn],
      ],
    });
  return [server, database, start];
}

for (const [where, definition] of [
  ['nor at the target', 'CREATE TABLE papers (id numeric, title text, body text)'],
  ['but one at the target', 'CREATE TABLE papers (id numeric PRIMARY KEY, title text, body text)'],
]) {
  test(`rows with large objects in a table without key, ${where}: each change finds its row, and no object is lost`, async (t) => {
    const [server, database, start] = await replicated(t, definition);
    const { model } = server;
    const columns = [number('ID'), text('TITLE'), { name: 'BODY', type: 'CLOB', length: 4000, nullable: true }];
    const table = model.createTable(server.owner, 'PAPERS', columns, []);
    const change = (work: (transaction: ReturnType<typeof model.begin>) => void) => {
      const transaction = model.begin();
      work(transaction);
      transaction.commit();
    };
    const rows: string[] = [];
    change((of) => {
      for (const id of ['1', '2', '3']) rows.push(of.insert(table, [id, `title ${id}`, `body ${id} `.repeat(300)]));
    });
    await start();
    change((of) => of.update(table, rows[0], new Map([[1, 'changed']])));
    change((of) => of.delete(table, rows[1]));
    change((of) => of.update(table, rows[2], new Map([[0, '9']])));
    let found: unknown;
    await eventually(
      async () => {
        found = await database.query('SELECT id::text, title, body FROM papers ORDER BY id');
        return JSON.stringify((found as { id: string }[]).map(({ id }) => id)) === '["1","9"]';
      },
      () => JSON.stringify(found).slice(0, 500),
    );
    const bodies = (id: string) => `body ${id} `.repeat(300);
    await eventually(
      async () => {
        found = await database.query('SELECT id::text, title, body FROM papers ORDER BY id');
        const expected = [
          { id: '1', title: 'changed', body: bodies('1') },
          { id: '9', title: 'title 3', body: bodies('3') },
        ];
        return JSON.stringify(found) === JSON.stringify(expected);
      },
      () => JSON.stringify(found).slice(0, 500),
    );
  });
}

test('without a primary key the server may log another unique key than the one that is used: it stops with a name, and no row is guessed', async (t) => {
  for (const [first, second, told] of [
    ['A_IS_LOGGED', 'B_IS_NOT', true],
    ['B_IS_LOGGED', 'A_IS_NOT', false],
  ] as const) {
    const server = await startOracle(t, {});
    const { model } = server;
    // The one over fewer columns is used; the first one is logged.
    const of = (name: string) => (name.startsWith('A') ? ['A'] : ['B', 'C']);
    const unique = { [first]: of(first), [second]: of(second) };
    const table = model.createTable(server.owner, 'T', [number('A'), number('B'), number('C'), text('D')], [], unique);
    const run = await new OracleRun(t, server).start();
    const insert = model.begin();
    const row = insert.insert(table, ['1', '2', '3', 'x']);
    insert.commit();
    await run.caughtUp();
    const update = model.begin();
    update.update(table, row, new Map([[3, 'y']]));
    update.commit();
    if (told) {
      await run.caughtUp();
      assert.deepEqual(run.sink.transactions.at(-1)?.changes[0].new, ['1', undefined, undefined, 'y']);
      continue;
    }
    const error = await run.outcome;
    assert(error instanceof OperatorError, String(error));
    assert.equal(error.code, 'ORACLE_REDO_WITHOUT_KEY');
    assert.match(error.fix ?? '', /ALTER TABLE "APP"\."T" ADD SUPPLEMENTAL LOG DATA \(ALL\) COLUMNS;/);
    assert.equal(run.sink.transactions.length, 1);
  }
});
