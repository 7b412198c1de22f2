import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compareTables } from '../../src/demo/comparison.ts';
import { childrenOf, isAlive } from '../../src/demo/server-process.ts';
import { SHOP_TABLES } from '../../src/demo/shop.ts';
import { sharedServer } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

interface Demo {
  child: ChildProcess;
  output: () => string;
  /** Its directory for temporary files. */
  temporary: string;
  ended: Promise<number | null>;
}

function startDemo(...flags: string[]): Demo {
  const temporary = scratchDirectory('demo');
  chmodSync(temporary, 0o777); // the servers' user needs it too
  const child = spawn(process.execPath, [CLI, 'demo', ...flags], {
    env: { PATH: process.env.PATH, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'close').then(([status]) => status as number | null);
  return { child, output: () => output, temporary, ended };
}

/** Files beside the cache of programs and fresh data directories. */
function leftIn(temporary: string): string[] {
  return readdirSync(temporary).filter((name) => !name.startsWith('instar-postgres-'));
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`in vain waited until ${what}`);
    await sleep(50);
  }
}

test('the demo ends by itself after --seconds, with both sides equal', async () => {
  const { output, ended, temporary } = startDemo('--seconds', '3', '--rate', '200');
  assert.equal(await ended, 0, output());
  assert.match(output(), /^\d+s replicating transactions=\d+ rows=\d+ .*checkpoint=\S+\/\S+$/m);
  for (const table of [...SHOP_TABLES, 'total']) {
    const [, source, target, verdict] = new RegExp(`^  ${table} +(\\S+) +(\\S+)  (.*)$`, 'm').exec(output()) ?? [];
    assert.notEqual(source, '0');
    assert.equal(source, target);
    assert.equal(verdict, 'equal');
  }
  assert.deepEqual(
    readdirSync(temporary).filter((name) => !name.startsWith('instar-postgres-')),
    [],
  );
});

test('an interrupt drains and compares; nothing stays behind', async () => {
  const { child, output, ended } = startDemo();
  await until(() => /^1s replicating/m.test(output()), 'the demo replicates');
  const children = childrenOf(child.pid!);
  child.kill('SIGINT');
  assert.equal(await ended, 0, output());
  assert.match(output(), /^ {2}total .* equal$/m);
  await until(() => !children.some(isAlive), 'all its processes have ended');
});

test('a second interrupt ends the demo at once, and its processes end too', async () => {
  const { child, output, ended, temporary } = startDemo();
  await until(() => /^1s replicating/m.test(output()), 'the demo replicates');
  const children = childrenOf(child.pid!);
  child.kill('SIGINT');
  await until(() => output().includes('once more'), 'the first interrupt was heard');
  child.kill('SIGINT');
  assert.equal(await ended, 1);
  await until(() => !children.some(isAlive), 'all its processes have ended');
  await until(() => leftIn(temporary).length === 0, 'its files are gone');
});

describe('the comparison of both sides', () => {
  const shared = sharedServer();

  test('finds missing, additional, changed and doubled rows, in tables of any size', async (t) => {
    const source = await shared.freshDatabase(t);
    const target = await shared.freshDatabase(t);
    for (const side of [source, target]) {
      await side.query(
        `CREATE TABLE big AS SELECT n, 'é\u{10000}\u{e000}' || n AS text FROM generate_series(1, 12000) AS n`,
      );
      await side.query(`CREATE TABLE log (text text); INSERT INTO log VALUES ('a'), ('a'), (NULL)`);
      await side.query(`CREATE TABLE "odd ""name" (a integer)`);
    }
    const compare = () => compareTables(source.url, target.url, ['big', 'log', 'odd "name']);
    const differences = async () => (await compare()).map(({ different }) => different);
    assert.deepEqual(await compare(), [
      { table: 'big', sourceRows: 12000, targetRows: 12000, different: 0 },
      { table: 'log', sourceRows: 3, targetRows: 3, different: 0 },
      { table: 'odd "name', sourceRows: 0, targetRows: 0, different: 0 },
    ]);
    await target.query('DELETE FROM big WHERE n IN (1, 12000)');
    await target.query(`INSERT INTO log VALUES ('a')`);
    await source.query('INSERT INTO "odd ""name" VALUES (1)');
    assert.deepEqual(await differences(), [2, 1, 1]);
    await target.query('UPDATE big SET text = NULL WHERE n = 2');
    assert.deepEqual(await differences(), [4, 1, 1]);
  });
});
