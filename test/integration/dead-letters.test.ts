import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChangeKind, ChangeLog, encodeTuple, OldTuple } from '../../src/changes/change-log.ts';
import type { SourceTable } from '../../src/changes/table.ts';
import { readCatalogue } from '../../src/target/catalogue.ts';
import { deadLetters, deadLetterValues, openDeadLetterTable } from '../../src/target/dead-letters.ts';
import { describeServer } from '../../src/target/dialect.ts';
import { targetSchemaName } from '../../src/target/identifiers.ts';
import { sharedServer } from '../servers/postgres.ts';
import { connectText } from '../servers/text-client.ts';

const ORDERS: SourceTable = {
  schema: 'public',
  name: 'Orders',
  identity: 'key',
  columns: [
    { name: 'id', identity: true },
    { name: 'note "x"', identity: false },
    { name: '__proto__', identity: false },
  ],
};

function sampleLog(): ChangeLog {
  const log = new ChangeLog();
  const add = (kind: ChangeKind, old: OldTuple, before: Buffer, after: Buffer) => {
    const both = Buffer.concat([before, after]);
    log.append(kind, ORDERS, old, both, 0, before.length, before.length, both.length);
  };
  const none = Buffer.alloc(0);
  add(ChangeKind.insert, OldTuple.none, none, encodeTuple(['12345678901234567890.10', 'naïve "quote"\n', null]));
  add(ChangeKind.update, OldTuple.key, encodeTuple(['1', null, null]), encodeTuple(['2', undefined, 'p']));
  add(ChangeKind.delete, OldTuple.full, encodeTuple(['2', 'n', null]), none);
  log.appendTruncate(ORDERS);
  return log;
}

const FAILURE = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (id)=(1) already exists.' });

describe('dead letters', () => {
  const shared = sharedServer();

  async function place(t: Parameters<typeof connectText>[0], ddl = '') {
    const database = await shared.freshDatabase(t);
    await database.query(`CREATE SCHEMA shop; ${ddl}`);
    const client = await connectText(t, database.url);
    const server = await describeServer(client);
    const schema = targetSchemaName('shop', server);
    const open = async (name = 'replicator_dlq') =>
      openDeadLetterTable(client, server.dialect, schema, await readCatalogue(client, server.dialect, schema), name);
    return { database, client, server, schema, open };
  }

  test('defect 9: the table is created, and takes every change of a transaction with the error', async (t) => {
    const { database, client, open } = await place(t);
    const table = await open();
    assert.equal(table.parameters, 6);
    const log = sampleLog();
    for (const letter of deadLetters(log, 0, log.length, 1_700_000_000_123_456)) {
      await client.query(table.insert, deadLetterValues(table, letter, FAILURE));
    }
    const rows = await database.query(
      'SELECT dlq_name, source_nanos::text, source_logical::int, data_after::text, data_before::text, error FROM shop.replicator_dlq ORDER BY event',
    );
    assert.deepEqual(
      rows.map((row) => [
        row.source_logical,
        JSON.parse(row.data_after as string),
        JSON.parse(row.data_before as string),
      ]),
      [
        [
          0,
          JSON.parse('{"id":"12345678901234567890.10","note \\"x\\"":"naïve \\"quote\\"\\n","__proto__":null}'),
          null,
        ],
        [1, JSON.parse('{"id":"2","__proto__":"p"}'), { id: '1' }],
        [2, null, JSON.parse('{"id":"2","note \\"x\\"":"n","__proto__":null}')],
        [3, null, null],
      ],
    );
    for (const row of rows) {
      assert.equal(row.dlq_name, 'Orders');
      assert.equal(row.source_nanos, '1700000000123456000');
      assert.equal(row.error, '23505: duplicate key (Key (id)=(1) already exists.)');
    }
    await open();
  });

  test('a table made for the existing tool is used as it is, json or text columns included', async (t) => {
    const { database, client, open } = await place(
      t,
      `CREATE TABLE shop."Replicator_DLQ" (event serial PRIMARY KEY, dlq_name text NOT NULL, source_nanos int8 NOT NULL,
         source_logical int8 NOT NULL, data_after json NOT NULL, data_before varchar NOT NULL)`,
    );
    const table = await open();
    assert.equal(table.parameters, 5);
    const log = sampleLog();
    const [letter] = deadLetters(log, 0, log.length, 1);
    await client.query(table.insert, deadLetterValues(table, letter, FAILURE));
    const [row] = await database.query('SELECT data_before, source_nanos::text FROM shop."Replicator_DLQ"');
    assert.deepEqual(row, { data_before: 'null', source_nanos: '1000' });
  });

  test('a table that lacks columns is refused with their names', async (t) => {
    const { open, database } = await place(t, 'CREATE TABLE shop.replicator_dlq (dlq_name text, data_after json)');
    await assert.rejects(open(), {
      code: 'DLQ_COLUMNS',
      message: `dlq table "${database.name}"."shop"."replicator_dlq" was found, but it is missing the following columns: source_nanos, source_logical, data_before`,
    });
  });

  test('a user who may not create it is shown the DDL', async (t) => {
    const { database, server, schema } = await place(t);
    const role = `poor_${database.name}`;
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA shop TO ${role}`);
    t.after(async () => {
      await shared.server.query(`DROP ROLE ${role}`);
    });
    const url = new URL(database.url);
    url.username = role;
    url.password = 'p';
    const client = await connectText(t, url.href);
    const catalogue = await readCatalogue(client, server.dialect, schema);
    await assert.rejects(openDeadLetterTable(client, server.dialect, schema, catalogue, 'dead'), {
      code: 'DLQ_MISSING',
      message: /^the dead-letter queue table .* must be created in the target database\./,
      fix: /Consider using the following schema:\nCREATE TABLE "shop"\."dead" \(\n {2}event /,
    });
  });

  test('the name is one identifier, whatever is in it', async (t) => {
    const { open, database } = await place(t);
    await assert.rejects(open('other.dlq'), { code: 'USAGE' });
    await open('"a.b""; drop table x; --"');
    const tables = await database.query(
      `SELECT relname::text FROM pg_class WHERE relname LIKE 'a.b%' AND relkind = 'r'`,
    );
    assert.deepEqual(tables, [{ relname: 'a.b"; drop table x; --' }]);
  });

  test('an entry range in the middle of a log keeps its ordinals', async () => {
    const log = sampleLog();
    const second = log.buffer.readUInt32BE(0);
    const letters = [...deadLetters(log, second, log.length, 1, 41)];
    assert.deepEqual(
      letters.map((letter) => letter.logical),
      [41, 42, 43],
    );
  });
});
