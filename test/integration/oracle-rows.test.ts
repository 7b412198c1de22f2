import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../src/errors.ts';
import type { OracleSourceOptions } from '../../src/sources/oracle/oracle-source.ts';
import type { SkipReason } from '../../src/sources/oracle/metrics.ts';
import { asScnPosition } from '../../src/sources/oracle/position.ts';
import { OracleRun, startOracle } from '../harness/oracle-run.ts';
import type { OracleServer } from '../servers/oracle/oracle.ts';
import type { ModelTable, ModelTransaction } from '../servers/oracle/redo-model.ts';

const column = (name: string, type: string, length = 22) => ({ name, type, length, nullable: name !== 'ID' });

interface Place {
  readonly server: OracleServer;
  readonly table: ModelTable;
  readonly run: OracleRun;
  readonly skipped: SkipReason[];
  /** A transaction that does this, and commits. */
  commit(work: (transaction: ModelTransaction) => void): void;
}

async function place(t: TestContext, options: Partial<OracleSourceOptions> = {}): Promise<Place> {
  const server = await startOracle(t, { profile: '19c', multitenant: true });
  const { model } = server;
  const table = model.createTable(
    server.owner,
    'DOCS',
    [column('ID', 'NUMBER'), column('TITLE', 'VARCHAR2', 4000), column('BODY', 'CLOB', 4000)],
    ['ID'],
  );
  const skipped: SkipReason[] = [];
  const metrics = {
    mutation: () => {},
    skipped: (why: SkipReason) => void skipped.push(why),
    distance: () => {},
    window: () => {},
    open: () => {},
  };
  const run = await new OracleRun(t, server, { metrics, ...options }).start();
  const commit = (work: (transaction: ModelTransaction) => void) => {
    const transaction = model.begin();
    work(transaction);
    transaction.commit();
  };
  return { server, table, run, skipped, commit };
}

/** The changes that were delivered, flat: kind and new values. */
function changes({ run }: Place): unknown[] {
  return run.sink.transactions.flatMap((each) => each.changes.map(({ kind, new: values }) => [kind, values]));
}

async function failure({ run }: Place): Promise<OperatorError> {
  const late = sleep(20_000, 'it goes on', { ref: false });
  const error = await Promise.race([run.outcome, late]);
  assert(error instanceof OperatorError, String(error));
  return error;
}

/** A record of the redo that is no change of the model. */
function write({ server, table }: Place, operation: number, more: Record<string, unknown> = {}): void {
  server.model.write({
    operation,
    xid: '0009000900000009',
    rollback: false,
    owner: server.owner,
    table: table.name,
    rowId: 'AAAAAAAAAAAAAAAAAA',
    thread: 1,
    ...more,
  });
}

test('statements that are cut into many rows are put together, whatever stands at the cuts', async (t) => {
  const at = await place(t);
  const texts = [3990, 3998, 3999, 4000].map((length) => "it's 漢🙂 || ".repeat(400).slice(0, length));
  for (const [i, text] of texts.entries()) at.commit((each) => each.insert(at.table, [String(i), text, null]));
  await at.run.caughtUp();
  assert.deepEqual(
    changes(at),
    texts.map((text, i) => ['insert', [String(i), text, null]]),
  );
});

test('what was taken back is not there: a savepoint, all of it, and a large object with its row', async (t) => {
  const at = await place(t);
  at.commit((each) => {
    each.insert(at.table, ['1', 'kept', 'short']);
    const savepoint = each.savepoint();
    each.insert(at.table, ['2', 'gone', 'long '.repeat(400)]);
    each.insert(at.table, ['3', 'gone', 'short']);
    each.rollbackTo(savepoint);
    each.insert(at.table, ['4', 'kept', null]);
  });
  const whole = at.server.model.begin();
  whole.insert(at.table, ['5', 'gone', null]);
  whole.rollback();
  await at.run.caughtUp();
  assert.deepEqual(changes(at), [
    ['insert', ['1', 'kept', '']],
    ['update', ['1', undefined, 'short']],
    ['insert', ['4', 'kept', null]],
  ]);
});

test('a large object that comes in pieces is whole; of one that was there already nothing is made up', async (t) => {
  const at = await place(t);
  const body = "it's long; ".repeat(300);
  at.commit((each) => each.insert(at.table, ['1', 'a', body]));
  const place9 = `select "BODY" into loc_c from "${at.server.owner}"."DOCS" where "ID" = '1' for update;`;
  write(at, 9, { text: place9 });
  write(at, 10, { text: " buf_c := 'X';\n dbms_lob.write(loc_c, 1, 5, buf_c);" });
  write(at, 7, { owner: null, table: null, text: 'commit' });
  await at.run.caughtUp();
  assert.deepEqual(changes(at), [
    ['insert', ['1', 'a', '']],
    ['update', ['1', undefined, body]],
  ]);
  assert.deepEqual(at.skipped, ['lob']);
  assert.equal(at.run.log.lines.filter(({ fields }) => fields?.code === 'ORACLE_LOB_UPDATE').length, 1);
});

test('a table that is made meanwhile is replicated, and one that is altered is read by its new definition', async (t) => {
  const at = await place(t);
  at.commit((each) => each.insert(at.table, ['1', 'a', null]));
  await at.run.caughtUp();
  const made = at.server.model.createTable(at.server.owner, 'LATE', [column('ID', 'NUMBER')], ['ID']);
  at.commit((each) => each.insert(made, ['7']));
  await at.run.caughtUp();
  const altered = at.server.model.createTable(
    at.server.owner,
    'LATE',
    [column('ID', 'NUMBER'), column('MORE', 'VARCHAR2', 10)],
    ['ID'],
  );
  write(at, 5, { table: 'LATE', info: 'USER DDL', text: 'alter table late add more varchar2(10)' });
  at.commit((each) => each.insert(altered, ['8', 'x']));
  await at.run.caughtUp();
  assert.deepEqual(changes(at), [
    ['insert', ['1', 'a', null]],
    ['insert', ['7']],
    ['insert', ['8', 'x']],
  ]);
});

test('TRUNCATE empties the table in its transaction, or is left out, or ends the stream, as was chosen', async (t) => {
  const ddl = { info: 'USER DDL (PlSql=0 RecDep=0)', text: 'truncate table docs' };
  const applied = await place(t);
  write(applied, 5, ddl);
  write(applied, 7, { owner: null, table: null });
  await applied.run.caughtUp();
  assert.deepEqual(changes(applied), [['truncate', undefined]]);
  const ignored = await place(t, { truncate: 'ignore' });
  write(ignored, 5, ddl);
  write(ignored, 7, { owner: null, table: null });
  await ignored.run.caughtUp();
  assert.deepEqual([changes(ignored), ignored.skipped], [[], ['ddl']]);
  const refused = await place(t, { truncate: 'error' });
  write(refused, 5, ddl);
  assert.equal((await failure(refused)).code, 'ORACLE_TRUNCATE');
});

test('redo that cannot be turned into changes ends the stream with its name, and nothing of its transaction is delivered', async (t) => {
  const cases: readonly (readonly [code: string, operation: number, more: Record<string, unknown>])[] = [
    [
      'ORACLE_REDO_NOT_VALID',
      1,
      {
        status: 2,
        info: 'Dictionary Mismatch',
        text: 'insert into "UNKNOWN"."OBJ# 1"("COL 1") values (HEXTORAW(\'c102\'))',
      },
    ],
    ['ORACLE_OPERATION_UNSUPPORTED', 255, { text: 'Unsupported' }],
    ['ORACLE_REDO_WITHOUT_KEY', 3, { text: 'update "APP"."DOCS" set "TITLE" = \'x\'' }],
    ['ORACLE_REDO_UNREADABLE', 1, { text: 'insert into "APP"."DOCS"("ID") values (secret' }],
  ];
  for (const [code, operation, more] of cases) {
    const at = await place(t);
    write(at, operation, more);
    const error = await failure(at);
    assert.equal(error.code, code);
    assert.equal(error.transient, false);
    assert.doesNotMatch(`${error.message}${error.fix}`, /secret/);
    assert.deepEqual(at.run.sink.transactions, []);
  }
});

test('a table that the dictionary no longer knows is refused when it is one of ours, and passed over with a word when not', async (t) => {
  const at = await place(t);
  write(at, 1, {
    owner: 'UNKNOWN',
    table: 'OBJ# 424242',
    text: 'insert into "UNKNOWN"."OBJ# 424242"("COL 1") values (HEXTORAW(\'c102\'))',
  });
  at.commit((each) => each.insert(at.table, ['1', 'a', null]));
  await at.run.caughtUp();
  assert.deepEqual(at.skipped, ['unknown_table']);
  write(at, 1, { owner: 'UNKNOWN', table: `OBJ# ${at.table.objectId}`, text: 'insert into …' });
  assert.equal((await failure(at)).code, 'ORACLE_TABLE_CHANGED');
});

test('a table that the user may not see is passed over with a word, and the others go on', async (t) => {
  const at = await place(t);
  const { model, owner } = at.server;
  const other = model.createTable(owner, 'SECRETS', [column('ID', 'NUMBER')], ['ID']);
  model.hidden.add('SECRETS');
  for (const id of ['1', '2']) {
    at.commit((each) => {
      each.insert(other, [id]);
      each.insert(at.table, [id, 'a', null]);
    });
  }
  await at.run.caughtUp();
  assert.deepEqual(changes(at), [
    ['insert', ['1', 'a', null]],
    ['insert', ['2', 'a', null]],
  ]);
  assert.deepEqual(at.skipped, ['unknown_table', 'unknown_table']);
  assert.equal(at.run.log.lines.filter(({ fields }) => fields?.code === 'ORACLE_TABLE_UNSEEN').length, 1);
});

test('a hole that the server reports is not passed, also where it is of no container: the stream is to begin again', async (t) => {
  for (const container of ['ORCLPDB1', null]) {
    const at = await place(t);
    write(at, 34, { owner: null, table: null, container });
    const error = await failure(at);
    assert.deepEqual([error.code, error.transient], ['ORACLE_REDO_HOLE', true]);
  }
});

test('a large object that a transaction only writes to: what was read of it before a restart is read again', async (t) => {
  const at = await place(t);
  const body = 'first piece, second piece';
  at.commit((each) => each.insert(at.table, ['1', 'a', null]));
  const before = at.server.model.scn;
  const place9 = `select "BODY" into loc_c from "${at.server.owner}"."DOCS" where "ID" = '1' for update;`;
  write(at, 9, { text: place9 });
  write(at, 10, { text: ' dbms_lob.trim(loc_c, 0);' });
  write(at, 10, { text: ` buf_c := '${body.slice(0, 12)}';\n dbms_lob.write(loc_c, 12, 1, buf_c);` });
  await at.run.caughtUp();
  await at.run.stop();
  const position = asScnPosition(at.run.source.parsePosition(String(at.run.sink.position)));
  assert(position.mineFrom <= before && position.applied > before, `${position}: from ${before} on`);
  const rest = body.slice(12);
  write(at, 10, { text: ` buf_c := '${rest}';\n dbms_lob.write(loc_c, ${rest.length}, 13, buf_c);` });
  write(at, 7, { owner: null, table: null, text: 'commit' });
  const again = await new OracleRun(t, at.server).start(String(position));
  await again.caughtUp();
  assert.deepEqual(
    again.sink.transactions.map(({ changes: [{ kind, new: values }] }) => [kind, values]),
    [['update', ['1', undefined, body]]],
  );
});

test('undo of a change that was not read is told of, and what was read of its transaction stays', async (t) => {
  const at = await place(t);
  write(at, 1, {
    text: `insert into "APP"."DOCS"("ID","TITLE","BODY") values ('1','a',NULL)`,
    rowId: 'AAAR2oAAEAAAAB3AAA',
  });
  write(at, 3, { text: `update "APP"."DOCS" set "TITLE" = 'x'`, rowId: 'AAAR2oAAEAAAAB3AAB', rollback: true });
  write(at, 7, { owner: null, table: null, text: 'commit' });
  await at.run.caughtUp();
  assert.deepEqual(changes(at), [['insert', ['1', 'a', null]]]);
  const told = at.run.log.lines.filter(({ fields }) => fields?.code === 'ORACLE_UNDO_UNMATCHED');
  assert.deepEqual(
    told.map(({ fields }) => fields?.table),
    ['DOCS'],
  );
});

test('a savepoint that was set before the definitions of tables were read anew is rolled back to all the same', async (t) => {
  const at = await place(t);
  at.commit((each) => each.insert(at.table, ['0', 'z', null]));
  await at.run.caughtUp();
  const open = at.server.model.begin();
  open.insert(at.table, ['1', 'a', null]);
  const savepoint = open.savepoint();
  open.insert(at.table, ['2', 'b', null]);
  // What was done to the table later is known when another one's definition makes them be read.
  Object.assign(at.table.columns[1], { nullable: false });
  write(at, 5, { table: 'OTHERS', text: 'create table others (id number)', info: 'USER DDL (PlSql=0 RecDep=0)' });
  open.rollbackTo(savepoint);
  open.insert(at.table, ['3', 'c', null]);
  open.commit();
  await at.run.caughtUp();
  assert.deepEqual(changes(at).slice(1), [
    ['insert', ['1', 'a', null]],
    ['insert', ['3', 'c', null]],
  ]);
});

test('undo of what was not read is nothing to tell of where the target has the transaction, or nothing comes of it', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const ended = model.begin();
  const savepoint = ended.savepoint();
  ended.insert(at.table, ['1', 'a', null]);
  const rolledBack = model.begin();
  rolledBack.insert(at.table, ['2', 'b', null]);
  const mineFrom = model.scn;
  // Both go on behind where mining begins, which is what a third one makes of a restart.
  const open = model.begin();
  open.insert(at.table, ['3', 'c', null]);
  ended.rollbackTo(savepoint);
  ended.insert(at.table, ['4', 'd', null]);
  ended.commit();
  rolledBack.insert(at.table, ['5', 'e', null]);
  rolledBack.rollback();
  const applied = model.scn;
  open.commit();
  await at.run.stop();
  const again = await new OracleRun(t, at.server).start(`${mineFrom}:${applied}`);
  await again.caughtUp();
  assert.deepEqual(
    again.sink.transactions.map(({ changes: all }) => all.map(({ new: values }) => values?.[0])),
    [['3']],
  );
  assert.deepEqual(
    again.log.lines.filter(({ level }) => level !== 'info' && level !== 'debug').map(({ message }) => message),
    [],
  );
});

test('redo of an altered table is refused by the number of one of its partitions, too', async (t) => {
  const at = await place(t);
  at.commit((each) => each.insert(at.table, ['1', 'a', null]));
  await at.run.caughtUp();
  at.server.model.partitions.set('90210', at.table);
  // Partitions are made all the time: the definitions are read anew before their redo is passed over.
  write(at, 1, { owner: 'UNKNOWN', table: 'OBJ# 90210', text: 'insert into …' });
  assert.equal((await failure(at)).code, 'ORACLE_TABLE_CHANGED');
});

test('commit times are those of UTC, whatever zone the host is in', async (t) => {
  const at = await place(t);
  const before = Math.floor(Date.now() / 1000) * 1000;
  at.commit((each) => each.insert(at.table, ['1', 'a', null]));
  await at.run.caughtUp();
  const time = at.run.sink.transactions[0].commitTime / 1000;
  assert(time >= before && time <= Date.now(), `${new Date(time).toISOString()}`);
});
