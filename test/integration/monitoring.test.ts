import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parseSamples, type Samples } from '../../src/dashboard/samples.ts';
import { DOCUMENTED_METRICS } from '../documented/metrics.ts';
import { Engine, eventually } from '../harness/engine.ts';
import { MysqlReplica } from '../harness/mysql-replica.ts';
import { OracleRun, startOracle } from '../harness/oracle-run.ts';
import { connect, Replica } from '../harness/replica.ts';
import { scriptFor } from '../harness/script-example.ts';
import { alertQueries, boardQueries } from '../monitoring/queries.ts';
import { unserved } from '../monitoring/unserved.ts';
import { sharedMysql } from '../servers/mysql.ts';
import { freshDatabase, sharedServer } from '../servers/postgres.ts';

const SLOT_LIMIT = 64 * 2 ** 20;

const source = sharedServer({ settings: { max_slot_wal_keep_size: '64MB' } });
const target = sharedServer();
const mysql = sharedMysql({ flavour: 'mysql', settings: { binlog_expire_logs_seconds: '86400' } });
const mariadb = sharedMysql({ flavour: 'mariadb-11', settings: { expire_logs_days: '0' } });

async function scrape(engine: Engine): Promise<Samples> {
  return parseSamples((await engine.fetch('/_/varz')).body);
}

/** The sum of a metric's series; undefined where it has none. */
function total(samples: Samples, metric: string): number | undefined {
  return samples.get(metric)?.reduce((sum, { value }) => sum + value, 0);
}

/** Scrapes until `there` holds. */
async function scrapeUntil(engine: Engine, what: string, there: (samples: Samples) => boolean): Promise<Samples> {
  return await eventually(
    async () => {
      const samples = await scrape(engine);
      return there(samples) && samples;
    },
    () => `${what} is not published\n${engine.logTail()}`,
  );
}

/** Metrics of what this engine never does. Their names are there, their series are not. */
const NOTHING_TO_TELL: Readonly<Record<string, string>> = {
  load_dirty_count: 'rows are completed by the statement that writes them',
  load_not_found_count: 'the same',
  load_unmodified_count: 'the same',
  load_overall_duration_seconds: 'the same',
  load_query_duration_seconds: 'the same',
  pool_acquire_wait_count: 'connections are kept, there is no pool that could be waited for',
  pool_acquire_wait_seconds: 'the same',
  pool_acquired_connection_count: 'the same',
  pool_constructing_connection_count: 'the same',
  pool_idle_connection_count: 'the same',
  pool_max_connection_count: 'the same',
  pool_dial_latency_seconds: 'the same: pool_sql_ready_latency_seconds has it',
  mutations_received_count: 'renamed',
  mutations_success_count: 'renamed',
  mutations_error_count: 'renamed',
  apply_mutation_age_seconds: 'renamed',
};

/** Documented metrics for a source of which a busy run has published no series. */
function silent(samples: Samples, kind: 'postgres' | 'mysql' | 'oracle'): string[] {
  return DOCUMENTED_METRICS.filter(([, , , sources]) => sources.includes(kind))
    .filter(([name, type]) => !samples.has(type === 'histogram' ? `${name}_count` : name))
    .map(([name]) => name)
    .filter((name) => !(name in NOTHING_TO_TELL));
}

/** A PostgreSQL run in which everything happens that is counted. */
async function busyPostgres(t: TestContext): Promise<Samples> {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key, v text, big text); create table once (id integer primary key)',
    // The target refuses some rows for good, and one for the first time only.
    targetSchema: `
      alter table item add check (v <> 'refused');
      create sequence attempts;
      create function refuse_once() returns trigger language plpgsql as $$
        begin
          if nextval('attempts') < 3 then raise exception 'later' using errcode = '40001'; end if;
          return new;
        end $$;
      create trigger refuse_once before insert on once for each row execute function refuse_once()`,
  });
  const script = scriptFor(
    t,
    replica,
    `api.configureTargetSchema(SCHEMA, {
      onRowUpsert: (row, meta) => {
        if (row.v === "fails") throw new Error("as told");
        return row.v === "left out" ? null : row;
      },
      onRowDelete: (row) => row,
    });`,
  );
  const engine = await replica.start(['--userscript', script, '--onApplyError', 'dlq', '--retryMaxBackoff', '50ms']);
  await replica.source.query(`insert into item select n, 'v', repeat('x', 4000) from generate_series(1, 50) n`);
  await replica.source.query(`update item set v = 'w' where id < 20`);
  await replica.source.query('delete from item where id > 40');
  await replica.source.query(`insert into item values (100, 'left out')`);
  await replica.source.query(`insert into item values (101, 'refused')`);
  await replica.source.query(`insert into item values (102, 'fails')`);
  await replica.source.query('insert into once values (1)');
  await replica.settle();
  // The connection to the target is cut: a line of the log, and a new connection.
  await replica.target.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await replica.source.query(`insert into item values (103, 'v')`);
  await replica.settle();
  return await scrapeUntil(engine, 'the state of the slot', (samples) => samples.has('instar_slot_wal_status'));
}

test('PostgreSQL: every query of the general board, its own and the alerts asks for what a busy run publishes', async (t) => {
  const samples = await busyPostgres(t);
  assert.deepEqual(unserved(boardQueries('instar-general'), samples), []);
  assert.deepEqual(unserved(boardQueries('instar-postgresql'), samples), []);
  const ofOracle = /^InstarRedoSkipped: /;
  assert.deepEqual(
    unserved(alertQueries(), samples).filter((what) => !ofOracle.test(what)),
    [],
  );
  assert.deepEqual(silent(samples, 'postgres'), []);
  assert.equal(total(samples, 'instar_dead_letters_total'), 2);
  assert.equal(total(samples, 'instar_slot_limit_bytes'), SLOT_LIMIT);
  assert(total(samples, 'instar_slot_retained_bytes')! > 0);
});

test('MySQL: every query of its board asks for what a run publishes; the age at which log is removed is told', async (t) => {
  const replica = await MysqlReplica.create(t, mysql.server, target.server, {
    sourceSchema: 'CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(20), d DATE)',
    targetSchema: 'CREATE TABLE item (id int PRIMARY KEY, v text, d date)',
  });
  const engine = await replica.start();
  await replica.source.query(`SET SESSION sql_mode = ''`);
  await replica.source.query(`INSERT INTO item VALUES (1, 'a', '0000-00-00'), (2, 'b', NULL)`);
  await replica.source.query(`UPDATE item SET v = 'c'`);
  await replica.source.query('DELETE FROM item WHERE id = 2');
  await replica.settle();
  const samples = await scrapeUntil(
    engine,
    'the age',
    (found) => total(found, 'instar_source_log_kept_seconds') === 86_400,
  );
  assert.deepEqual(unserved(boardQueries('instar-mysql'), samples), []);
  assert.deepEqual(
    silent(samples, 'mysql').filter((name) => !/^(script|retry)_/.test(name)),
    [],
  );
  assert(total(samples, 'instar_source_log_needed_seconds')! < 10);
  assert.equal(total(samples, 'instar_dead_letters_total'), 0, 'there from the beginning, so that the first is a gain');
  // What is not applied grows old, and its log with it.
  await replica.target.query('BEGIN; LOCK TABLE item');
  await replica.source.query(`UPDATE item SET v = 'd'`);
  await scrapeUntil(
    engine,
    'the age of needed log',
    (found) => total(found, 'instar_source_log_needed_seconds')! > 2.5,
  );
  await replica.target.query('COMMIT');
  await replica.settle();
  await scrapeUntil(engine, 'no lag', (found) => total(found, 'instar_source_log_needed_seconds')! < 1);
});

test('MariaDB that removes no log tells no age', async (t) => {
  const replica = await MysqlReplica.create(t, mariadb.server, target.server);
  const engine = await replica.start();
  await replica.settle();
  await eventually(
    async () => {
      const { source: told } = JSON.parse(await engine.diag()) as { source: { head?: string } };
      return told.head !== undefined;
    },
    () => 'nothing is told',
  );
  assert.equal(total(await scrape(engine), 'instar_source_log_kept_seconds'), 0);
});

test('Oracle: every query of its board and the alerts asks for what a run publishes', async (t) => {
  const server = await startOracle(t, { profile: '19c', multitenant: true });
  const { model } = server;
  const columns = [
    { name: 'ID', type: 'NUMBER', length: 22, nullable: false },
    { name: 'V', type: 'VARCHAR2', length: 20, nullable: true },
  ];
  const table = model.createTable(server.owner, 'ITEM', columns, ['ID']);
  const database = await freshDatabase(target.server, t);
  await database.query('create table item (id int primary key, v text)');
  const engine = await Engine.start(t, {
    command: 'oraclelogminer',
    sourceConn: server.rootUrl,
    targetConn: database.url,
    environment: { INSTAR_SOURCE_PDB_CONN: server.pdbUrl! },
    flags: [
      ...['--sourceSchema', server.owner, '--targetSchema', `${database.name}.public`, '--scn', String(model.scn)],
      ...['--stagingSchema', '_replicator', '--stagingCreateSchema', '--truncate', 'ignore'],
    ],
  });
  await engine.waitForLog(/ streaming /, 30_000);
  const transaction = model.begin();
  const row = transaction.insert(table, ['1', 'a']);
  transaction.update(table, row, new Map([[1, 'b']]));
  transaction.insert(table, ['2', 'a']);
  transaction.delete(table, row);
  transaction.commit();
  model.write({
    ...{
      xid: '0300210000000001',
      thread: 1,
      operation: 5,
      owner: server.owner,
      table: 'ITEM',
      rowId: 'AAAAAAAAAAAAAAAAAA',
    },
    ...{ rollback: false, info: 'USER DDL (PlSql=0 RecDep=0)', text: 'truncate table item' },
  });
  const client = await connect(database.url);
  t.after(() => client.end());
  const samples = await scrapeUntil(
    engine,
    'what was passed over',
    (found) =>
      total(found, 'apply_upserts_total') !== undefined &&
      found.has('instar_oraclelogminer_redo_skipped_total') &&
      found.get('instar_source_state')!.some(({ labels, value }) => labels.state === 'streaming' && value === 1),
  );
  assert.deepEqual(unserved(boardQueries('instar-oracle'), samples), []);
  const redo = alertQueries().filter(({ where }) => where === 'InstarRedoSkipped');
  assert.deepEqual(unserved(redo, samples), []);
  assert.deepEqual(
    silent(samples, 'oracle').filter((name) => !/^(script|retry)_/.test(name)),
    [],
  );
});

test('Oracle: how far back the redo goes, and how old is what a restart would read', async (t) => {
  const server = await startOracle(t, { profile: '23ai' });
  const { model } = server;
  const retention = async () => {
    const run = await new OracleRun(t, server).start();
    await eventually(
      async () => run.source.status.retention !== undefined,
      () => 'nothing is told of the logs',
    );
    await run.stop();
    return run.source.status.retention!;
  };
  const ago = (seconds: number) => Date.now() - seconds * 1000;
  // Nothing was removed so far, and the redo that is needed is in no archived log.
  const { keptSeconds, neededSeconds } = await retention();
  assert.deepEqual([keptSeconds, neededSeconds], [undefined, 0]);
  for (const hours of [48, 24, 12]) {
    model.logs.current(1).begun = ago(hours * 3600);
    model.switchLog();
  }
  model.logs.purge(model.logs.logs[0].next);
  const { keptSeconds: kept } = await retention();
  assert(Math.abs(kept! - 24 * 3600) <= 2, `the first log is gone, and ended when the second began: ${kept}`);
});

test('the lag grows while the target hangs, is told by one metric, and is gone when it goes on', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key)',
  });
  const engine = await replica.start();
  await replica.source.query('insert into item values (1)');
  await replica.settle();
  await scrapeUntil(engine, 'no lag', (found) => total(found, 'instar_lag_seconds')! < 1);
  await replica.target.query('begin; lock table item');
  await replica.source.query('insert into item values (2)');
  await scrapeUntil(engine, 'a growing lag', (found) => total(found, 'instar_lag_seconds')! > 2.5);
  await replica.target.query('commit');
  await replica.settle();
  const after = await scrapeUntil(engine, 'no lag', (found) => total(found, 'instar_lag_seconds') === 0);
  assert.equal(total(after, 'instar_slot_limit_bytes'), SLOT_LIMIT);
});
