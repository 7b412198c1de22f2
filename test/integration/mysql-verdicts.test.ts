import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseConnectionString } from '../../src/config/connection.ts';
import { parseMysqlConnectionString } from '../../src/config/mysql-connection.ts';
import type { CheckResult } from '../../src/preflight/check.ts';
import { readMysqlStart } from '../../src/preflight/mysql-start.ts';
import type { ResumeFacts } from '../../src/preflight/resume-facts.ts';
import { resumeVerdict, type Verdict } from '../../src/preflight/resume.ts';
import { checkTarget } from '../../src/preflight/target.ts';
import { checkpointKey, KIND } from '../../src/sources/mysql/checkpoint-key.ts';
import { identityOf } from '../../src/sources/mysql/identity.ts';
import { close, connect as connectMysql } from '../../src/sources/mysql/connection.ts';
import { writeIdentity } from '../../src/staging/identity.ts';
import { writeMemo } from '../../src/staging/memo.ts';
import { openStagingSchema } from '../../src/staging/staging-schema.ts';
import { describeServer } from '../../src/target/dialect.ts';
import { stagingSchemaName, targetSchemaName } from '../../src/target/identifiers.ts';
import { eventually } from '../harness/engine.ts';
import { connect } from '../harness/replica.ts';
import { type MysqlServer, startMysql } from '../servers/mysql.ts';
import { sharedServer } from '../servers/postgres.ts';

const targets = sharedServer();

/** A MySQL database with a table, a target with the same, and a checkpoint that a replication between them has left. */
async function stopped(t: TestContext, flavour: 'mysql' | 'mariadb' = 'mysql') {
  const server = await startMysql({ flavour });
  t.after(() => server.stop());
  await server.createDatabase('shop');
  const url = server.uri('shop');
  const source = parseMysqlConnectionString(url, 'source', {});
  const query = (sql: string) => server.query(sql, [], 'shop');
  const database = await targets.freshDatabase(t);
  await query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  await database.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  const target = parseConnectionString(database.url, 'target', {});
  const newest = async () => (await readMysqlStart(source)).position.set;

  /** Leaves what an engine would have left in the staging schema. */
  const leave = async (checkpoint: string, identity: Readonly<Record<string, string>> = {}) => {
    const client = await connect(database.url);
    const asked = await connectMysql(source);
    try {
      const facts = await describeServer(client);
      const staging = { name: stagingSchemaName('_replicator', facts), dialect: facts.dialect };
      await openStagingSchema(client, staging, { create: true });
      await writeMemo(client, staging, checkpointKey('public'), checkpoint);
      const own = { ...(await identityOf(asked, 'shop')), ...identity };
      await writeIdentity(client, staging, KIND, targetSchemaName('public', facts), own);
    } finally {
      close(asked);
      await client.end();
    }
  };
  const judge = (change: Partial<ResumeFacts> = {}): Promise<Verdict> =>
    resumeVerdict(
      {
        name: 'shop',
        wishes: { serverId: 712_345, tables: 'all' },
        targetSchema: 'public',
        stagingSchema: '_replicator',
        tables: undefined,
        acceptTables: false,
        replicated: true,
        lastStart: Date.now() - 60_000,
        lastEnd: { at: new Date().toISOString(), why: 'it was stopped' },
        bytesPerSecond: undefined,
        transactionsPerSecond: undefined,
        dataDir: '/nowhere',
        ...change,
      },
      { source, target, staging: undefined },
    );
  return { server, source, target, database, query, newest, leave, judge };
}

/** Removes all binary logs but the newest; MariaDB keeps one for a moment after it was closed. */
async function purgeOld(server: MysqlServer): Promise<void> {
  await eventually(
    async () => {
      const logs = await server.query<{ Log_name: string }>('SHOW BINARY LOGS');
      if (logs.length === 1) return true;
      await server.query(`PURGE BINARY LOGS TO '${logs.at(-1)?.Log_name}'`);
      return false;
    },
    () => 'the logs are not removed',
  );
}

function failed({ findings }: Verdict): CheckResult | undefined {
  return findings.find(({ state, severity }) => state === 'failed' && severity === 'blocking');
}

for (const flavour of ['mysql', 'mariadb'] as const) {
  test(`${flavour}: safe, with the transactions that wait and the time they will take`, async (t) => {
    const { query, newest, leave, judge } = await stopped(t, flavour);
    await leave(await newest());
    const idle = await judge();
    assert.equal(idle.safe, true, JSON.stringify(idle.findings));
    assert.deepEqual(idle.behind.transactions, 0);
    for (let id = 0; id < 60; id++) await query(`INSERT INTO item VALUES (${id}, 'x')`);
    const behind = await judge({ transactionsPerSecond: 2 });
    assert.equal(behind.safe, true, JSON.stringify(behind.findings));
    assert.equal(behind.behind.transactions, 60);
    assert.equal(behind.catchUp, 30);
    assert.equal(behind.lines[1], 'safe: 60 transactions behind, about 30s to catch up');
    assert.deepEqual(behind.waysOut, []);
  });

  test(`${flavour}: logs removed that are still needed: not safe, and how to start over`, async (t) => {
    const { server, query, newest, leave, judge } = await stopped(t, flavour);
    await leave(await newest());
    await query(`INSERT INTO item VALUES (1, 'x')`);
    await server.query('FLUSH BINARY LOGS');
    await query(`INSERT INTO item VALUES (2, 'x')`);
    await purgeOld(server);
    const verdict = await judge();
    assert.equal(verdict.safe, false);
    const finding = failed(verdict);
    assert.equal(finding?.code, 'MYSQL_GTID_PURGED', JSON.stringify(verdict.findings));
    assert.match(finding?.why ?? '', /would be lost/);
    const over = verdict.waysOut.find(({ label }) => label === 'start over with a fresh copy');
    assert.match(over?.text ?? '', /DELETE FROM "_replicator"\.memo WHERE "key" IN \('mysql-wal-offset-public', /);
    assert.match(over?.text ?? '', /instar mylogical .*--replicationProcessID 712345.* --defaultGTIDSet '<GTID set>'/);
  });
}

test('a server that lost its newest commits, another server, another database, another product', async (t) => {
  const { newest, leave, judge } = await stopped(t);
  const [uuid, last] = (await newest()).split(':1-');
  await leave(`${uuid}:1-${Number(last) + 5}`);
  assert.equal(failed(await judge())?.code, 'MYSQL_GTID_AHEAD');
  await leave('77263736-7899-11f0-81a5-0242ac120002:1-38');
  const unknown = await judge();
  assert.equal(failed(unknown)?.code, 'MYSQL_GTID_UNKNOWN');
  assert.match(unknown.lines[1], /The changes of the former source would be lost/);
  await leave(await newest(), { database: 'other' });
  assert.equal(failed(await judge())?.code, 'MYSQL_SOURCE_CHANGED');
  await leave(await newest(), { flavour: 'mariadb', server: '1' });
  assert.equal(failed(await judge())?.code, 'MYSQL_SOURCE_CHANGED');
  await leave(await newest());
  assert.equal((await judge()).safe, true);
});

test('a staging schema that is gone: not safe, unless it has never replicated', async (t) => {
  const { judge, newest } = await stopped(t);
  const startSet = await newest();
  const wishes = { startSet, script: '/state/table filter.ts', tables: ['shop.item'] };
  const verdict = await judge({ wishes });
  assert.equal(failed(verdict)?.code, 'CHECKPOINT_MISSING');
  const begin = verdict.waysOut.find(({ label }) => label === 'begin once more where it began');
  assert.match(begin?.text ?? '', new RegExp(`--userscript '/state/table filter.ts' .*--defaultGTIDSet '${startSet}'`));
  const first = await judge({ wishes, replicated: false });
  assert.equal(first.safe, true, JSON.stringify(first.findings));
  assert.match(JSON.stringify(first.findings), new RegExp(`it begins after ${startSet}`));
});

test('only the chosen tables have to be on the target; a setting that was changed since is what the engine would refuse', async (t) => {
  const { server, query, newest, leave, judge } = await stopped(t);
  await query('CREATE TABLE left_out (id int PRIMARY KEY)');
  await leave(await newest());
  const all = await judge();
  assert.equal(failed(all)?.id, 'resume.tables');
  assert.match(failed(all)?.found ?? '', /left_out/);
  assert.equal((await judge({ wishes: { tables: ['shop.item'] } })).safe, true);
  await server.query('SET GLOBAL binlog_row_metadata = MINIMAL');
  const changed = await judge({ wishes: { tables: ['shop.item'] } });
  assert.equal(failed(changed)?.code, 'MYSQL_ROW_METADATA', JSON.stringify(changed.findings));
  assert.equal((await judge({ wishes: { tables: ['shop.item'], fetchMetadata: true } })).safe, true);
});

test('a first start that finds an earlier checkpoint: a resume from there, or why it cannot be one', async (t) => {
  const { source, target, newest, leave } = await stopped(t);
  const look = async () => {
    const wishes = {
      targetSchema: 'public',
      stagingSchema: '_replicator',
      source,
      tables: 'all',
      startSet: 'x',
    } as const;
    const results = await checkTarget(target, wishes);
    return results.find(({ id }) => id === 'target.checkpoint');
  };
  assert.equal((await look())?.state, 'passed');
  const set = await newest();
  await leave(set);
  const resumes = await look();
  assert.equal(resumes?.state, 'passed');
  assert.match(resumes?.found ?? '', /the start will be a resume from there, whatever is given/);
  await leave('77263736-7899-11f0-81a5-0242ac120002:1-38');
  const refused = await look();
  assert.equal(refused?.code, 'MYSQL_GTID_UNKNOWN');
  assert.match(
    refused?.fix?.text ?? '',
    /DELETE FROM "_replicator"\."memo" WHERE "key" IN \('mysql-wal-offset-public'/,
  );
});
