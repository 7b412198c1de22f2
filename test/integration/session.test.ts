import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MessageBuffer } from '../../src/target/messages.ts';
import type { Session } from '../../src/target/session.ts';
import { openSession } from '../harness/apply-rig.ts';
import { sharedServer } from '../servers/postgres.ts';

const shared = sharedServer();

async function open(t: TestContext, statementLimit?: number) {
  const database = await shared.freshDatabase(t);
  await database.query('CREATE TABLE seen (n int PRIMARY KEY)');
  return { database, session: await openSession(t, database.url, statementLimit) };
}

const INSERT = 'INSERT INTO seen VALUES ($1::int4)';

function insert(session: Session, script: MessageBuffer, n: number | string): void {
  const mark = script.bind(session.statement(script, INSERT), 1);
  script.text(String(n));
  script.execute(mark);
}

async function codeOf(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    () => 'none',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}

async function preparedNames(session: Session, database: { query(sql: string): Promise<object[]> }): Promise<number> {
  await session.run('CREATE TABLE IF NOT EXISTS prepared (n int); TRUNCATE prepared');
  await session.run('INSERT INTO prepared SELECT count(*) FROM pg_prepared_statements');
  return ((await database.query('SELECT n FROM prepared')) as { n: number }[])[0].n;
}

test('many scripts are under way at once and each gets its own answer', async (t) => {
  const { database, session } = await open(t);
  const sent = Array.from({ length: 200 }, (_, i) => {
    const script = session.script();
    script.query('BEGIN');
    for (let n = 0; n <= i % 3; n++) insert(session, script, 10 * i + n);
    script.query('COMMIT');
    return session.send(script);
  });
  assert.equal(session.inFlight, 200);
  const results = await Promise.all(sent);
  assert.equal(session.inFlight, 0);
  results.forEach(({ tags }, i) => {
    assert.deepEqual(tags, ['BEGIN', ...Array(1 + (i % 3)).fill('INSERT 0 1'), 'COMMIT']);
  });
  const [{ count }] = await database.query<{ count: string }>('SELECT count(*) FROM seen');
  assert.equal(
    Number(count),
    results.reduce((sum, { tags }) => sum + tags.length - 2, 0),
  );
});

test('an error fails its own script alone, with the first of its errors', async (t) => {
  const { database, session } = await open(t);
  const sent = Array.from({ length: 9 }, (_, i) => {
    const script = session.script();
    script.query('BEGIN');
    insert(session, script, i);
    if (i % 3 === 1) {
      insert(session, script, i); // 23505
      script.query('SELECT 1'); // 25P02
      insert(session, script, 'none'); // 25P02
    }
    script.query('COMMIT');
    return codeOf(session.send(script));
  });
  assert.deepEqual(await Promise.all(sent), [
    'none',
    '23505',
    'none',
    'none',
    '23505',
    'none',
    'none',
    '23505',
    'none',
  ]);
  const rows = await database.query<{ n: number }>('SELECT n FROM seen ORDER BY n');
  assert.deepEqual(
    rows.map(({ n }) => n),
    [0, 2, 3, 5, 6, 8],
  );
});

test('a failed COPY fails its script and leaves the session in step', async (t) => {
  const { session } = await open(t);
  const copy = (text: string) => {
    const script = session.script();
    script.query('COPY seen FROM STDIN');
    const mark = script.openCopy();
    const row = Buffer.from(`t\0\0\0\0${text}`);
    row.writeInt32BE(text.length, 1);
    script.copyText(row, 0);
    script.closeCopy(script.copyRowDone(mark));
    return codeOf(session.send(script));
  };
  const missing = session.script();
  missing.query('COPY nowhere FROM STDIN');
  missing.closeCopy(missing.openCopy());
  const sent = [copy('1'), copy('x'), codeOf(session.send(missing)), copy('1'), copy('2')];
  assert.deepEqual(await Promise.all(sent), ['none', '22P02', '42P01', '23505', 'none']);
});

test('statements prepared by a failed script are prepared anew', async (t) => {
  const { session } = await open(t);
  const failing = session.script();
  failing.query('SELECT 1 / 0 FROM seen WHERE false; SELECT 1 / 0');
  insert(session, failing, 1);
  // Made before the failure is known: it relies on the name that the script before was to prepare.
  const behind = session.script();
  insert(session, behind, 2);
  assert.deepEqual(await Promise.all([codeOf(session.send(failing)), codeOf(session.send(behind))]), ['22012', 'none']);

  const broken = session.script();
  broken.query('BEGIN; SELECT 1 / 0');
  insert(session, broken, 3);
  broken.query('COMMIT');
  const follower = session.script();
  insert(session, follower, 4);
  await Promise.all([codeOf(session.send(broken)), codeOf(session.send(follower))]);
  const later = session.script();
  insert(session, later, 5);
  assert.equal(await codeOf(session.send(later)), 'none');
});

test('names whose preparing failed are not relied upon', async (t) => {
  const { session } = await open(t);
  const missing = () => {
    const script = session.script();
    const mark = script.bind(session.statement(script, 'INSERT INTO later VALUES ($1::int4)'), 1);
    script.text('1');
    script.execute(mark);
    return codeOf(session.send(script));
  };
  assert.deepEqual(await Promise.all([missing(), missing()]), ['42P01', '26000']);
  await session.run('CREATE TABLE later (n int)');
  assert.equal(await missing(), 'none');
});

test('a script that is dropped unsent takes the statements that it was to prepare with it', async (t) => {
  const { session } = await open(t);
  insert(session, session.script(), 1);
  session.forgetStatements();
  const script = session.script();
  insert(session, script, 2);
  assert.equal(await codeOf(session.send(script)), 'none');
});

test('at the limit all statements are dropped, and the server holds no more than the limit', async (t) => {
  const { database, session } = await open(t, 8);
  for (let round = 0; round < 3; round++) {
    const sent = Array.from({ length: 20 }, (_, i) => {
      const script = session.script();
      script.query('BEGIN');
      for (const sql of [INSERT, `SELECT $1::int4 + ${i % 11}`, INSERT]) {
        const mark = script.bind(session.statement(script, sql), 1);
        script.text(String(1000 * round + 10 * i + (sql === INSERT ? script.length % 7 : 0)));
        script.execute(mark);
      }
      script.query('ROLLBACK');
      return codeOf(session.send(script));
    });
    for (const code of await Promise.all(sent)) assert.match(code, /^(none|23505)$/);
    assert.ok((await preparedNames(session, database)) <= 8);
  }
});

test('statements do not pile up on the server when scripts fail again and again', async (t) => {
  const { database, session } = await open(t, 8);
  for (let i = 0; i < 40; i++) {
    const script = session.script();
    insert(session, script, i);
    script.query('SELECT 1 / 0');
    assert.equal(await codeOf(session.send(script)), '22012');
  }
  assert.ok((await preparedNames(session, database)) <= 8);
});

test('a script without any message is answered in its turn', { timeout: 10_000 }, async (t) => {
  const { session } = await open(t);
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const slow = session.run('SELECT pg_sleep(0.05)').then(note('slow'));
  const empty = session.send(session.script()).then(note('empty'));
  const after = session.run('SELECT 1').then(note('after'));
  await Promise.all([slow, empty, after]);
  assert.deepEqual(order, ['slow', 'empty', 'after']);
  assert.equal(session.inFlight, 0);
});

test('a lost connection rejects everything that is under way and everything after', async (t) => {
  const { database, session } = await open(t);
  const [{ pid }] = await database.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  const sent = [
    codeOf(session.run('SELECT 1')),
    codeOf(session.run('SELECT pg_sleep(30)')),
    codeOf(session.run('SELECT 2')),
    codeOf(session.run('SELECT 3')),
  ];
  assert.equal(await sent[0], 'none');
  await database.query('SELECT pg_terminate_backend($1)', [pid]);
  const [, during, ...behind] = await Promise.all(sent);
  assert.equal(during, '57P01');
  for (const code of behind) assert.notEqual(code, 'none');
  assert.notEqual(await codeOf(session.run('SELECT 4')), 'none');
  assert.equal(session.inFlight, 0);
  await session.close();
});

test('destroy rejects what is under way, and the server rolls it back', async (t) => {
  const { database, session } = await open(t);
  const script = session.script();
  script.query('BEGIN');
  insert(session, script, 1);
  await session.send(script);
  const pending = codeOf(session.run('SELECT pg_sleep(30)'));
  session.destroy();
  assert.equal(await pending, 'session closed');
  for (let attempt = 0; ; attempt++) {
    const left = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
    );
    if (left.length === 0) break;
    assert.ok(attempt < 200, 'the transaction is still open');
  }
  assert.deepEqual(await database.query('SELECT n FROM seen'), []);
});

test('a script keeps its bytes until they are written, however many are sent at once', async (t) => {
  const { database, session } = await open(t);
  // Scripts are reused once written: each must arrive as it was filled.
  const sent = Array.from({ length: 30 }, (_, i) => {
    const script = session.script();
    script.query(`INSERT INTO seen SELECT ${i} WHERE length('${'x'.repeat(200_000)}') = 200000`);
    return session.send(script);
  });
  await Promise.all(sent);
  const rows = await database.query<{ n: number }>('SELECT n FROM seen ORDER BY n');
  assert.deepEqual(
    rows.map(({ n }) => n),
    Array.from({ length: 30 }, (_, i) => i),
  );
});
