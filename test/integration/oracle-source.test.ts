import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OracleRun, startOracle } from '../harness/oracle-run.ts';
import type { OracleServerOptions } from '../servers/oracle/oracle.ts';

const PROFILES: readonly OracleServerOptions[] = [
  { profile: '19c', multitenant: true },
  { profile: '23ai', multitenant: false },
];

const COLUMNS = [
  { name: 'ID', type: 'NUMBER', length: 22, nullable: false },
  { name: 'NAME', type: 'VARCHAR2', length: 100, nullable: true },
];

for (const options of PROFILES) {
  test(`${options.profile}: insert, update, delete, a moved key, a savepoint`, async (t) => {
    const server = await startOracle(t, options);
    const table = server.model.createTable(server.owner, 'PEOPLE', COLUMNS, ['ID']);
    const run = await new OracleRun(t, server).start();
    const first = server.model.begin();
    const row = first.insert(table, ['1', "O'Neil"]);
    first.commit();
    const second = server.model.begin();
    second.update(table, row, new Map([[1, null]]));
    const savepoint = second.savepoint();
    second.insert(table, ['2', 'gone']);
    second.rollbackTo(savepoint);
    second.update(table, row, new Map([[0, '.5']]));
    second.delete(table, row);
    second.commit();
    await run.caughtUp();
    assert.deepEqual(
      run.sink.transactions.map(({ changes }) => changes.map(({ kind, old, new: values }) => [kind, old, values])),
      [
        [['insert', undefined, ['1', "O'Neil"]]],
        [
          ['update', undefined, ['1', null]],
          ['update', ['1', null], ['0.5', undefined]],
          ['delete', ['0.5', null], undefined],
        ],
      ],
    );
  });
}
