import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMysqlConnectionString } from '../../src/config/mysql-connection.ts';
import { OperatorError } from '../../src/errors.ts';
import { type Connection, close, connect } from '../../src/sources/mysql/connection.ts';
import { checkStartSet, readBinlogStatus } from '../../src/sources/mysql/setup.ts';
import { checkStart, identityOf, type StartWarning } from '../../src/sources/mysql/start-position.ts';
import { type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';

const FOREIGN = '77263736-7899-11f0-81a5-0242ac120002';
const FORGET = `DELETE FROM "_replicator"."memo" WHERE "key" = 'mysql-wal-offset-app.public';`;

async function using<T>(server: MysqlServer, ask: (connection: Connection) => Promise<T>, user = 'root'): Promise<T> {
  const connection = await connect(parseMysqlConnectionString(server.uri('', { user }), '--sourceConn', {}));
  try {
    return await ask(connection);
  } finally {
    close(connection);
  }
}

/** The warnings of a start that is good, or the error of one that is not. */
async function start(
  server: MysqlServer,
  position: string | undefined,
  stored?: Readonly<Record<string, string>>,
  database: string | 'all databases' = 'shop',
): Promise<readonly StartWarning[] | OperatorError> {
  return await using(server, async (connection) => {
    const identity = await identityOf(connection, database === 'all databases' ? undefined : database);
    try {
      return (await checkStart(connection, { position, identity, stored, forget: FORGET })).warnings;
    } catch (error) {
      if (error instanceof OperatorError) return error;
      throw error;
    }
  });
}

async function refused(server: MysqlServer, position: string | undefined, code: string): Promise<OperatorError> {
  const error = await start(server, position);
  assert.ok(error instanceof OperatorError, `${position} was accepted`);
  assert.equal(error.code, code, error.message);
  assert.ok(error.fix, code);
  return error;
}

async function accepted(server: MysqlServer, position: string | undefined): Promise<string[]> {
  const warnings = await start(server, position);
  assert.ok(!(warnings instanceof OperatorError), String(warnings));
  return warnings.map(({ code }) => code);
}

const currentSet = (server: MysqlServer) =>
  using(server, async (connection) => (await readBinlogStatus(connection)).set);

/** Removes all binary logs but the newest. MariaDB keeps the one before until its storage engines have caught up. */
async function purge(server: MysqlServer): Promise<void> {
  await server.query('FLUSH BINARY LOGS');
  const deadline = Date.now() + 20_000;
  for (;;) {
    const logs = await server.query<{ Log_name: string }>('SHOW BINARY LOGS');
    if (logs.length === 1) return;
    assert.ok(Date.now() < deadline, 'the server does not purge its logs');
    await server.query('PURGE BINARY LOGS TO ?', [logs[logs.length - 1].Log_name]);
    await sleep(20);
  }
}

test('from which GTID sets MySQL can start', async (t) => {
  let server: MysqlServer;
  let uuid = '';
  before(async () => {
    server = await startMysql();
    [{ uuid }] = await server.query<{ uuid: string }>('SELECT @@server_uuid AS uuid');
    await server.query('CREATE DATABASE shop');
    await server.query('CREATE TABLE shop.t (id INT PRIMARY KEY)');
    for (let id = 1; id <= 8; id += 1) await server.query('INSERT INTO shop.t VALUES (?)', [id]);
  });
  after(() => server?.stop());

  await t.test('nothing purged: from the very beginning, with a word about it, and from any point', async () => {
    const set = await currentSet(server);
    assert.match(set, new RegExp(`^${uuid}:1-\\d+$`));
    assert.deepEqual(await accepted(server, undefined), ['MYSQL_GTID_EMPTY']);
    assert.deepEqual(await accepted(server, ''), ['MYSQL_GTID_EMPTY']);
    assert.deepEqual(await accepted(server, set), []);
    assert.deepEqual(await accepted(server, `${uuid.toUpperCase()}:1-2:4-5`), []);
    // GTIDs of a former source stay in the set for ever.
    const error = await refused(server, `${FOREIGN}:1-9,${set}`, 'MYSQL_GTID_AHEAD');
    assert.ok(error.message.includes(`${FOREIGN}:1-9 of`));
  });

  await t.test('a set of another server, one that is ahead, and one that is none', async () => {
    const unknown = await refused(server, `${FOREIGN}:1-38`, 'MYSQL_GTID_UNKNOWN');
    assert.ok(unknown.fix?.includes(FORGET));
    const ahead = await refused(server, `${uuid}:1-1000`, 'MYSQL_GTID_AHEAD');
    assert.match(ahead.message, new RegExp(`has not executed ${uuid}:\\d+-1000 of`));
    // What the fix tells to ask is answered by the server.
    for (const line of String(ahead.fix).split('\n')) {
      const question = /^SELECT GTID_SUB.*?;/.exec(line)?.[0];
      if (question !== undefined) await server.query(question);
    }
    await refused(server, 'binlog.000001:4', 'MYSQL_GTID_SYNTAX');
    await refused(server, '0-1-100', 'MYSQL_GTID_SYNTAX');
  });

  await t.test('what a form is told of a set that was typed in', async () => {
    const typed = ` ${uuid.toUpperCase()}:1-3,\n ${uuid}:4 `;
    const good = await using(server, (connection) => checkStartSet(connection, typed, 'shop'));
    assert.ok(good.state === 'good');
    assert.equal(good.set, `${uuid}:1-4`);
    assert.match(good.pending, new RegExp(`^${uuid}:5-\\d+$`));
    const whole = await using(server, async (connection) =>
      checkStartSet(connection, (await readBinlogStatus(connection)).set, 'shop'),
    );
    assert.ok(whole.state === 'good');
    assert.equal(whole.pending, '');
    const bad = await using(server, (connection) => checkStartSet(connection, `${FOREIGN}:1`, 'shop'));
    assert.ok(bad.state === 'refused');
    assert.equal(bad.error.code, 'MYSQL_GTID_UNKNOWN');
  });

  await t.test('a set with tags', async () => {
    await server.query('SET GLOBAL gtid_mode = ON');
    const connection = await server.connect('shop');
    await connection.query("SET gtid_next = 'AUTOMATIC:batch'");
    await connection.query('INSERT INTO shop.t VALUES (100)');
    await connection.end();
    const set = await currentSet(server);
    assert.match(set, /:batch:1$/);
    assert.deepEqual(await accepted(server, set), []);
    const error = await refused(server, `${set}-3`, 'MYSQL_GTID_AHEAD');
    assert.match(error.message, /batch:2-3 of/);
  });

  await t.test('another server, another database, another product than the checkpoint was written for', async () => {
    const set = await currentSet(server);
    const identity = await using(server, (connection) => identityOf(connection, 'shop'));
    assert.deepEqual(identity, { flavour: 'mysql', server: uuid, database: 'shop' });
    assert.deepEqual(await start(server, set, identity), []);
    const moved = await start(server, set, { ...identity, server: FOREIGN });
    assert.ok(!(moved instanceof OperatorError));
    assert.deepEqual(
      moved.map(({ code }) => code),
      ['MYSQL_SOURCE_FAILED_OVER'],
    );
    assert.ok(moved[0].message.includes(FOREIGN));
    for (const stored of [
      { ...identity, database: 'other' },
      { ...identity, flavour: 'mariadb', server: '1' },
    ]) {
      const error = await start(server, set, stored);
      assert.ok(error instanceof OperatorError);
      assert.equal(error.code, 'MYSQL_SOURCE_CHANGED');
    }
    // All databases take in each of them, and not the other way round.
    assert.deepEqual(await start(server, set, { ...identity, database: '*' }), []);
    assert.ok((await start(server, set, identity, 'all databases')) instanceof OperatorError);
    // Those of other tools tell nothing.
    assert.deepEqual(await start(server, set, {}), []);
  });

  await t.test('what was purged is named, and nothing is begun elsewhere', async () => {
    const before = await currentSet(server);
    await server.query('INSERT INTO shop.t VALUES (200), (201)');
    await server.query('INSERT INTO shop.t VALUES (202)');
    const whole = await currentSet(server);
    await purge(server);
    const [{ missing }] = await server.query<{ missing: string }>('SELECT GTID_SUBTRACT(?, ?) AS missing', [
      whole,
      before,
    ]);
    const error = await refused(server, before, 'MYSQL_GTID_PURGED');
    assert.ok(error.message.includes(missing), error.message);
    assert.ok(error.fix?.includes(FORGET));
    assert.deepEqual(await accepted(server, whole), []);
    // A gap that is purged is as bad as an end that is.
    await refused(server, whole.replace(/:1-/, ':2-'), 'MYSQL_GTID_PURGED');
    for (const nothing of [undefined, '']) {
      const empty = await refused(server, nothing, 'MYSQL_GTID_EMPTY');
      assert.ok(empty.fix?.includes(`--defaultGTIDSet ${whole}`), empty.fix);
    }
  });
});

for (const flavour of ['mariadb', 'mariadb-11'] as const satisfies MysqlFlavour[]) {
  test(`from which positions ${flavour} can start`, async (t) => {
    let server: MysqlServer;
    let id = '';
    before(async () => {
      server = await startMysql({ flavour });
      [{ id }] = await server.query<{ id: string }>('SELECT @@server_id AS id');
      await server.query('CREATE DATABASE shop');
      await server.query('CREATE TABLE shop.t (id INT PRIMARY KEY)');
      for (let row = 1; row <= 5; row += 1) await server.query('INSERT INTO shop.t VALUES (?)', [row]);
    });
    after(() => server?.stop());

    await t.test('nothing purged: from the very beginning, with a word about it, and from any point', async () => {
      assert.deepEqual(await accepted(server, undefined), ['MYSQL_GTID_EMPTY']);
      assert.deepEqual(await accepted(server, await currentSet(server)), []);
      assert.deepEqual(await accepted(server, `0-${id}-2`), []);
    });

    await t.test('positions of other servers, those that are ahead, and those that are none', async () => {
      assert.match((await refused(server, `9-${id}-1`, 'MYSQL_GTID_UNKNOWN')).message, /nothing of domain 9/);
      assert.match((await refused(server, '0-999-2', 'MYSQL_GTID_UNKNOWN')).message, /diverged/);
      assert.ok((await refused(server, `0-${id}-1000`, 'MYSQL_GTID_AHEAD')).fix?.includes('MASTER_GTID_WAIT'));
      await refused(server, `${FOREIGN}:1-5`, 'MYSQL_GTID_SYNTAX');
    });

    await t.test('a domain that the position does not have is sent from its beginning, and that is said', async () => {
      const former = await currentSet(server);
      const connection = await server.connect('shop');
      await connection.query('SET gtid_domain_id = 7');
      await connection.query('INSERT INTO shop.t VALUES (70)');
      await connection.query('INSERT INTO shop.t VALUES (71)');
      await connection.end();
      assert.deepEqual(await accepted(server, former), ['MYSQL_GTID_DOMAIN_NEW']);
      assert.deepEqual(await accepted(server, `${former},7-${id}-1`), []);
      const verdict = await using(server, (each) => checkStartSet(each, ` ${former}, 7-${id}-1`, 'shop'));
      assert.ok(verdict.state === 'good');
      assert.equal(verdict.set, `${former},7-${id}-1`);
      assert.equal(verdict.pending, `7-${id}-2`);
    });

    await t.test('another server than the checkpoint was written for', async () => {
      const set = await currentSet(server);
      const identity = await using(server, (connection) => identityOf(connection, 'shop'));
      assert.deepEqual(identity, { flavour: 'mariadb', server: id, database: 'shop' });
      const moved = await start(server, set, { ...identity, server: '999' });
      assert.ok(!(moved instanceof OperatorError));
      assert.deepEqual(
        moved.map(({ code }) => code),
        ['MYSQL_SOURCE_FAILED_OVER'],
      );
    });

    await t.test('what was purged is named, and nothing is begun elsewhere', async () => {
      const former = await currentSet(server);
      await server.query('INSERT INTO shop.t VALUES (200)');
      const whole = await currentSet(server);
      await purge(server);
      const gone = whole.split(',').find((gtid) => gtid.startsWith('0-'));
      assert.ok((await refused(server, former, 'MYSQL_GTID_PURGED')).message.includes(`up to ${gone}`));
      // Without its domain 7, the position would have that domain sent from a beginning that is gone.
      assert.match((await refused(server, String(gone), 'MYSQL_GTID_PURGED')).message, /up to 7-/);
      assert.deepEqual(await accepted(server, whole), []);
      const empty = await refused(server, undefined, 'MYSQL_GTID_EMPTY');
      assert.ok(empty.fix?.includes(`--defaultGTIDSet ${whole}`), empty.fix);
    });

    await t.test('a user who may not see the logs starts nowhere by chance', async () => {
      await server.query("CREATE USER plain@'%'");
      await server.query("GRANT REPLICATION SLAVE ON *.* TO plain@'%'");
      const verdict = await using(server, (connection) => checkStartSet(connection, '', undefined), 'plain');
      assert.ok(verdict.state === 'refused');
      assert.equal(verdict.error.code, 'MYSQL_GTID_EMPTY');
    });
  });
}
