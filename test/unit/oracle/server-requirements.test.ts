import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../../src/sources/finding.ts';
import { ARCHIVED_LOGS, ONLINE_LOGS, THREADS } from '../../../src/sources/oracle/log-files.ts';
import {
  CONTAINER_NAME,
  LOG_SIZES,
  type OracleFacts,
  readServer,
  SERVER,
  SWITCHES,
  VERSION,
} from '../../../src/sources/oracle/server-facts.ts';
import {
  allColumnsFinding,
  archiveFinding,
  containersFinding,
  forceLoggingFinding,
  keyLoggingFinding,
  logSizeFinding,
  minimalLoggingFinding,
  primaryFinding,
  retentionFinding,
  sentinelFinding,
  versionFinding,
} from '../../../src/sources/oracle/server-requirements.ts';
import { answering } from '../../harness/oracle-answers.ts';

const GOOD: OracleFacts = {
  version: '19.28.0.0.0',
  logMode: 'ARCHIVELOG',
  minimal: 'IMPLICIT',
  keys: 'YES',
  allColumns: 'NO',
  forceLogging: 'YES',
  openMode: 'READ WRITE',
  role: 'PRIMARY',
  multitenant: true,
  scn: 5000n,
  miningContainer: 'CDB$ROOT',
  tablesContainer: 'PDB1',
  miningDatabase: 'ORCL',
  tablesDatabase: 'ORCL',
  rds: false,
  resetlogs: 100n,
  logBytes: 200 * 2 ** 20,
  logGroups: 3,
  switches: 2,
  threads: [{ number: '1', open: true, enabled: 1n, checkpoint: 4000n, lastRedo: 4990n, disabled: false }],
  oldest: new Map([['1', 1000n]]),
};

function refused(finding: Finding, code: string): { fix: string; statements: readonly string[]; restart: boolean } {
  assert.equal(finding.refusal?.error.code, code);
  const { error, statements = [], restart = false } = finding.refusal ?? assert.fail();
  return { fix: error.fix ?? '', statements, restart };
}

function fine(finding: Finding): void {
  assert.equal(finding.refusal?.error.message, undefined);
}

test('a server that is set up has nothing to mend', () => {
  for (const find of [
    versionFinding,
    containersFinding,
    primaryFinding,
    archiveFinding,
    minimalLoggingFinding,
    keyLoggingFinding,
    forceLoggingFinding,
    logSizeFinding,
  ]) {
    fine(find(GOOD));
  }
  fine(retentionFinding(GOOD, 1500n));
});

test('versions from 12.2 on', () => {
  for (const version of ['12.2.0.1.0', '19.0.0.0.0', '21.3.0.0.0', '23.26.0.0.0'])
    fine(versionFinding({ ...GOOD, version }));
  for (const version of ['11.2.0.4.0', '12.1.0.2.0']) refused(versionFinding({ ...GOOD, version }), 'ORACLE_VERSION');
});

test('LogMiner in the root, the tables in a pluggable database, both of one server', () => {
  fine(containersFinding({ ...GOOD, multitenant: false, miningContainer: 'ORCL', tablesContainer: 'ORCL' }));
  refused(containersFinding({ ...GOOD, miningContainer: 'PDB1' }), 'ORACLE_IN_PDB');
  for (const tablesContainer of ['CDB$ROOT', 'PDB$SEED']) {
    const { fix } = refused(containersFinding({ ...GOOD, tablesContainer }), 'ORACLE_PDB_MISSING');
    assert.match(fix, /--sourcePDBConn/);
  }
  refused(containersFinding({ ...GOOD, tablesDatabase: 'OTHER' }), 'ORACLE_OTHER_DATABASE');
});

test('a standby and a database that is open read only are refused', () => {
  refused(
    primaryFinding({ ...GOOD, role: 'PHYSICAL STANDBY', openMode: 'READ ONLY WITH APPLY' }),
    'ORACLE_NOT_PRIMARY',
  );
  assert.equal(refused(primaryFinding({ ...GOOD, openMode: 'READ ONLY' }), 'ORACLE_READ_ONLY').restart, true);
});

test('ARCHIVELOG needs a restart, which no fix runs by itself', () => {
  const { fix, statements, restart } = refused(
    archiveFinding({ ...GOOD, logMode: 'NOARCHIVELOG' }),
    'ORACLE_ARCHIVELOG',
  );
  assert.match(fix, /SHUTDOWN IMMEDIATE;\nSTARTUP MOUNT;\nALTER DATABASE ARCHIVELOG;\nALTER DATABASE OPEN;/);
  assert.deepEqual(statements, []);
  assert.equal(restart, true);
  assert.match(
    refused(archiveFinding({ ...GOOD, logMode: 'NOARCHIVELOG', rds: true }), 'ORACLE_ARCHIVELOG').fix,
    /backups/,
  );
});

test('supplemental logging is added by statements', () => {
  assert.deepEqual(
    refused(minimalLoggingFinding({ ...GOOD, minimal: 'NO' }), 'ORACLE_SUPPLEMENTAL_LOGGING').statements,
    ['ALTER DATABASE ADD SUPPLEMENTAL LOG DATA'],
  );
  assert.deepEqual(refused(keyLoggingFinding({ ...GOOD, keys: 'NO' }), 'ORACLE_SUPPLEMENTAL_LOGGING').statements, [
    'ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY) COLUMNS',
  ]);
  fine(keyLoggingFinding({ ...GOOD, keys: 'NO', allColumns: 'YES' }));
  assert.deepEqual(refused(allColumnsFinding(GOOD), 'ORACLE_SUPPLEMENTAL_ALL').statements, [
    'ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS',
  ]);
  fine(allColumnsFinding({ ...GOOD, allColumns: 'YES' }));
});

test('Amazon RDS is mended by its own procedures', () => {
  const rds = { ...GOOD, rds: true, keys: 'NO', forceLogging: 'NO' };
  assert.deepEqual(refused(keyLoggingFinding(rds), 'ORACLE_SUPPLEMENTAL_LOGGING').statements, [
    "BEGIN rdsadmin.rdsadmin_util.alter_supplemental_logging(p_action => 'ADD', p_type => 'PRIMARY KEY'); END;",
  ]);
  assert.match(refused(forceLoggingFinding(rds), 'ORACLE_FORCE_LOGGING').statements[0], /force_logging/);
});

test('FORCE LOGGING', () => {
  assert.deepEqual(refused(forceLoggingFinding({ ...GOOD, forceLogging: 'NO' }), 'ORACLE_FORCE_LOGGING').statements, [
    'ALTER DATABASE FORCE LOGGING',
  ]);
});

test('more than one switch in three minutes asks for larger logs', () => {
  fine(logSizeFinding({ ...GOOD, switches: 20 }));
  const { fix } = refused(logSizeFinding({ ...GOOD, switches: 30 }), 'ORACLE_LOG_SWITCHES');
  assert.match(fix, /ADD LOGFILE SIZE 2048M;/);
});

test('the redo behind the wanted SCN has to be there', () => {
  fine(retentionFinding(GOOD, undefined));
  fine(retentionFinding(GOOD, 999n));
  const { fix } = refused(retentionFinding(GOOD, 998n), 'ORACLE_LOG_MISSING');
  assert.match(fix, /RESTORE ARCHIVELOG FROM SCN 998;/);
  refused(retentionFinding(GOOD, 5001n), 'ORACLE_SCN_AHEAD');
  refused(retentionFinding(GOOD, 98n), 'ORACLE_SCN_BEFORE_RESETLOGS');
});

test('each thread of redo counts from where it was enabled to where it was closed', () => {
  const [one] = GOOD.threads;
  const second = { ...one, number: '2' };
  const oldest = new Map([
    ['1', 1000n],
    ['2', 3000n],
  ]);
  const facts = (thread: typeof second): OracleFacts => ({ ...GOOD, oldest, threads: [one, thread] });
  refused(retentionFinding(facts(second), 1500n), 'ORACLE_LOG_MISSING');
  fine(retentionFinding(facts({ ...second, enabled: 3000n }), 1500n));
  fine(retentionFinding(facts({ ...second, open: false, checkpoint: 1400n }), 1500n));
});

test('the sentinel is made where the tables are, and written by whoever replicates', () => {
  fine(sentinelFinding(['KEYCOL', 'LASTSCN'], 'APP', 'C##REPLICATOR'));
  assert.deepEqual(refused(sentinelFinding(undefined, 'APP', 'C##REPLICATOR'), 'ORACLE_SENTINEL').statements, [
    'CREATE TABLE "APP"."REPLICATOR_SENTINEL" (keycol NUMBER PRIMARY KEY, lastSCN NUMBER)',
    'GRANT SELECT, INSERT, UPDATE ON "APP"."REPLICATOR_SENTINEL" TO C##REPLICATOR',
  ]);
  assert.equal(refused(sentinelFinding(undefined, 'APP', 'app'), 'ORACLE_SENTINEL').statements.length, 1);
  // Somebody's own table is not dropped with one key.
  assert.deepEqual(refused(sentinelFinding(['ID'], 'APP', 'APP'), 'ORACLE_SENTINEL').statements, []);
});

test('facts are read as the server tells them, SCNs beyond 2^53 too', async () => {
  const root = answering(
    new Map([
      [
        SERVER,
        [
          [
            'ARCHIVELOG',
            'YES',
            'YES',
            'NO',
            'NO',
            'READ WRITE',
            'PRIMARY',
            'YES',
            '9007199254740993',
            'CDB$ROOT',
            'ORCL',
            '1920977',
            null,
          ],
        ],
      ],
      [VERSION, [['19.0.0.0.0']]],
      [LOG_SIZES, [['209715200', '3']]],
      [SWITCHES, [[null]]],
      [THREADS, [['1', 'OPEN', '1', '900', '990']]],
      [
        ARCHIVED_LOGS,
        [
          ['/a/1', '1', '1', '100', '200', 'D'],
          ['/a/2', '1', '2', '200', '300', 'A'],
        ],
      ],
      [ONLINE_LOGS, [['/o/1', '1', '3', '300', '9295429630892703743']]],
    ]),
  );
  const facts = await readServer(root, answering(new Map([[CONTAINER_NAME, [['PDB1', 'ORCL']]]])));
  assert.equal(facts.version, '19.0.0.0.0');
  assert.equal(facts.scn, 9007199254740993n);
  assert.equal(facts.resetlogs, 1920977n);
  assert.equal(facts.multitenant, true);
  assert.equal(facts.tablesContainer, 'PDB1');
  assert.equal(facts.switches, 0);
  assert.equal(facts.rds, false);
  assert.equal(facts.oldest.get('1'), 200n);
});
