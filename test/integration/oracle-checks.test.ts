import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOracleConnectionString } from '../../src/config/oracle-connection.ts';
import { OperatorError } from '../../src/errors.ts';
import type { CheckResult } from '../../src/preflight/check.ts';
import { oraclePreflight } from '../../src/preflight/oracle-preflight.ts';
import type { SourceWishes } from '../../src/preflight/source-wishes.ts';
import { SENTINEL } from '../../src/sources/oracle/sentinel.ts';
import { OracleRun, startOracle } from '../harness/oracle-run.ts';
import { OraError } from '../servers/oracle/answer.ts';
import type { OracleServer } from '../servers/oracle/oracle.ts';

const column = (name: string, type = 'NUMBER', length = 22) => ({ name, type, length, nullable: name !== 'ID' });

function preflight(server: OracleServer) {
  return oraclePreflight(parseOracleConnectionString(server.rootUrl, '--sourceConn'));
}

function wishes(server: OracleServer, start?: bigint): SourceWishes {
  const pdb = server.pdbUrl === undefined ? undefined : parseOracleConnectionString(server.pdbUrl, '--sourcePDBConn');
  return { oracle: { schema: server.owner, ...(pdb && { pdb }), ...(start !== undefined && { start }) } };
}

function byId(results: readonly CheckResult[]): ReadonlyMap<string, CheckResult> {
  return new Map(results.map((result) => [result.id.replace('source.', ''), result]));
}

test('a server that is ready: each check once, in the planned order, and all of them pass but the advice', async (t) => {
  for (const multitenant of [true, false]) {
    const server = await startOracle(t, { multitenant, profile: multitenant ? '19c' : '23ai' });
    server.model.settings.all = 'YES';
    server.model.createTable(server.owner, 'T', [column('ID')], ['ID']);
    const asked = preflight(server);
    const reported: string[] = [];
    const results = await asked.check(wishes(server, server.model.scn), ({ id }) => reported.push(id));
    assert.deepEqual(
      results.map(({ id }) => id),
      asked.planned.map(({ id }) => id),
    );
    assert.deepEqual(reported.toSorted(), results.map(({ id }) => id).toSorted());
    assert.deepEqual(
      results.filter(({ state }) => state !== 'passed'),
      [],
    );
  }
});

test('all that is wrong at once is told at once, each with its code and what mends it; statements do mend it', async (t) => {
  const server = await startOracle(t, { profile: '19c' });
  const { model } = server;
  Object.assign(model.settings, { minimal: 'NO', key: 'NO', force: 'NO', switches: 200, logBytes: 50 * 2 ** 20 });
  model.tables.delete(`${server.owner}.${SENTINEL}`);
  model.createTable(server.owner, 'NO_KEY', [column('A')], []);
  model.createTable(server.owner, 'SHAPES', [column('ID'), column('G', 'SDO_GEOMETRY')], ['ID']);
  model.createTable(server.owner, 'PAPERS', [column('ID'), column('X', 'XMLTYPE')], ['ID']);
  model.createTable(server.owner, 'A_NAME_THAT_IS_LONGER_THAN_THIRTY_BYTES', [column('ID')], ['ID']);
  const asked = preflight(server);
  const results = byId(await asked.check({ ...wishes(server, model.scn), tables: 'all' }));
  const code = (id: string) => results.get(id)?.code;
  assert.deepEqual(
    ['supplemental_min', 'supplemental_pk', 'force_logging', 'sentinel', 'log_size', 'tables'].map(code),
    [
      'ORACLE_SUPPLEMENTAL_LOGGING',
      'ORACLE_SUPPLEMENTAL_LOGGING',
      'ORACLE_FORCE_LOGGING',
      'ORACLE_SENTINEL',
      'ORACLE_LOG_SWITCHES',
      'ORACLE_NAME_TOO_LONG',
    ],
  );
  assert.match(results.get('tables')?.found ?? '', /SHAPES.*A_NAME_THAT|A_NAME_THAT.*SHAPES/);
  for (const { state, fix, id } of results.values()) {
    if (state === 'failed') assert(fix !== undefined && fix.text !== '', id);
  }
  for (const { fix } of results.values()) if (fix?.statements !== undefined) await asked.fix(fix);
  const mended = byId(await asked.check({ ...wishes(server, model.scn), tables: ['APP.PAPERS'] }));
  for (const id of ['supplemental_min', 'supplemental_pk', 'force_logging', 'sentinel', 'tables', 'primary_keys']) {
    assert.equal(mended.get(id)?.state, 'passed', id);
  }
  assert.match(mended.get('columns')?.found ?? '', /PAPERS\.X/);
});

test('rights are named one by one, with the GRANT for each', async (t) => {
  const server = await startOracle(t, { multitenant: true });
  for (const name of ['V$ARCHIVED_LOG', 'LOGMINING', 'DBMS_LOGMNR', SENTINEL]) server.model.denied.add(name);
  const results = byId(await preflight(server).check(wishes(server)));
  const rights = results.get('rights');
  assert.equal(rights?.code, 'ORACLE_PERMISSION');
  for (const grant of ['GRANT SELECT ON SYS.V_$ARCHIVED_LOG', 'GRANT LOGMINING', 'GRANT EXECUTE ON SYS.DBMS_LOGMNR']) {
    assert(rights?.fix?.text.includes(`${grant} TO C##REPLICATOR;`), grant);
  }
  assert.match(
    results.get('table_rights')?.fix?.text ?? '',
    /GRANT SELECT ON "APP"\."REPLICATOR_SENTINEL" TO C##REPLICATOR;/,
  );
  assert.equal(results.get('logminer')?.state, 'skipped');
});

test('a missing right hides nothing but what cannot be said without it, which names the right', async (t) => {
  for (const denial of [942, 41900]) {
    const server = await startOracle(t, { multitenant: true, threads: 2 });
    const { model } = server;
    model.settings.key = 'NO';
    model.createTable(server.owner, 'T', [column('ID')], ['ID']);
    model.denial = denial;
    for (const view of ['V$LOG', 'V$INSTANCE', 'V$SESSION', 'GV$TRANSACTION']) model.denied.add(view);
    const results = byId(await preflight(server).check(wishes(server, model.scn)));
    const states = (state: string) => [...results].filter(([, each]) => each.state === state).map(([id]) => id);
    assert.deepEqual(states('failed'), ['rights', 'supplemental_pk', 'supplemental_all', 'table_rights']);
    assert.deepEqual(states('skipped'), ['version', 'logminer', 'log_size', 'retention']);
    assert.match(results.get('version')?.found ?? '', /C##REPLICATOR lacks SELECT on V\$INSTANCE$/);
    for (const id of ['logminer', 'log_size', 'retention']) {
      assert.match(results.get(id)?.found ?? '', /C##REPLICATOR lacks SELECT on V\$LOG$/);
    }
    const grants = results.get('table_rights')?.fix?.text ?? '';
    assert.match(grants, /GRANT SELECT ON SYS\.V_\$SESSION TO C##REPLICATOR;/);
    assert.match(grants, /GRANT SELECT ON SYS\.GV_\$TRANSACTION TO C##REPLICATOR;/);
  }
});

test('LogMiner is started and read for real: a right that only that shows is named by it', async (t) => {
  for (const right of ['DBMS_LOGMNR', 'LOGMINING']) {
    const server = await startOracle(t, {});
    server.model.denied.add(right);
    const results = byId(await preflight(server).check(wishes(server)));
    assert.equal(results.get('logminer')?.code, 'ORACLE_PERMISSION', right);
    assert.match(results.get('rights')?.found ?? '', new RegExp(right));
  }
});

test('of a cluster the views of all its instances are asked for', async (t) => {
  const server = await startOracle(t, { threads: 2 });
  server.model.denied.add('GV$SESSION');
  const results = byId(await preflight(server).check(wishes(server)));
  assert.match(results.get('table_rights')?.found ?? '', /GV\$SESSION/);
  const run = new OracleRun(t, server);
  await assert.rejects(run.source.connect(), { code: 'ORACLE_PERMISSION' });
});

test('fixes run where they belong: the database at its root, tables and the sentinel where those are', async (t) => {
  const server = await startOracle(t, { multitenant: true });
  const { model } = server;
  Object.assign(model.settings, { minimal: 'NO', key: 'NO', force: 'NO' });
  model.tables.delete(`${server.owner}.${SENTINEL}`);
  const unique = { A_KEY: ['A'], B_KEY: ['B'] };
  const column2 = (name: string) => ({ ...column(name), nullable: false });
  model.createTable(server.owner, 'NO_PK', [column2('A'), column2('B')], [], unique);
  const asked = oraclePreflight(parseOracleConnectionString(`${server.rootUrl}?pdb=ORCLPDB1`, '--sourceConn'));
  const results = byId(await asked.check(wishes(server, model.scn)));
  assert.equal(results.get('unique_keys')?.code, 'ORACLE_REDO_WITHOUT_KEY');
  let statements = 0;
  for (const { fix, id } of results.values()) {
    if (fix?.statements === undefined || id === 'source.supplemental_all') continue;
    statements += fix.statements.length;
    await asked.fix(fix);
  }
  assert.equal(statements, 6);
  const mended = byId(await asked.check(wishes(server, model.scn)));
  for (const id of [
    'supplemental_min',
    'supplemental_pk',
    'force_logging',
    'sentinel',
    'table_rights',
    'unique_keys',
  ]) {
    assert.equal(mended.get(id)?.state, 'passed', `${id}: ${mended.get(id)?.found}`);
  }
  // In the wrong container the server refuses them.
  const inPdb = oraclePreflight(parseOracleConnectionString(server.pdbUrl ?? '', '--sourceConn'));
  const { fix } = results.get('force_logging') ?? {};
  assert(fix !== undefined);
  await assert.rejects(inPdb.fix(fix), { code: 'FIX_NOT_PERMITTED' });
});

test('a fix that the user may not run says so, in the words of newer servers too, and what a DBA has to run', async (t) => {
  for (const [number, code] of [
    [1031, 'FIX_NOT_PERMITTED'],
    [41900, 'FIX_NOT_PERMITTED'],
    [54, 'FIX_BLOCKED'],
    [1109, 'FIX_FAILED'],
  ] as const) {
    const server = await startOracle(t, { profile: '23ai' });
    server.model.settings.force = 'NO';
    const asked = preflight(server);
    const { fix } = byId(await asked.check(wishes(server))).get('force_logging') ?? {};
    assert(fix !== undefined);
    server.double.failNext(/FORCE LOGGING/, new OraError(number, 'refused'));
    await assert.rejects(asked.fix(fix), (error) => {
      assert(error instanceof OperatorError);
      assert.equal(error.code, code, String(number));
      assert.match(error.fix ?? '', /ALTER DATABASE FORCE LOGGING;/);
      return true;
    });
  }
});

test('tables that were chosen and cannot be seen are named with their grants', async (t) => {
  const server = await startOracle(t, {});
  server.model.createTable(server.owner, 'SEEN', [column('ID')], ['ID']);
  server.model.createTable(server.owner, 'SECRET', [column('ID')], ['ID']);
  server.model.hidden.add('SECRET');
  const results = byId(await preflight(server).check({ ...wishes(server), tables: ['APP.SEEN', 'APP.SECRET'] }));
  assert.equal(results.get('tables')?.code, 'ORACLE_PERMISSION');
  assert.match(results.get('tables')?.fix?.text ?? '', /GRANT SELECT ON "APP"\."SECRET" TO C##REPLICATOR;/);
});

test('connections that lead to the wrong container are told apart', async (t) => {
  const server = await startOracle(t, { multitenant: true });
  const toRoot = byId(await preflight(server).check({ oracle: { schema: server.owner } }));
  assert.equal(toRoot.get('containers')?.code, 'ORACLE_PDB_MISSING');
  const pdb = oraclePreflight(parseOracleConnectionString(server.pdbUrl ?? '', '--sourceConn'));
  const inPdb = byId(await pdb.check(wishes(server)));
  assert.equal(inPdb.get('containers')?.code, 'ORACLE_IN_PDB');
});

test('all tables can be chosen from, whichever were chosen before; one that cannot be replicated stands in the way only when it is chosen', async (t) => {
  const server = await startOracle(t, {});
  const { model, owner } = server;
  model.createTable(owner, 'ITEM', [column('ID')], ['ID']);
  model.createTable(owner, 'odd "name"', [column('ID')], ['ID']);
  model.createTable(owner, 'SHAPES', [column('ID'), column('G', 'SDO_GEOMETRY')], ['ID']);
  const asked = preflight(server);
  const { tables } = await asked.choices({ ...wishes(server), tables: ['APP.ITEM'] });
  assert.deepEqual(
    tables.map(({ name, warning }) => [name, warning?.split(':')[0]]),
    [
      ['APP.ITEM', undefined],
      ['APP.SHAPES', 'cannot be replicated'],
      ['APP."odd ""name"""', undefined],
    ],
  );
  for (const [chosen, state] of [
    [undefined, 'passed'],
    ['all', 'failed'],
    [['APP.ITEM', 'APP."odd ""name"""'], 'passed'],
    [['APP.SHAPES'], 'failed'],
  ] as const) {
    const results = byId(await asked.check({ ...wishes(server), ...(chosen && { tables: chosen }) }));
    assert.equal(results.get('tables')?.state, state, String(chosen));
  }
});

test('the test of a connection goes to the pluggable database, too', async (t) => {
  const server = await startOracle(t, { multitenant: true });
  const to = (pdb: string) => oraclePreflight(parseOracleConnectionString(`${server.rootUrl}?pdb=${pdb}`, 'source'));
  assert.equal((await to(server.model.container ?? '').test()).database, `CDB$ROOT and ${server.model.container}`);
  await assert.rejects(
    to('NOWHERE').test(),
    (error) => error instanceof OperatorError && error.code === 'ORACLE_SERVICE' && /NOWHERE/.test(error.message),
  );
});

test('a standby, a database without archiving, an old one, and redo that is gone are refused', async (t) => {
  const server = await startOracle(t, {});
  Object.assign(server.model.settings, { role: 'PHYSICAL STANDBY', logMode: 'NOARCHIVELOG', version: '11.2.0.4.0' });
  const results = byId(await preflight(server).check(wishes(server, 100n)));
  const code = (id: string) => results.get(id)?.code;
  assert.deepEqual(['primary', 'log_mode', 'version', 'retention'].map(code), [
    'ORACLE_NOT_PRIMARY',
    'ORACLE_ARCHIVELOG',
    'ORACLE_VERSION',
    'ORACLE_LOG_MISSING',
  ]);
  assert.equal(results.get('log_mode')?.fix?.restart, true);
});

test('a server that cannot be reached is one failure, and all else is skipped for it', async (t) => {
  const server = await startOracle(t, {});
  const wrong = oraclePreflight(
    parseOracleConnectionString(server.rootUrl.replace('ORCLCDB', 'NOWHERE'), '--sourceConn'),
  );
  const [first, ...rest] = await wrong.check(wishes(server));
  assert.equal(first.code, 'ORACLE_SERVICE');
  assert(rest.every(({ state }) => state === 'skipped'));
  await assert.rejects(wrong.test(), (error) => error instanceof OperatorError && error.code === 'ORACLE_SERVICE');
});
