import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { parseConnectionString } from '../../../src/config/connection.ts';
import { parseMysqlConnectionString } from '../../../src/config/mysql-connection.ts';
import { parseOracleConnectionString } from '../../../src/config/oracle-connection.ts';

type Engine = 'pglogical' | 'mylogical' | 'oraclelogminer';

/** What $NAME stands for in the lines: connection strings in the forms that the documentation gives. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PG: 'postgres://migration_user:a%24b@src:5432/migration_db?sslmode=verify-full&sslrootcert=/c/ca.crt&sslcert=/c/u.crt&sslkey=/c/u.key',
  MYSQL: 'mysql://migration_user:pw@src:3306/migration_db?sslcert=/c/u.crt&sslkey=/c/u.key&sslmode=require',
  ORACLE: 'oracle://C%23%23MIGRATION_USER:pw@src:1521/ORCL',
  PDB: 'oracle://C%23%23MIGRATION_USER:pw@src:1521/ORCLPDB1',
  TARGET: 'postgres://migration_user@crdb:26257/defaultdb?sslmode=verify-full',
};

/** What every line leaves as it is, unless it says otherwise. */
const STANDARD = {
  metricsAddr: undefined,
  verbose: 0,
  logFormat: 'text',
  logDestination: undefined,
  stagingCreateSchema: false,
  flushSize: 1000,
  flushPeriod: 1000,
  parallelism: 16,
  gracePeriod: 30_000,
  targetSchema: undefined,
  userscript: undefined,
};

const FIRST = { targetSchema: 'defaultdb.public', stagingSchema: '_replicator', stagingCreateSchema: true };
const RESUMED = { stagingSchema: '_replicator' };

/** Each documented line, with all that it sets; connections are looked at by themselves. */
const LINES: readonly [line: string, settings: Readonly<Record<string, unknown>>][] = [
  // The first run, and the resume, of each source.
  [
    'pglogical --sourceConn $PG --targetConn $TARGET --targetSchema defaultdb.public --slotName molt_slot --publicationName molt_fetch --stagingSchema _replicator --stagingCreateSchema --metricsAddr :30005 -v',
    { ...FIRST, slotName: 'molt_slot', publicationName: 'molt_fetch', metricsAddr: ':30005', verbose: 1 },
  ],
  [
    'pglogical --sourceConn $PG --targetConn $TARGET --slotName molt_slot --stagingSchema _replicator',
    { ...RESUMED, slotName: 'molt_slot' },
  ],
  [
    'mylogical --sourceConn $MYSQL --targetConn $TARGET --targetSchema defaultdb.public --defaultGTIDSet 4c658ae6-e8ad-11ef-8449-0242ac140006:1-29 --stagingSchema _replicator --stagingCreateSchema --metricsAddr :30005 --userscript table_filter.ts --verbose',
    {
      ...FIRST,
      defaultGTIDSet: '4c658ae6-e8ad-11ef-8449-0242ac140006:1-29',
      userscript: 'table_filter.ts',
      metricsAddr: ':30005',
      verbose: 1,
    },
  ],
  [
    'mylogical --sourceConn $MYSQL --targetConn $TARGET --stagingSchema _replicator --userscript table_filter.ts',
    { ...RESUMED, userscript: 'table_filter.ts', defaultGTIDSet: undefined },
  ],
  [
    'oraclelogminer --sourceConn $ORACLE --sourcePDBConn $PDB --targetConn $TARGET --sourceSchema MIGRATION_SCHEMA --targetSchema defaultdb.public --backfillFromSCN 26685444 --scn 26685786 --stagingSchema _replicator --stagingCreateSchema --metricsAddr :30005 --userscript table_filter.ts -v',
    {
      ...FIRST,
      sourceSchema: 'MIGRATION_SCHEMA',
      backfillFromSCN: '26685444',
      scn: '26685786',
      userscript: 'table_filter.ts',
      metricsAddr: ':30005',
      verbose: 1,
    },
  ],
  [
    'oraclelogminer --sourceConn $ORACLE --sourcePDBConn $PDB --sourceSchema MIGRATION_SCHEMA --targetConn $TARGET --stagingSchema _replicator',
    { ...RESUMED, sourceSchema: 'MIGRATION_SCHEMA', scn: undefined, backfillFromSCN: undefined },
  ],
  // What belongs to one source.
  [
    'mylogical --sourceConn $MYSQL --targetConn $TARGET --defaultGTIDSet 0-1-42,1-7-3 --fetchMetadata --replicationProcessID 4294967295',
    { defaultGTIDSet: '0-1-42,1-7-3', fetchMetadata: true, replicationProcessID: 4_294_967_295 },
  ],
  [
    'oraclelogminer --sourceConn $ORACLE --targetConn $TARGET --sourceSchema S --scn 9007199254740993123 --scnWindowSize 3250 --oracle-application-users APP,BATCH --checkpointQueueBufferSize 100',
    {
      sourceSchema: 'S',
      scn: '9007199254740993123',
      scnWindowSize: 3250,
      'oracle-application-users': 'APP,BATCH',
      checkpointQueueBufferSize: 100,
    },
  ],
  ['pglogical --sourceConn $PG --targetConn $TARGET --standbyTimeout 10s', { standbyTimeout: 10_000 }],
  // Logs.
  [
    'pglogical --sourceConn $PG --targetConn $TARGET -vv --logDestination /var/log/replicator.log --logFormat fluent',
    { verbose: 2, logDestination: '/var/log/replicator.log', logFormat: 'fluent' },
  ],
  ['pglogical --sourceConn $PG --targetConn $TARGET -v -v', { verbose: 2 }],
  ['pglogical --sourceConn $PG --targetConn $TARGET --verbose=2', { verbose: 2 }],
  // Speed.
  [
    'pglogical --sourceConn $PG --targetConn $TARGET --flushSize 5000 --flushPeriod 500ms --parallelism 32 --targetApplyQueueSize 20000 --targetMaxPoolSize 64 --collapseMutations=false --enableParallelApplies --quiescentPeriod 5s --timestampLimit 500',
    {
      flushSize: 5000,
      flushPeriod: 500,
      parallelism: 32,
      targetApplyQueueSize: 20_000,
      targetMaxPoolSize: 64,
      collapseMutations: false,
      enableParallelApplies: true,
      quiescentPeriod: 5000,
      timestampLimit: 500,
    },
  ],
  [
    'mylogical --sourceConn $MYSQL --targetConn $TARGET --maxRetries 20 --retryInitialBackoff 50ms --retryMaxBackoff 1m30s --retryMultiplier 3 --applyTimeout 1m0s --gracePeriod 1m',
    {
      maxRetries: 20,
      retryInitialBackoff: 50,
      retryMaxBackoff: 90_000,
      retryMultiplier: 3,
      applyTimeout: 60_000,
      gracePeriod: 60_000,
    },
  ],
  // A staging database of its own, and what is kept there.
  [
    'oraclelogminer --sourceConn $ORACLE --targetConn $TARGET --sourceSchema S --stagingConn $TARGET --stagingSchema _replicator.public --stageMode crdb --retireOffset 24h0m0s --schemaRefresh 0s --stageSanityCheckPeriod -1 --dlqTableName replicator_dlq --dataDir replicator-data',
    {
      sourceSchema: 'S',
      stagingConn: ENVIRONMENT.TARGET,
      stagingSchema: '_replicator.public',
      stageMode: 'crdb',
      retireOffset: 86_400_000,
      schemaRefresh: 0,
      stageSanityCheckPeriod: -1,
      dlqTableName: 'replicator_dlq',
      dataDir: 'replicator-data',
    },
  ],
  // The deprecated ones.
  [
    'oraclelogminer --sourceConn $ORACLE --targetConn $TARGET --sourceSchema S --copierChannel 100 --stageCopierChannelSize 100',
    { sourceSchema: 'S', copierChannel: 100, stageCopierChannelSize: 100 },
  ],
];

/** The words of a line, as a shell makes them. */
function words(line: string): string[] {
  return line.split(' ').map((word) => (word.startsWith('$') ? ENVIRONMENT[word.slice(1)] : word));
}

for (const [line, expected] of LINES) {
  test(`the documented line: ${line}`, () => {
    const [command, ...args] = words(line);
    const { settings, given } = parseCommandLine(command as Engine, args, {});
    const found: Readonly<Record<string, unknown>> = { ...settings };
    for (const [name, value] of Object.entries({ ...STANDARD, ...expected }))
      assert.deepEqual(found[name], value, name);
    const set = Array.from(line.matchAll(/ --([\w-]+)/g), ([, name]) => name);
    if (/ -v/.test(line)) set.push('verbose');
    assert.deepEqual([...given].sort(), [...new Set(set)].sort());
  });
}

test('flags without effect are taken with a warning that names them', () => {
  const warned = LINES.flatMap(([line]) => {
    const [command, ...args] = words(line);
    return (
      parseCommandLine(command as Engine, args, {})
        .warnings.join()
        .match(/--[\w-]+/g) ?? []
    );
  });
  assert.deepEqual([...new Set(warned)].sort(), [
    '--checkpointQueueBufferSize',
    '--copierChannel',
    '--quiescentPeriod',
    '--retireOffset',
    '--stageCopierChannelSize',
    '--stageMode',
    '--stageSanityCheckPeriod',
    '--targetApplyQueueSize',
  ]);
});

test('the documented connection strings, with their certificates', () => {
  const oracle = parseOracleConnectionString(ENVIRONMENT.ORACLE, '--sourceConn');
  assert.equal(oracle.user, 'C##MIGRATION_USER');
  // Files that are named have to be there, which tells that they are looked for.
  for (const [read, file] of [
    [() => parseConnectionString(ENVIRONMENT.PG, '--sourceConn', {}), '/c/ca.crt'],
    [() => parseMysqlConnectionString(ENVIRONMENT.MYSQL, '--sourceConn', {}), '/c/u.crt'],
  ] as const) {
    assert.throws(read, (error: Error) => error.message.includes(file) && !error.message.includes('pw'));
  }
  const plain = parseConnectionString(ENVIRONMENT.PG.replace(/\?.*/, '?sslmode=disable'), '--sourceConn', {});
  assert.equal(plain.display, 'postgresql://migration_user:*****@src:5432/migration_db?sslmode=disable');
});
