import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseMysqlConnectionString } from '../../../src/config/mysql-connection.ts';
import { filterAnswer } from '../../../src/sessions/filter-script.ts';
import { MYSQL_KIT } from '../../../src/sessions/mysql-kit.ts';
import type { Answers, Created } from '../../../src/sessions/replication.ts';
import type { LaunchWork } from '../../../src/sessions/source-kit.ts';
import { tableFilter } from '../../../src/sessions/table-filter.ts';

const SET = '77263736-7899-11f0-81a5-0242ac120002:1-38';
const connection = parseMysqlConnectionString('mysql://app@db1/shop', 'source', {});

function place(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'instar-kit-'));
  t.after(() => rmSync(home, { recursive: true }));
  return { name: 'shop', env: { INSTAR_HOME: home } };
}

/** A launch that writes down what is done in it. */
function launching(answers: Answers, earlier: readonly Created[] = []) {
  const told: string[] = [];
  const work: LaunchWork = {
    answers,
    connection,
    async step({ id }, step) {
      const [state, found] = await step();
      told.push(`${id} ${state}: ${found}`);
    },
    made: ({ what, side, name }) => told.push(`made ${what} ${side} ${name}`),
    existing: () => earlier,
    takeBack: async () => {},
    sends: () => {},
  };
  return { work, told };
}

test('the script is written at the launch, noted once, and removed again', async (t) => {
  const { script, tables } = filterAnswer(['shop.orders'], place(t));
  const answers: Answers = { kind: 'mylogical', tables, script, targetSchema: 'public', startSet: SET };
  const first = launching(answers);
  await MYSQL_KIT.prepare(first.work);
  assert.deepEqual(first.told, [`made script here ${script}`, 'script passed: written']);
  assert.equal(readFileSync(script!, 'utf8'), tableFilter('public', ['shop.orders']));
  const thing: Created = { what: 'script', side: 'here', name: script!, at: '2026-11-20T10:05:00.000Z' };
  const second = launching({ ...answers, tables: ['shop.lines'] }, [thing]);
  await MYSQL_KIT.prepare(second.work);
  assert.deepEqual(second.told, ['script passed: written anew']);
  assert.match(readFileSync(script!, 'utf8'), /"lines"/);
  await MYSQL_KIT.drop(thing, connection);
  assert.equal(existsSync(script!), false);
  await MYSQL_KIT.drop(thing, connection);
});

test('for all tables nothing is made, and no script is given to the engine', async (t) => {
  const answers: Answers = { kind: 'mylogical', ...filterAnswer('all', place(t)), startSet: SET };
  const { work, told } = launching(answers);
  await MYSQL_KIT.prepare(work);
  assert.deepEqual(told, []);
  assert.deepEqual(MYSQL_KIT.things(answers), []);
  assert.deepEqual(MYSQL_KIT.flags(answers), []);
});

test('the set to begin with is a flag of the first start, an empty one too; without one nothing can be launched', () => {
  assert.deepEqual(MYSQL_KIT.firstFlags({ startSet: SET }), [['defaultGTIDSet', SET]]);
  assert.deepEqual(MYSQL_KIT.firstFlags({ startSet: '' }), [['defaultGTIDSet', '']]);
  assert.equal(MYSQL_KIT.missing({ startSet: '' }), undefined);
  assert.equal(MYSQL_KIT.missing({}), 'starting point');
});

test('what the checks look at comes from answers and options', () => {
  const options = { allDatabases: 'true', fetchMetadata: 'true', replicationProcessID: '712345', zeroDates: 'keep' };
  assert.deepEqual(MYSQL_KIT.wishes({ tables: 'all', startSet: SET, options, script: '/x/table_filter.ts' }, false), {
    tables: 'all',
    startSet: SET,
    script: '/x/table_filter.ts',
    allDatabases: true,
    fetchMetadata: true,
    serverId: 712_345,
  });
  assert.deepEqual(MYSQL_KIT.wishes({ options: { fetchMetadata: 'false' } }, true), {});
});
