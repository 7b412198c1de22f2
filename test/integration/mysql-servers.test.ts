import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { MYSQL_FLAVOURS, startMysql } from '../servers/mysql.ts';

for (const flavour of MYSQL_FLAVOURS) {
  test(`a server of ${flavour} logs rows with GTIDs, survives kills and orderly ends, and leaves nothing`, async (t) => {
    const server = await startMysql({ flavour });
    t.after(() => server.stop());
    await server.createDatabase('shop');
    await server.query(
      'CREATE TABLE item (id INT PRIMARY KEY, name TEXT); INSERT INTO item VALUES (1, ?)',
      ['ü😀'],
      'shop',
    );
    const [{ version, format, metadata }] = await server.query<{ version: string; format: string; metadata: string }>(
      'SELECT @@version AS version, @@binlog_format AS format, @@binlog_row_metadata AS metadata',
    );
    assert.match(
      version,
      flavour === 'mysql' ? /^9\./ : flavour === 'mariadb' ? /^10\.11.*MariaDB/ : /^11\.8.*MariaDB/,
    );
    assert.deepEqual([format, metadata], ['ROW', 'FULL']);
    const position = flavour === 'mysql' ? '@@gtid_executed' : '@@gtid_binlog_pos';
    const executed = async () => (await server.query<{ gtid: string }>(`SELECT ${position} AS gtid`))[0].gtid;
    const before = await executed();
    assert.notEqual(before, '');
    const { port, pid } = server;
    await server.kill();
    await server.restart();
    assert.equal(server.port, port);
    assert.notEqual(server.pid, pid);
    await server.restart({ binlog_row_image: 'MINIMAL' });
    assert.deepEqual(await server.query('SELECT *, @@binlog_row_image AS image FROM item', [], 'shop'), [
      { id: 1, name: 'ü😀', image: 'MINIMAL' },
    ]);
    assert.equal(await executed(), before);
    const { dataDir } = server;
    await server.stop();
    assert(!existsSync(dataDir));
  });
}
