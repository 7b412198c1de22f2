import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../../../src/errors.ts';
import { Charsets } from '../../../../src/sources/mysql/charsets.ts';
import { ReaderRig, sealed } from '../../../harness/binlog.ts';
import { changedDatabases, event, gtid, query, unsealed, XID } from './build.ts';
import { captured } from './captured.ts';

const UUID = '00112233-4455-6677-8899-aabbccddeeff';
const [FORMAT] = captured('mysql');

function isRefused(code: string, pattern = /./): (error: unknown) => boolean {
  return (error) => error instanceof OperatorError && error.code === code && pattern.test(error.message);
}

test('a log without checksums is read without them, from its description on', async () => {
  const plain = Buffer.from(FORMAT);
  plain[plain.length - 5] = 0;
  const events = [plain, ...captured('mysql').slice(1).map(unsealed)];
  const rig = await new ReaderRig('mysql').feed(events);
  const sealedRig = await new ReaderRig('mysql').feed(captured('mysql'));
  assert.deepEqual(rig.lines, sealedRig.lines);
});

test('what a server makes up in front of the description is passed over, whether it has a checksum or not', async () => {
  const rotate = event(4, Buffer.from('0400000000000000binlog.000001', 'latin1'), { flags: 0x20, timestamp: 0 });
  const rig = await new ReaderRig('mysql').feed([unsealed(rotate), rotate, ...captured('mysql')]);
  assert.equal(rig.counts.insert, 16);
  await assert.rejects(new ReaderRig('mysql').feed([gtid(1)]), isRefused('MYSQL_PROTOCOL', /before the description/));
});

test('a checksum that does not match stops, and nothing of the transaction is applied', async () => {
  const events = captured('mysql').slice(0, 10);
  events[9] = Buffer.from(events[9]);
  events[9][events[9].length - 6] ^= 1;
  const rig = new ReaderRig('mysql');
  await assert.rejects(rig.feed(events), isRefused('MYSQL_CHECKSUM', /WRITE_ROWS/));
  assert.deepEqual(rig.sink.transactions, []);
});

test('the mark of a file that is being written does not count in its checksum', async () => {
  const marked = Buffer.from(FORMAT);
  marked[17] |= 1;
  await new ReaderRig('mysql').feed([marked]);
  marked[17] |= 2;
  await assert.rejects(new ReaderRig('mysql').feed([marked]), isRefused('MYSQL_CHECKSUM'));
});

test('heartbeats of both kinds show that the server is there', async () => {
  for (const type of [27, 41]) {
    const rig = new ReaderRig('mysql');
    await rig.feed([FORMAT]);
    assert.equal(rig.reader.lastHeartbeat, undefined);
    const before = Date.now();
    await rig.feed([event(type, Buffer.from('binlog.000001'))]);
    assert.ok((rig.reader.lastHeartbeat ?? 0) >= before);
  }
});

test('an event that is not known stops, unless it says that it may be passed over', async () => {
  const unknown = (flags: number) => event(99, Buffer.from('anything'), { flags });
  await assert.rejects(
    new ReaderRig('mysql').feed([FORMAT, unknown(0)]),
    isRefused('MYSQL_EVENT_UNKNOWN', /99.*9\.7/s),
  );
  await new ReaderRig('mysql').feed([FORMAT, unknown(0x80)]);
  // Rows of versions before 5.1.
  await assert.rejects(
    new ReaderRig('mysql').feed([FORMAT, event(20, Buffer.alloc(8))]),
    isRefused('MYSQL_EVENT_UNKNOWN'),
  );
});

test('an incident stops, with the server’s own words', async () => {
  const body = Buffer.concat([Buffer.from([1, 0, 9]), Buffer.from('LOST_ROWS')]);
  await assert.rejects(
    new ReaderRig('mysql').feed([FORMAT, event(26, body)]),
    isRefused('MYSQL_INCIDENT', /LOST_ROWS/),
  );
});

test('a transaction without a GTID stops', async () => {
  const anonymous = Buffer.from(gtid(1));
  anonymous[4] = 34;
  await assert.rejects(
    new ReaderRig('mysql').feed([FORMAT, sealed(anonymous)]),
    isRefused('MYSQL_ANONYMOUS_TRANSACTION'),
  );
});

test('empty transactions move the position, and those of MySQL 5.7, which tell no time, have that of their event', async () => {
  const rig = await new ReaderRig('mysql').feed([
    FORMAT,
    gtid(1),
    query('BEGIN'),
    XID,
    gtid(2),
    query('BEGIN'),
    query('COMMIT'),
  ]);
  assert.deepEqual(rig.sink.progressed, [`${UUID}:1`, `${UUID}:1-2`]);
  const events = captured('mysql');
  const old = Buffer.from(gtid(3));
  const timed = await new ReaderRig('mysql').feed([FORMAT, old, ...events.slice(7, 11)]);
  assert.equal(timed.sink.transactions[0].commitTime, 1_700_000_000 * 1e6);
});

test('a group that the server did not finish before it was started anew is forgotten', async () => {
  const rig = await new ReaderRig('mysql').feed([
    FORMAT,
    gtid(1),
    query('BEGIN'),
    FORMAT,
    gtid(1),
    query('BEGIN'),
    XID,
  ]);
  assert.deepEqual(rig.sink.progressed, [`${UUID}:1`]);
  // Rows of it are with the sink already: it is read again, and gathered.
  const events = captured('mysql');
  const cut = events.slice(0, 10);
  const first = new ReaderRig('mysql');
  await assert.rejects(first.feed([...cut, FORMAT]), isRefused('MYSQL_REREAD'));
  const second = await new ReaderRig('mysql', { gather: first.parts.gather }).feed([...cut, FORMAT]);
  assert.deepEqual(second.lines, []);
});

test('ROLLBACK at the end of a transaction takes everything back', async () => {
  const events = captured('mysql');
  const body = [...events.slice(0, 10), query('ROLLBACK')];
  const first = new ReaderRig('mysql');
  await assert.rejects(first.feed(body), isRefused('MYSQL_REREAD'));
  const second = await new ReaderRig('mysql', { gather: first.parts.gather }).feed(body);
  assert.deepEqual(second.lines, []);
  assert.match(String(second.sink.position), /:1-3$/);
});

test('a statement instead of rows stops when it may be about a database that is replicated', async () => {
  const run = (sql: string, parts: Parameters<typeof query>[1], database?: string) =>
    new ReaderRig('mysql', { database }).feed([FORMAT, gtid(1), query('BEGIN'), query(sql, parts), XID]);
  const refused = isRefused('MYSQL_STATEMENT_FORMAT', /INSERT INTO t VALUES \('…'\)/);
  await assert.rejects(run("INSERT INTO t VALUES ('secret')", {}, 'shop'), refused);
  await assert.rejects(run("INSERT INTO t VALUES ('secret')", {}, undefined), refused);
  await assert.rejects(run('DELETE FROM shop.t', { database: 'other' }, 'shop'), isRefused('MYSQL_STATEMENT_FORMAT'));
  const changed = (...names: string[]) => ({ database: 'shop', variables: changedDatabases(...names) });
  await assert.rejects(run('DELETE FROM t', changed('other', 'shop'), 'shop'), isRefused('MYSQL_STATEMENT_FORMAT'));

  const elsewhere = await run('DELETE FROM other.t', changed('other'), 'shop');
  assert.deepEqual(elsewhere.log.lines, [], 'the server says that it is about another database');
  const guessed = await run('DELETE FROM t', { database: 'other' }, 'shop');
  assert.equal(guessed.log.lines[0].level, 'warning');
  assert.match(guessed.log.lines[0].message, /another database are logged as statements/);
  assert.deepEqual((await run('DELETE FROM t', { database: 'mysql' })).sink.progressed, [`${UUID}:1`]);
});

test('LOAD DATA as a statement stops, and so does one that stands alone', async () => {
  const load = Buffer.alloc(26);
  load[8] = 4;
  const execute = event(18, Buffer.concat([load, Buffer.from('shop\0LOAD DATA INFILE'), Buffer.alloc(0)]));
  await assert.rejects(
    new ReaderRig('mysql').feed([FORMAT, gtid(1), query('BEGIN'), event(17, Buffer.alloc(8)), execute]),
    isRefused('MYSQL_STATEMENT_FORMAT'),
  );
  await assert.rejects(
    new ReaderRig('mysql').feed([FORMAT, gtid(1), query('UPDATE t SET a = 1')]),
    isRefused('MYSQL_STATEMENT_FORMAT'),
  );
});

test('TRUNCATE of a table that was not seen is looked up; what is gone is told of', async () => {
  const rig = await new ReaderRig('mysql').feed([FORMAT, gtid(1), query('TRUNCATE TABLE gone')]);
  assert.match(rig.log.lines[0].message, /no such table any more/);
  assert.deepEqual(rig.sink.progressed, [`${UUID}:1`]);
});

test('a statement is read in the character set of its session', async () => {
  // Collation 8 is latin1, where ö is one byte.
  const body = Buffer.concat([
    Buffer.alloc(13),
    Buffer.from([4, 8, 0, 8, 0, 8, 0]),
    Buffer.from('shop\0'),
    Buffer.from('TRUNCATE größe', 'latin1'),
  ]);
  body[8] = 4;
  body[11] = 7;
  const rig = await new ReaderRig('mysql', { charsets: new Charsets() }).feed([FORMAT, gtid(1), event(2, body)]);
  assert.equal(rig.log.lines[0].fields.table, 'größe');
});

test('events out of place are refused', async () => {
  const rows = captured('mysql')[9];
  const cases: readonly (readonly [RegExp, ...Buffer[]])[] = [
    [/belongs to no transaction/, XID],
    [/belongs to no transaction/, query('BEGIN')],
    [/belongs to no transaction/, rows],
    [/has not begun/, gtid(1), rows],
    [/has not begun/, gtid(1), XID],
    [/has not ended/, gtid(1), gtid(2)],
    [/within a transaction/, gtid(1), query('BEGIN'), query('BEGIN')],
    [/was not described/, gtid(1), query('BEGIN'), rows],
    [/number 0/, gtid(0)],
    [/another product/, event(162, Buffer.alloc(19))],
  ];
  for (const [pattern, ...events] of cases) {
    await assert.rejects(new ReaderRig('mysql').feed([FORMAT, ...events]), isRefused('MYSQL_PROTOCOL', pattern));
  }
});

test('nothing is taken any more after the reader was given up', async () => {
  const rig = new ReaderRig('mysql');
  await rig.feed(captured('mysql').slice(0, 10));
  rig.reader.discard();
  await rig.feed(captured('mysql').slice(10));
  assert.deepEqual(rig.sink.transactions, []);
});
