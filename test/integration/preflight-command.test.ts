import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { run } from '../../src/commands/preflight.ts';
import { OperatorError, UsageError } from '../../src/errors.ts';
import { SecretsFile } from '../../src/sessions/secrets.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { SourceRun } from '../harness/source-run.ts';
import { scratchDirectory } from '../servers/scratch.ts';
import { freshDatabase, type PostgresServer, startPostgres, type TestDatabase } from '../servers/postgres.ts';

const PASSWORD = 'Correct-Horse-9';

interface Scope {
  after(done: () => Promise<void>): void;
}

/** Runs the command; `env` is all of its environment. */
async function preflight(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const status = await run({ program: 'instar', args, env, stdout: stream, stderr: stream });
  return { status, text: written.join('') };
}

async function pair(t: Scope): Promise<{ server: PostgresServer; source: TestDatabase; target: TestDatabase }> {
  const server = await startPostgres({ version: 18, password: PASSWORD, settings: { max_slot_wal_keep_size: '64GB' } });
  t.after(() => server.stop());
  const source = await freshDatabase(server, t);
  const target = await freshDatabase(server, t);
  await source.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE "a,b" (id int PRIMARY KEY)');
  await target.query('CREATE TABLE t (id int PRIMARY KEY)');
  return { server, source, target };
}

test('not ready, then ready: exit status, text and JSON, without a secret; the engine agrees', async (t) => {
  const { source, target } = await pair(t);
  const flags = [
    ...['--sourceConn', source.url, '--targetConn', target.url, '--targetSchema', 'public'],
    ...['--slotName', 'molt_slot', '--stagingSchema', '_replicator'],
  ];
  const before = await preflight(flags);
  assert.equal(before.status, 1);
  for (const line of [
    /^SOURCE postgresql:\/\/postgres:\*\*\*\*\*@127\.0\.0\.1/m,
    /^ {2}FAILED +replication slot +molt_slot is not there/m,
    /^ {2}FAILED +publication +none in this database/m,
    /^ {13}SELECT pg_create_logical_replication_slot\('molt_slot', 'pgoutput'\);$/m,
    /^TARGET /m,
    /^ {2}FAILED +public\."a,b" +not there/m,
    /^ {2}ok +public\.t +1 column$/m,
    /^Not ready: 3 must be put right, \d+ passed\.$/m,
  ]) {
    assert.match(before.text, line);
  }
  assert(!before.text.includes(PASSWORD));

  const statements = Array.from(before.text.matchAll(/^ {13}((?:CREATE|SELECT)[^;]*;)$/gm), ([, sql]) => sql);
  assert.equal(statements.length, 3);
  for (const sql of statements) await (sql.startsWith('CREATE TABLE') ? target : source).query(sql);

  const after = await preflight([...flags, '--json']);
  assert.equal(after.status, 0);
  const { ready, checks, source: place } = JSON.parse(after.text);
  assert.equal(ready, true);
  assert.match(place, /^postgresql:\/\/postgres:\*\*\*\*\*@/);
  assert(checks.every((check: { state: string }) => check.state === 'passed'));
  assert(!after.text.includes(PASSWORD));
  const connected = await SourceRun.connect({ url: source.url, slotName: 'molt_slot' });
  assert.equal(connected.tables.length, 2);
});

test('only some tables; a wrong password', async (t) => {
  const { source, target } = await pair(t);
  const connections = { INSTAR_SOURCE_CONN: source.url, INSTAR_TARGET_CONN: target.url };
  const flags = ['--targetSchema', 'public', '--tables', 'public.t, public."a,b"', '--json'];
  const { text } = await preflight(flags, connections);
  const ids = JSON.parse(text).checks.map(({ id }: { id: string }) => id);
  assert.deepEqual(ids.slice(-2), ['target.table.public."a,b"', 'target.table.public.t']);

  const wrong = source.url.replace(PASSWORD, 'Wrong-Donkey-1');
  const refused = await preflight(['--targetSchema', 'public'], { ...connections, INSTAR_SOURCE_CONN: wrong });
  assert.equal(refused.status, 1);
  assert.match(refused.text, /FAILED +connection +source database at .*\(PG_PASSWORD\)/s);
  assert.match(refused.text, /skipped +wal_level +not looked at, because of:\s+connection/);
  assert(!refused.text.includes('Wrong-Donkey'));
});

test('wrong usage', async () => {
  const flags = ['--sourceConn', 'postgresql://u@h/d', '--targetConn', 'postgresql://u@h/d'];
  const refuses = (args: readonly string[], message: RegExp) =>
    assert.rejects(preflight(args), (error) => error instanceof UsageError && message.test(error.message));
  await refuses([], /no source connection/);
  await refuses(flags, /preflight needs --targetSchema/);
  await refuses([...flags, '--targetSchema', 'public', '--tables', 'orders'], /--tables: "orders" is not a table/);
  await refuses([...flags, '--targetSchema', 'public', '--tables', ' ,'], /--tables/);
  await refuses([...flags, '--flushSize', '1'], /--flushSize is not a flag of preflight/);
});

test('a saved replication: what is to be created need not be there yet', async (t) => {
  const { source, target } = await pair(t);
  const env = { INSTAR_HOME: scratchDirectory('preflight-command'), TARGET: target.url };
  const store = ReplicationStore.open(env);
  store.save({
    name: 'shop',
    created: new Date().toISOString(),
    step: 'review',
    made: [],
    answers: {
      kind: 'pglogical',
      source: { display: 'postgresql://postgres@127.0.0.1/shop' },
      target: { display: 'postgresql://postgres@127.0.0.1/shop', reference: '$TARGET' },
      tables: ['public.t'],
      publication: { name: 'molt_fetch', create: true },
      slot: { name: 'molt_slot', create: true },
      targetSchema: 'public',
    },
  });
  SecretsFile.open(env).set('shop', 'source', source.url);
  const { status, text } = await preflight(['shop'], env);
  assert.equal(status, 0, text);
  assert.match(text, /molt_slot will be created/);
  assert.match(text, /public\.t +1 column/);
  assert(!text.includes(PASSWORD));

  store.update('shop', ({ step: _, ...launched }) => launched);
  assert.equal((await preflight(['shop'], env)).status, 1, 'once launched, they have to be there');
  await assert.rejects(
    preflight(['nothing'], env),
    (error) => error instanceof OperatorError && error.code === 'SESSION_MISSING',
  );
});
