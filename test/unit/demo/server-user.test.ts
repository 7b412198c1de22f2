import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { chooseServerUser, reachableTemporaryDirectory } from '../../../src/demo/server-user.ts';
import { scratchDirectory } from '../../servers/scratch.ts';

const ROOT = 'root:x:0:0:root:/root:/bin/bash';
const DAEMON = 'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin';
const NOBODY = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin';
const POSTGRES = 'postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash';

test('a process that is not root runs its servers as itself', () => {
  assert.equal(chooseServerUser(1000, [ROOT, NOBODY, POSTGRES].join('\n')), undefined);
  assert.equal(chooseServerUser(undefined, ''), undefined);
});

test('root chooses postgres, else nobody, else any other account that the system can name', () => {
  const choose = (...lines: string[]) => chooseServerUser(0, lines.join('\n'))?.name;
  assert.equal(choose(ROOT, DAEMON, NOBODY, POSTGRES), 'postgres');
  assert.equal(choose(ROOT, DAEMON, NOBODY), 'nobody');
  assert.equal(choose(ROOT, '', '+::::::', 'broken', DAEMON), 'daemon');
  assert.deepEqual(chooseServerUser(0, NOBODY), { name: 'nobody', uid: 65534, gid: 65533 });
});

test('a system that knows nobody but root says what to add', () => {
  assert.throws(() => chooseServerUser(0, ROOT), { code: 'DEMO_NO_USER', fix: /etc\/passwd/ });
});

test('a temporary directory that the other user cannot reach is passed over', (t) => {
  const closed = scratchDirectory('closed');
  chmodSync(closed, 0o700);
  const before = process.env.TMPDIR;
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  process.env.TMPDIR = closed;
  const stranger = { name: 'stranger', uid: 54321, gid: 54321 };
  assert.notEqual(reachableTemporaryDirectory(stranger), closed);
  assert.equal(reachableTemporaryDirectory(undefined), closed);
  chmodSync(closed, 0o755);
  assert.notEqual(reachableTemporaryDirectory(stranger), closed, 'it could not remove its files');
  chmodSync(closed, 0o777);
  assert.equal(reachableTemporaryDirectory(stranger), closed);
});
