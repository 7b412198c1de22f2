import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { type CommandName, FLAGS, type FlagName, flagNamed, flagsOf } from '../../../src/config/flags.ts';
import { flagHelp } from '../../../src/config/help.ts';
import { defaultValue } from '../../../src/config/settings.ts';
import { DOCUMENTED_FLAGS } from '../../documented/flags.ts';

/** Instar's own. */
const OWN = [
  'enableDebugEndpoints',
  'logMaxSize',
  'logMaxFiles',
  'config',
  'standby',
  'truncate',
  'onApplyError',
  'memoryLimit',
  'userscriptTimeout',
  'help',
];
const OWN_OF_MYLOGICAL = ['allDatabases', 'zeroDates', 'targetApplyQueueSize'];
const OWN_OF_ORACLELOGMINER = ['oracleClientLib', 'collapseMutations'];

test('the engine has the documented flags and our own, and no others', () => {
  for (const [command, own] of [
    ['pglogical', OWN],
    ['mylogical', [...OWN, ...OWN_OF_MYLOGICAL]],
    ['oraclelogminer', [...OWN, ...OWN_OF_ORACLELOGMINER]],
  ] as const) {
    const documented = DOCUMENTED_FLAGS.filter(([, , , , commands]) => commands.includes(command)).map(
      ([name]) => name,
    );
    assert.deepEqual([...flagsOf(command)].sort(), [...documented, ...own].sort(), command);
  }
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
