import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { launch } from '../../src/sessions/launch.ts';
import { assertEqual, instar, prepared, type Session, settled } from '../harness/session-rig.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer();
const target = sharedServer();

/** A replication that has run and was stopped. */
async function stopped(t: TestContext): Promise<Session> {
  const session = await prepared(t, source, target);
  await launch('shop', session);
  await session.from.query(`INSERT INTO item SELECT i, 'x' FROM generate_series(1, 100) i`);
  await settled(session);
  assert.equal((await instar(session, 'stop', 'shop')).code, 0);
  return session;
}

/** Runs `instar edit` with these changes. */
async function edit(session: Session, changes: string, ...more: string[]) {
  const file = join(String(session.env.INSTAR_HOME), 'changes.yaml');
  writeFileSync(file, changes, { mode: 0o600 });
  return await instar(session, 'edit', 'shop', '--file', file, ...more);
}

/** The same database as another user, who can log in with the right to replicate. */
async function otherUser(session: Session): Promise<string> {
  const name = `${session.from.name}_other`;
  await session.from.query(`CREATE ROLE ${name} LOGIN REPLICATION PASSWORD 'x'`);
  const url = new URL(session.from.url);
  url.username = name;
  url.password = 'MARKER-of-the-new';
  return url.href;
}

test('a login that the source no longer takes: another one is saved once it works, and the resume goes on with equal rows', async (t) => {
  const session = await stopped(t);
  const url = await otherUser(session);
  const gone = new URL(url);
  gone.username = 'nobody_of_this_name';
  session.secrets.set('shop', 'source', gone.href);
  await session.from.query(`UPDATE item SET v = 'y' WHERE id % 2 = 0`);
  const refused = await instar(session, 'resume', 'shop', '--headless');
  assert.equal(refused.code, 1);
  assert.match(refused.stdout + refused.stderr, /nobody_of_this_name/);

  const wrong = await edit(session, `source: ${gone.href}\noptions:\n  flushSize: 77\n`);
  assert.equal(wrong.code, 1, wrong.stdout);
  assert.match(wrong.stderr, /nobody_of_this_name/);
  assert.equal(session.secrets.get('shop', 'source'), gone.href);
  assert.equal(session.replication().answers.options?.flushSize, undefined, 'all or nothing');

  const right = await edit(session, `source: ${url}\noptions:\n  flushSize: 77\n  gracePeriod: 20s\n`);
  assert.equal(right.code, 0, right.stderr);
  assert.match(right.stderr, /source: connected to postgresql:\/\/\w+_other:\*+@/);
  assert.match(
    right.stdout,
    /shop: connection to the source, flushSize, gracePeriod saved; counts from its next start on\n/,
  );
  assert.equal(session.secrets.get('shop', 'source'), url);
  const again = await edit(session, 'options:\n  flushSize: 77\n  gracePeriod:\n', '--json');
  assert.deepEqual(JSON.parse(again.stdout), { name: 'shop', changed: ['gracePeriod'], running: false });
  assert.deepEqual(session.replication().answers.options, { stagingSchema: '_replicator', flushSize: '77' });
  assert.match((await edit(session, 'options:\n  flushSize: 77\n')).stdout, /nothing to change/);

  const resumed = await instar(session, 'resume', 'shop', '--headless');
  assert.equal(resumed.code, 0, resumed.stdout + resumed.stderr);
  await session.from.query(`DELETE FROM item WHERE id % 3 = 0; INSERT INTO item VALUES (1000, 'z')`);
  await settled(session);
  await assertEqual(session);
  const users = await session.from.query<{ usename: string }>(
    `SELECT usename FROM pg_stat_replication WHERE usename LIKE '%_other'`,
  );
  assert.equal(users.length, 1, 'the new login replicates');
  const running = await edit(session, 'options:\n  flushSize:\n');
  assert.match(running.stdout, /counts from its next start on: stop it, then resume it/);

  const texts = [wrong, right, again, resumed, running].flatMap(({ stdout, stderr }) => [stdout, stderr]);
  texts.push(readFileSync(session.replication().run!.logFile, 'utf8'), JSON.stringify(session.replication()));
  for (const text of texts) assert.doesNotMatch(text, /MARKER/);
});

test('a connection that leads to another database is saved, and the resume refuses it before anything is read', async (t) => {
  const session = await stopped(t);
  const other = await source.freshDatabase(t);
  await other.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  const changed = await edit(session, `source: ${other.url}\n`);
  assert.equal(changed.code, 0, changed.stderr);
  const refused = await instar(session, 'resume', 'shop', '--headless');
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /Nothing was started\./);
  assert.match(refused.stdout, /instar edit shop --file/);
  const back = await edit(session, `source: ${session.from.url}\n`);
  assert.equal(back.code, 0, back.stderr);
  assert.equal((await instar(session, 'resume', 'shop', '--headless')).code, 0);
  await settled(session);
  await assertEqual(session);
});

test('a script that cannot be used is not saved; without a replication, a file or its key it says what is wrong', async (t) => {
  const session = await stopped(t);
  const script = join(String(session.env.INSTAR_HOME), 'broken.ts');
  writeFileSync(
    script,
    'import * as api from "replicator@v2";\napi.configureTargetTable("public.nowhere", {});\nconst x = ;\n',
  );
  const broken = await edit(session, `options:\n  userscript: ${script}\n`);
  assert.equal(broken.code, 1, broken.stdout);
  assert.match(broken.stderr, /broken\.ts/);
  assert.equal(session.replication().answers.options?.userscript, undefined);
  assert.equal((await instar(session, 'edit', 'nobody', '--file', script)).code, 1);
  const without = await instar(session, 'edit', 'shop');
  assert.equal(without.code, 2);
  assert.match(without.stderr, /no answers were given|--file/);
});
