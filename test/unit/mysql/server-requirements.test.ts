import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../../../src/sources/finding.ts';
import { parseServerVersion } from '../../../src/sources/mysql/flavour.ts';
import { parseGrants } from '../../../src/sources/mysql/grants.ts';
import { serverIdFreeFinding } from '../../../src/sources/mysql/replicas.ts';
import {
  partialJsonFinding,
  replicaAdvice,
  retentionFinding,
  rowImageFinding,
} from '../../../src/sources/mysql/server-advice.ts';
import { serverFindings } from '../../../src/sources/mysql/server-checks.ts';
import type { ServerFacts } from '../../../src/sources/mysql/server-facts.ts';
import {
  binlogFilterFinding,
  binlogFormatFinding,
  gtidConsistencyFinding,
  gtidModeFinding,
  logBinFinding,
  replicaFinding,
  rowMetadataFinding,
  serverIdFinding,
  versionFinding,
} from '../../../src/sources/mysql/server-requirements.ts';
import { logsCascades, nameClashFinding } from '../../../src/sources/mysql/tables.ts';

const GOOD = {
  log_bin: 'ON',
  server_id: '1',
  gtid_mode: 'ON',
  enforce_gtid_consistency: 'ON',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  binlog_row_metadata: 'FULL',
  binlog_row_value_options: '',
  binlog_expire_logs_seconds: '2592000',
  log_replica_updates: 'ON',
  lower_case_table_names: '0',
};

interface Change {
  readonly version?: string;
  /** Undefined values: the server does not have the setting. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly rest?: Partial<ServerFacts>;
}

function server({ version = '8.4.3', variables = {}, rest = {} }: Change = {}): ServerFacts {
  const all = Object.entries({ ...GOOD, ...variables }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    version: parseServerVersion(version),
    variables: new Map(all),
    status: undefined,
    replica: 'no',
    grants: { account: 'r@%', list: parseGrants(['GRANT ALL PRIVILEGES ON *.* TO `r`@`%`']) },
    provider: null,
    ...rest,
  };
}

const MARIADB = '11.8.6-MariaDB-log';

function refusal(finding: Finding, code: string) {
  assert.equal(finding.refusal?.error.code, code, finding.found);
  return finding.refusal;
}

test('a server with everything as it must be is refused nothing', () => {
  const wishes = { database: 'shop', fetchMetadata: false };
  for (const finding of serverFindings(server(), wishes)) assert.equal(finding.refusal, undefined, finding.found);
  const mariadb = server({
    version: MARIADB,
    variables: { gtid_mode: undefined, enforce_gtid_consistency: undefined },
  });
  for (const finding of serverFindings(mariadb, wishes)) assert.equal(finding.refusal, undefined, finding.found);
});

test('versions: too old, of another product, or not to be read', () => {
  assert.equal(versionFinding(server({ version: '5.7.44-log' })).found, 'MySQL 5.7.44');
  for (const version of ['5.6.51', '10.5.28-MariaDB', '8.0.11-TiDB-v7.5.0', 'x']) {
    refusal(versionFinding(server({ version })), 'MYSQL_VERSION');
  }
  assert.equal(versionFinding(server({ version: '10.6.1-MariaDB' })).refusal, undefined);
  assert.equal(versionFinding(server({ version: '12.1.2-MariaDB' })).refusal, undefined);
});

test('log_bin and server_id', () => {
  const off = refusal(logBinFinding(server({ variables: { log_bin: 'OFF', server_id: '0' } })), 'MYSQL_LOG_BIN');
  assert.equal(off.restart, true);
  assert.equal(off.statements, undefined);
  assert.equal(off.error.fix, 'in my.cnf:\n[mysqld]\nlog_bin = binlog\nserver_id = 1\nthen restart the server');
  const id = refusal(serverIdFinding(server({ variables: { server_id: '0' } })), 'MYSQL_SERVER_ID');
  assert.deepEqual(id.statements, ['SET PERSIST server_id = 1']);
});

test('gtid_mode is brought to ON step by step, whatever it is', () => {
  const steps = (mode: string | undefined, consistency: string) =>
    refusal(
      gtidModeFinding(server({ variables: { gtid_mode: mode, enforce_gtid_consistency: consistency } })),
      'MYSQL_GTID_MODE',
    ).statements;
  assert.deepEqual(steps('OFF', 'WARN'), [
    'SET PERSIST enforce_gtid_consistency = ON',
    'SET PERSIST gtid_mode = OFF_PERMISSIVE',
    'SET PERSIST gtid_mode = ON_PERMISSIVE',
    'SET PERSIST gtid_mode = ON',
  ]);
  assert.deepEqual(steps('ON_PERMISSIVE', 'ON'), ['SET PERSIST gtid_mode = ON']);
  assert.equal(steps(undefined, 'OFF')?.length, 4);
  assert.equal(gtidModeFinding(server({ version: MARIADB, variables: { gtid_mode: undefined } })).refusal, undefined);
  refusal(
    gtidConsistencyFinding(server({ variables: { enforce_gtid_consistency: 'WARN' } })),
    'MYSQL_GTID_CONSISTENCY',
  );
});

test('binlog_format: rows; a server without the setting logs rows', () => {
  refusal(binlogFormatFinding(server({ variables: { binlog_format: 'MIXED' } })), 'MYSQL_BINLOG_FORMAT');
  assert.equal(binlogFormatFinding(server({ variables: { binlog_format: undefined } })).refusal, undefined);
});

test('how a setting is changed depends on the product, the version, the service and the rights', () => {
  const fix = (change: Change) => {
    const found = binlogFormatFinding(server({ ...change, variables: { binlog_format: 'STATEMENT' } }));
    return refusal(found, 'MYSQL_BINLOG_FORMAT');
  };
  assert.deepEqual(fix({}).statements, ["SET PERSIST binlog_format = 'ROW'"]);
  for (const version of ['5.7.44', MARIADB]) {
    const { statements, error } = fix({ version });
    assert.deepEqual(statements, ["SET GLOBAL binlog_format = 'ROW'"]);
    assert.match(String(error.fix), /\[mysqld\]\nbinlog_format = ROW/);
  }
  assert.match(String(fix({}).error.fix), /sessions that are open keep the old value/);
  assert.match(String(fix({ rest: { provider: 'rds' } }).error.fix), /binlog_format = ROW in the parameter group/);
  assert.match(String(fix({ rest: { provider: 'cloudsql' } }).error.fix), /--database-flags=binlog_format=ROW /);
  const grants = { account: 'r@%', list: parseGrants(['GRANT REPLICATION SLAVE ON *.* TO `r`@`%`']) };
  assert.equal(fix({ rest: { grants } }).statements, undefined);
});

test('binlog_row_metadata: FULL, or the catalogue', () => {
  for (const value of ['MINIMAL', 'NO_LOG']) {
    const found = server({ variables: { binlog_row_metadata: value } });
    assert.match(String(refusal(rowMetadataFinding(found, false), 'MYSQL_ROW_METADATA').error.fix), /--fetchMetadata/);
    assert.equal(rowMetadataFinding(found, true).refusal, undefined);
  }
  const old = server({ version: '5.7.44', variables: { binlog_row_metadata: undefined } });
  assert.equal(rowMetadataFinding(old, false).refusal, undefined);
  // The catalogue is read there, for which the user needs rights.
  const grants = { account: 'r@%', list: parseGrants(['GRANT REPLICATION SLAVE ON *.* TO `r`@`%`']) };
  const refused = serverFindings({ ...old, grants }, { database: 'shop', fetchMetadata: false }).flatMap(
    (finding) => finding.refusal?.error.code ?? [],
  );
  assert.deepEqual(refused, ['MYSQL_NO_SELECT_PRIVILEGE']);
});

test('filters of the binary log that leave out what is to be replicated', () => {
  const filtered = (only: string, without: string, folds = '0') =>
    server({
      variables: { lower_case_table_names: folds },
      rest: {
        status: {
          statement: 'SHOW MASTER STATUS',
          columns: [
            ['File', 'binlog.000001'],
            ['Binlog_Do_DB', only],
            ['Binlog_Ignore_DB', without],
          ],
        },
      },
    });
  for (const [only, without, folds, passes] of [
    ['', '', '0', true],
    ['shop,other', '', '0', true],
    ['other', '', '0', false],
    ['Shop', '', '0', false],
    ['Shop', '', '1', true],
    ['', 'other', '0', true],
    ['', 'shop', '0', false],
    ['shop', 'shop', '0', true],
  ] as const) {
    const { found, refusal: refused } = binlogFilterFinding(filtered(only, without, folds), 'shop');
    assert.equal(refused?.error.code, passes ? undefined : 'MYSQL_BINLOG_FILTER', found);
  }
  refusal(binlogFilterFinding(filtered('', 'other'), undefined), 'MYSQL_BINLOG_FILTER');
  assert.equal(binlogFilterFinding(server(), 'shop').refusal, undefined);
});

test('a replica has to log what it gets, and is worth a word even then', () => {
  const replica = { rest: { replica: 'yes' } } as const;
  const off = server({
    version: MARIADB,
    ...replica,
    variables: { log_replica_updates: undefined, log_slave_updates: 'OFF' },
  });
  const refused = refusal(replicaFinding(off), 'MYSQL_REPLICA_NOT_LOGGING');
  assert.equal(refused.restart, true);
  assert.match(String(refused.error.fix), /log_slave_updates = ON/);
  assert.equal(replicaFinding(server(replica)).refusal, undefined);
  assert.equal(replicaAdvice(server(replica)).refusal?.error.code, 'MYSQL_REPLICA');
  assert.equal(replicaAdvice(server()).refusal, undefined);
  assert.equal(replicaFinding(server({ rest: { replica: 'unknown' } })).refusal, undefined);
});

test('for how long binary logs are kept', () => {
  const found = (variables: Change['variables'], wanted?: number, rest: Change['rest'] = {}) =>
    retentionFinding(server({ variables, rest }), wanted);
  assert.equal(found({}).found, 'kept for 30 days');
  const short = found({ binlog_expire_logs_seconds: '3600' });
  assert.deepEqual(short.refusal?.statements, ['SET PERSIST binlog_expire_logs_seconds = 259200']);
  assert.match(String(short.refusal?.error.message), /after 1 hour/);
  assert.equal(found({ binlog_expire_logs_seconds: '3600' }, 3600).refusal, undefined);
  assert.match(found({ binlog_expire_logs_seconds: '0' }).found, /without limit/);
  assert.match(
    found({ binlog_expire_logs_auto_purge: 'OFF', binlog_expire_logs_seconds: '60' }).found,
    /without limit/,
  );
  const days = { binlog_expire_logs_seconds: undefined, expire_logs_days: '1' };
  assert.deepEqual(found(days).refusal?.statements, ['SET PERSIST expire_logs_days = 3']);
  assert.match(found({ max_binlog_total_size: '1000000' }).found, /at most 1000000 bytes/);
  assert.match(String(found({}, 60, { provider: 'rds' }).refusal?.error.fix), /rds_set_configuration/);
});

test('row images and JSON values that are not whole', () => {
  assert.equal(rowImageFinding(server({ variables: { binlog_row_image: 'FULL_NODUP' } })).refusal, undefined);
  refusal(rowImageFinding(server({ variables: { binlog_row_image: 'MINIMAL' } })), 'MYSQL_ROW_IMAGE');
  const partial = { binlog_row_value_options: 'PARTIAL_JSON' };
  assert.equal(partialJsonFinding(server({ variables: partial })).refusal, undefined);
  refusal(partialJsonFinding(server({ variables: { ...partial, binlog_row_image: 'MINIMAL' } })), 'MYSQL_PARTIAL_JSON');
});

test('an id that another reader or the source itself has', () => {
  const found = server();
  assert.equal(serverIdFreeFinding(10, found, []).found, '10, free');
  assert.match(serverIdFreeFinding(10, found, undefined).found, /not to be seen/);
  const other = refusal(
    serverIdFreeFinding(10, found, [
      { serverId: 10, host: 'h' },
      { serverId: 11, host: '' },
    ]),
    'MYSQL_SERVER_ID_IN_USE',
  );
  assert.equal(other.error.fix, '--replicationProcessID 12');
  refusal(serverIdFreeFinding(1, found, []), 'MYSQL_SERVER_ID_IN_USE');
});

test('which servers log what foreign keys do, and tables that would be mixed', () => {
  assert.equal(logsCascades(server({ version: '9.5.0' })), false);
  assert.equal(logsCascades(server({ version: '9.6.0', variables: { innodb_native_foreign_keys: 'OFF' } })), true);
  assert.equal(logsCascades(server({ version: '9.6.0', variables: { innodb_native_foreign_keys: 'ON' } })), false);
  assert.equal(logsCascades(server({ version: MARIADB })), false);
  const table = (database: string, name: string) => ({ database, name });
  refusal(nameClashFinding([table('a', 't'), table('b', 't')]), 'MYSQL_TABLE_NAME_CLASH');
  assert.equal(nameClashFinding([table('a', 't'), table('a', 'u')]).refusal, undefined);
});
