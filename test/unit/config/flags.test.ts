import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { type CommandName, FLAGS, type Flag, type FlagName, flagNamed, flagsOf } from '../../../src/config/flags.ts';
import { flagHelp } from '../../../src/config/help.ts';
import { defaultValue } from '../../../src/config/settings.ts';

/** The flags of the command `pglogical` as operators know them: name, type, default. */
const DOCUMENTED: readonly [string, string, string | null][] = [
  ['applyTimeout', 'DURATION', '30s'],
  ['collapseMutations', 'BOOL', 'true'],
  ['dataDir', 'STRING', 'replicator-data'],
  ['dlqTableName', 'IDENT', 'replicator_dlq'],
  ['enableParallelApplies', 'BOOL', 'false'],
  ['flushPeriod', 'DURATION', '1s'],
  ['flushSize', 'INT', '1000'],
  ['gracePeriod', 'DURATION', '30s'],
  ['logDestination', 'STRING', null],
  ['logFormat', 'STRING', 'text'],
  ['maxRetries', 'INT', '10'],
  ['metricsAddr', 'STRING', null],
  ['metricsSnapshotCompression', 'STRING', 'gzip'],
  ['metricsSnapshotPeriod', 'DURATION', '0'],
  ['metricsSnapshotRetentionSize', 'STRING', ''],
  ['metricsSnapshotRetentionTime', 'DURATION', '168h'],
  ['parallelism', 'INT', '16'],
  ['publicationName', 'STRING', null],
  ['quiescentPeriod', 'DURATION', '10s'],
  ['retireOffset', 'DURATION', '24h0m0s'],
  ['retryInitialBackoff', 'DURATION', '25ms'],
  ['retryMaxBackoff', 'DURATION', '2s'],
  ['retryMultiplier', 'INT', '2'],
  ['scanSize', 'INT', '10000'],
  ['schemaRefresh', 'DURATION', '1m0s'],
  ['slotName', 'STRING', 'replicator'],
  ['sourceConn', 'STRING', null],
  ['stageDisableCreateTableReaderIndex', 'BOOL', 'false'],
  ['stageMarkAppliedLimit', 'INT', '100000'],
  ['stageSanityCheckPeriod', 'DURATION', '10m0s'],
  ['stageSanityCheckWindow', 'DURATION', '1h0m0s'],
  ['stageUnappliedPeriod', 'DURATION', '1m0s'],
  ['stagingConn', 'STRING', null],
  ['stagingCreateSchema', 'BOOL', 'false'],
  ['stagingIdleTime', 'DURATION', '1m0s'],
  ['stagingJitterTime', 'DURATION', '15s'],
  ['stagingMaxLifetime', 'DURATION', '5m0s'],
  ['stagingMaxPoolSize', 'INT', '128'],
  ['stagingSchema', 'STRING', '_replicator.public'],
  ['standbyTimeout', 'DURATION', '5s'],
  ['targetApplyQueueSize', 'INT', null],
  ['targetConn', 'STRING', null],
  ['targetIdleTime', 'DURATION', '1m0s'],
  ['targetJitterTime', 'DURATION', '15s'],
  ['targetMaxLifetime', 'DURATION', '5m0s'],
  ['targetMaxPoolSize', 'INT', '128'],
  ['targetSchema', 'STRING', null],
  ['targetStatementCacheSize', 'INT', '128'],
  ['taskGracePeriod', 'DURATION', '1m0s'],
  ['timestampLimit', 'INT', '1000'],
  ['userscript', 'STRING', null],
  ['verbose', 'COUNT', '0'],
  ['enableToastedColumns', 'BOOL', 'false'],
  ['stageMode', 'STRING', null],
  ['copierChannel', 'INT', null],
  ['stageCopierChannelSize', 'INT', null],
];

/** Of them, those that `mylogical` does not have, and those that it has besides. */
const ONLY_PGLOGICAL = [
  'publicationName',
  'slotName',
  'standbyTimeout',
  'enableToastedColumns',
  'copierChannel',
  'stageCopierChannelSize',
];
const ONLY_MYLOGICAL: readonly [string, string, string | null][] = [
  ['defaultGTIDSet', 'STRING', null],
  ['fetchMetadata', 'BOOL', 'false'],
  ['replicationProcessID', 'INT', '10'],
];

/** Instar's own. */
const OWN = [
  'config',
  'standby',
  'truncate',
  'onApplyError',
  'memoryLimit',
  'userscriptTimeout',
  'logMaxSize',
  'logMaxFiles',
  'help',
];
const OWN_OF_MYLOGICAL = ['allDatabases', 'zeroDates'];

const TYPES: Readonly<Record<Flag['type'], string>> = {
  bool: 'BOOL',
  int: 'INT',
  size: 'SIZE',
  duration: 'DURATION',
  count: 'COUNT',
  choice: 'STRING',
  string: 'STRING',
  connection: 'STRING',
};

test('every documented flag is there with its type and default, and nothing else but our own', () => {
  for (const [name, type, standard] of [...DOCUMENTED, ...ONLY_MYLOGICAL]) {
    assert.ok(Object.hasOwn(FLAGS, name), name);
    const flag = flagNamed(name as FlagName);
    assert.equal(TYPES[flag.type], type === 'IDENT' ? 'STRING' : type, name);
    assert.equal(flag.default, standard, name);
  }
  const documented = DOCUMENTED.map(([name]) => name);
  assert.deepEqual([...flagsOf('pglogical')].sort(), [...documented, ...OWN].sort());
  const left = documented.filter((name) => !ONLY_PGLOGICAL.includes(name));
  const besides = [...ONLY_MYLOGICAL.map(([name]) => name), ...OWN_OF_MYLOGICAL];
  assert.deepEqual([...flagsOf('mylogical')].sort(), [...left, ...besides, ...OWN].sort());
});

test('every default obeys the rule of its flag', () => {
  for (const name of Object.keys(FLAGS) as FlagName[]) assert.doesNotThrow(() => defaultValue(name), name);
});

test('a replacement that is named exists', () => {
  for (const name of Object.keys(FLAGS) as FlagName[]) {
    const { deprecatedBy } = flagNamed(name);
    assert.ok(deprecatedBy === undefined || Object.hasOwn(FLAGS, deprecatedBy), name);
  }
});

test('help shows every flag of a command, within 80 columns', () => {
  for (const command of ['pglogical', 'mylogical', 'demo'] satisfies CommandName[]) {
    const help = flagHelp(command);
    for (const name of flagsOf(command)) assert.match(help, new RegExp(`--${name}\\b`));
    for (const line of help.split('\n')) assert.ok(line.length <= 80, line);
  }
});

test('the demo has its own flags', () => {
  const { settings } = parseCommandLine('demo', ['--seconds', '5'], {});
  assert.deepEqual(settings, { seconds: 5, rate: 300, metricsAddr: undefined, help: false });
});
