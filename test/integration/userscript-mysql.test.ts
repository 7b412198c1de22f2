import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseSamples } from '../../src/dashboard/samples.ts';
import { readScript } from '../../src/dashboard/script.ts';
import { tableFilter } from '../../src/sessions/table-filter.ts';
import { MysqlReplica } from '../harness/mysql-replica.ts';
import { scriptFiles } from '../harness/userscript-rig.ts';
import { sharedMysql } from '../servers/mysql.ts';
import { sharedServer } from '../servers/postgres.ts';

const target = sharedServer();

for (const flavour of ['mysql', 'mariadb-11'] as const) {
  const source = sharedMysql({ flavour });

  test(`${flavour}: a table filter as the setup writes it narrows the stream of a whole database`, async (t) => {
    const replica = await MysqlReplica.create(t, source.server, target.server, {
      sourceSchema:
        'CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE secret (id INT PRIMARY KEY, v LONGBLOB)',
      targetSchema: 'CREATE TABLE item (id int PRIMARY KEY, v text)',
    });
    const path = scriptFiles(t, { 'table_filter.ts': '' });
    writeFileSync(
      path,
      tableFilter(replica.targetSchema, [`${replica.database}.item`, `${replica.database}.harness_marker`]),
    );
    const engine = await replica.start(['--userscript', path]);
    await replica.source.query("INSERT INTO secret VALUES (1, 'a'); INSERT INTO item VALUES (1, 'a'), (2, 'b')");
    await replica.source.query(
      'CREATE TABLE later (id INT PRIMARY KEY); INSERT INTO later VALUES (1); DELETE FROM item WHERE id = 2',
    );
    await replica.source.query('TRUNCATE TABLE secret');
    await replica.settle();
    assert.deepEqual((await replica.target.query('SELECT * FROM item')).rows, [{ id: 1, v: 'a' }]);
    const varz = await engine.metrics();
    const labels = `{schema="${replica.targetSchema}",table="",function="onRowUpsert"}`;
    assert.equal(varz.get(`script_rows_filtered_total${labels}`), 2);
    // What the dashboard makes of it.
    assert.equal(readScript(parseSamples((await engine.fetch('/_/varz')).body))?.dropped, 2);
    assert.equal((await engine.stop()).code, 0);
  });

  test(`${flavour}: values come as documented, and go back by the types of the target`, async (t) => {
    const replica = await MysqlReplica.create(t, source.server, target.server, {
      sourceSchema:
        'CREATE TABLE item (id BIGINT UNSIGNED PRIMARY KEY, ok TINYINT(1), price DECIMAL(30,10), doc JSON, made DATETIME(6), raw VARBINARY(10))',
      targetSchema:
        'CREATE TABLE goods (id numeric PRIMARY KEY, ok boolean, price numeric, doc jsonb, made timestamp, raw bytea, seen text)',
    });
    const path = scriptFiles(t, {
      'script.ts': `import * as api from "replicator@v2";
        api.configureTargetSchema(${JSON.stringify(replica.targetSchema)}, {
          onRowUpsert: (row, meta) => meta.table === "item" ? { goods: [{ ...row, seen: typeof row.id + " " + row.id }] } : row,
          onRowDelete: (row, meta) => meta.table === "item" ? { goods: [row] } : row,
        });`,
    });
    await replica.start(['--userscript', path]);
    await replica.source.query(
      `INSERT INTO item VALUES (18446744073709551615, 1, 12345678901234567890.0123456789, '{"n": 9007199254740993}', '2026-01-02 03:04:05.678901', x'00ff'), (2, 0, NULL, NULL, NULL, NULL), (3, 1, 1, '[]', NULL, '')`,
    );
    await replica.source.query('UPDATE item SET ok = 1 WHERE id = 2; DELETE FROM item WHERE id = 3');
    await replica.settle();
    const { rows } = await replica.target.query(
      'SELECT id::text, ok, price::text, doc::text, made::text, raw::text, seen FROM goods ORDER BY goods.id DESC',
    );
    assert.deepEqual(rows[0], {
      id: '18446744073709551615',
      ok: true,
      price: '12345678901234567890.0123456789',
      doc: rows[0].doc,
      made: '2026-01-02 03:04:05.678901',
      raw: '\\x00ff',
      seen: 'string 18446744073709551615',
    });
    assert.match(rows[0].doc, /9007199254740993/);
    assert.deepEqual(
      rows.slice(1).map(({ id, ok }) => ({ id, ok })),
      [{ id: '2', ok: true }],
    );
  });
}
