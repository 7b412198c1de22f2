import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { variableOf } from '../../../src/config/environment.ts';
import { type FlagName, flagNamed, flagsOf } from '../../../src/config/flags.ts';
import { defaultValue, toArguments } from '../../../src/config/settings.ts';
import { UsageError } from '../../../src/errors.ts';

const NEEDED = ['--sourceConn', 'postgres://s', '--targetConn', 'postgres://t'];

function parse(...args: string[]) {
  return parseCommandLine('pglogical', [...NEEDED, ...args], {});
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

test('the documented command line', () => {
  const { settings, given, warnings } = parseCommandLine(
    'pglogical',
    [
      '--sourceConn',
      'postgres://u:p@s/db',
      '--targetConn',
      'postgres://u:p@t/db',
      '--targetSchema',
      'defaultdb.public',
      '--slotName',
      'molt_slot',
      '--stagingSchema',
      '_replicator',
      '--stagingCreateSchema',
      '--metricsAddr',
      ':30005',
      '--verbose',
    ],
    {},
  );
  assert.deepEqual(warnings, []);
  assert.equal(given.size, 8);
  assert.equal(settings.sourceConn, 'postgres://u:p@s/db');
  assert.equal(settings.targetSchema, 'defaultdb.public');
  assert.equal(settings.slotName, 'molt_slot');
  assert.equal(settings.stagingSchema, '_replicator');
  assert.equal(settings.stagingCreateSchema, true);
  assert.equal(settings.metricsAddr, ':30005');
  assert.equal(settings.verbose, 1);
  assert.equal(settings.publicationName, undefined);
  assert.equal(settings.flushSize, 1000);
  assert.equal(settings.flushPeriod, 1000);
  assert.equal(settings.memoryLimit, 64 * 1024 * 1024);
  assert.equal(settings.truncate, 'apply');
  assert.equal(settings.onApplyError, 'stop');
});

test('values after an equals sign, counted and repeated flags, booleans with a value; the last one wins', () => {
  const verbosity = (...args: string[]) => parse(...args).settings.verbose;
  assert.equal(verbosity(), 0);
  assert.equal(verbosity('-v'), 1);
  assert.equal(verbosity('-vv'), 2);
  assert.equal(verbosity('-v', '-v'), 2);
  assert.equal(verbosity('--verbose', '-v'), 2);
  assert.equal(verbosity('--verbose=2'), 2);
  assert.equal(parse('--collapseMutations=false').settings.collapseMutations, false);
  assert.equal(parse('--standby=1').settings.standby, true);
  assert.equal(parse('--flushSize=7').settings.flushSize, 7);
  assert.equal(parse('--flushSize', '7', '--flushSize', '8').settings.flushSize, 8);
  assert.equal(parse('--stageUnappliedPeriod', '-1').settings.stageUnappliedPeriod, -1);
  assert.equal(parse('--').settings.standby, false);
});

test('defect 23: zero stays zero, or is refused by the rule; it never turns into the default', () => {
  for (const name of flagsOf('pglogical')) {
    const flag = flagNamed(name);
    if (!('min' in flag) || flag.effect === 'unavailable') continue;
    const zero = flag.type === 'duration' ? '0s' : '0';
    if (flag.min > 0 && !('orZero' in flag))
      assert.match(
        refusal(() => parse(`--${name}`, zero)),
        new RegExp(`^--${name} must be at least `),
      );
    else assert.equal((parse(`--${name}`, zero).settings as Record<string, unknown>)[name], 0, name);
  }
  assert.equal(parse('--maxRetries', '0').settings.maxRetries, 0);
  assert.match(
    refusal(() => parse('--flushSize', '0')),
    /at least 1, not 0/,
  );
  assert.match(
    refusal(() => parse('--parallelism', '0')),
    /at least 1, not 0/,
  );
});

test('defect 23: flags that do nothing are named in one warning with the reason', () => {
  const { warnings } = parse('--scanSize', '5', '--retireOffset', '720h', '--copierChannel', '3');
  assert.deepEqual(warnings, [
    'flags that have no effect here: --retireOffset, --scanSize (changes are never staged in tables on their way); --copierChannel (replaced by --targetApplyQueueSize)',
  ]);
});

test('the interval of metrics snapshots is 0 or at least 15 s; they may be kept for years', () => {
  assert.match(
    refusal(() => parse('--metricsSnapshotPeriod', '14.9s')),
    /^--metricsSnapshotPeriod must be at least 15s, not 14.9s/,
  );
  const { settings } = parse('--metricsSnapshotPeriod', '15s', '--metricsSnapshotRetentionTime', '8760h');
  assert.deepEqual([settings.metricsSnapshotPeriod, settings.metricsSnapshotRetentionTime], [15_000, 31_536_000_000]);
  assert.match(
    refusal(() => parse('--metricsSnapshotRetentionSize', 'much')),
    /^--metricsSnapshotRetentionSize must be a size such as 100MiB/,
  );
});

test('every wrong command line is refused with the flag and the nearest known one', () => {
  const expected: [string[], RegExp][] = [
    [['--slot-name', 'x'], /^unknown flag --slot-name; did you mean --slotName\?$/],
    [['--slotname=x'], /^unknown flag --slotname; did you mean --slotName\?$/],
    [['--flushSise', '1'], /did you mean --flushSize\?/],
    [['--nonsense'], /^unknown flag --nonsense$/],
    [['-sourceConn=postgres://u:secret@h'], /^unknown flag -sourceConn; did you mean --sourceConn\?$/],
    [['-x'], /^unknown flag -x$/],
    [['--rate', '5'], /^--rate is not a flag of pglogical, but of demo$/],
    [['--slotName'], /^--slotName needs a value/],
    [['--slotName', '--standby'], /^--slotName needs a value/],
    [['--flushPeriod', '5'], /^--flushPeriod must be a duration such as .*, not "5"$/],
    [['--flushPeriod', 'soon'], /^--flushPeriod must be a duration/],
    [['--flushPeriod', '-1s'], /^--flushPeriod must be at least 0s, not -1s$/],
    [['--gracePeriod', '1000h'], /^--gracePeriod must be at most 596h31m23.647s/],
    [['--flushSize', 'many'], /^--flushSize must be a whole number, not "many"$/],
    [['--flushSize', '1.5'], /^--flushSize must be a whole number/],
    [['--flushSize', '-5'], /^--flushSize must be at least 1, not -5$/],
    [['--flushSize', '99999999999999999999'], /^--flushSize must be at most/],
    [['--memoryLimit', '64M'], /^--memoryLimit must be a size/],
    [['--memoryLimit', '1'], /^--memoryLimit must be at least 4MiB, not 1B$/],
    [['--standby=maybe'], /^--standby must be true or false, not "maybe"$/],
    [['--standby', 'false'], /unexpected argument "false"; did you mean --standby=false\?/],
    [['--verbose=-1'], /^--verbose must be at least 0/],
    [['--logFormat', 'json'], /^unknown log format: "json": --logFormat must be one of text, fluent/],
    [['--truncate', 'aply'], /must be one of apply, ignore, error, not "aply"; did you mean apply\?/],
    [['--slotName', 'Molt-Slot'], /^--slotName must be up to 63 lower-case letters/],
    [['--slotName', ''], /^--slotName must not be empty$/],
    [['--metricsAddr', '30005'], /^--metricsAddr must be host:port or :port, not "30005"$/],
    [['extra'], /unexpected argument after the value of --targetConn/],
    [['--standby', 'extra'], /^unexpected argument "extra": pglogical takes only flags$/],
    [['--standby', '--', '--flushSize'], /^unexpected argument "--flushSize"/],
  ];
  for (const [args, message] of expected)
    assert.match(
      refusal(() => parse(...args)),
      message,
      args.join(' '),
    );
});

test('missing connections are told in the known words', () => {
  assert.match(
    refusal(() => parseCommandLine('pglogical', [], {})),
    /no source connection was configured.*--sourceConn/,
  );
  const source = ['--sourceConn', 'postgres://s'];
  assert.match(
    refusal(() => parseCommandLine('pglogical', source, {})),
    /targetConn must be set.*--targetConn/,
  );
  assert.match(
    refusal(() => parse('--targetConn', '')),
    /targetConn must be set/,
  );
});

test('no refusal repeats a password', () => {
  for (const args of [
    ['--standby', 'postgres://u:hunter22@h/d'],
    ['--slotName', 'postgres://u:hunter22@h/d'],
    ['--flushSize', 'password=hunter22'],
    ['--targetConn', 'postgres://u:my', 'hunter22@h/d'],
    ['-sourceConn=postgres://u:hunter22@h/d'],
    ['--souceConn=postgres://u:hunter22@h/d'],
  ]) {
    assert.doesNotMatch(
      refusal(() => parse(...args)),
      /hunter22/,
    );
  }
});

test('the environment sets flags; the command line wins; an empty variable is not set', () => {
  const env = {
    INSTAR_SOURCE_CONN: 'postgres://s',
    INSTAR_TARGET_CONN: 'postgres://t',
    INSTAR_FLUSH_SIZE: '5',
    INSTAR_PARALLELISM: '3',
    INSTAR_STANDBY: 'true',
    INSTAR_SLOT_NAME: '',
    INSTAR_HELP: 'true',
  };
  const { settings, given } = parseCommandLine('pglogical', ['--flushSize', '6'], env);
  assert.equal(settings.sourceConn, 'postgres://s');
  assert.equal(settings.flushSize, 6);
  assert.equal(settings.parallelism, 3);
  assert.equal(settings.standby, true);
  assert.equal(settings.slotName, 'replicator');
  assert.equal(settings.help, false);
  assert.equal(given.has('slotName'), false);
});

test('a wrong variable is refused by its own name; one that looks misspelt is warned of', () => {
  const message = refusal(() => parseCommandLine('pglogical', NEEDED, { INSTAR_FLUSH_SIZE: '0' }));
  assert.equal(message, 'INSTAR_FLUSH_SIZE must be at least 1, not 0');
  const env = { INSTAR_FLUSHSISE: '1', INSTAR_SOMETHING_OF_A_SCRIPT: '1', OTHER_FLUSH_SIZE: '1' };
  assert.deepEqual(parseCommandLine('pglogical', NEEDED, env).warnings, [
    'the environment variable INSTAR_FLUSHSISE is not known; did you mean INSTAR_FLUSH_SIZE?',
  ]);
});

test('variables that are no flags are known, and warned of when they look misspelt', () => {
  const env = { INSTAR_CONTROL_TOKEN: 't', INSTAR_HOME: '/h', INSTAR_CONTROL_TOKE: 't' };
  assert.deepEqual(parseCommandLine('pglogical', NEEDED, env).warnings, [
    'the environment variable INSTAR_CONTROL_TOKE is not known; did you mean INSTAR_CONTROL_TOKEN?',
  ]);
});

test('variables are named for their flags', () => {
  assert.equal(variableOf('sourceConn'), 'INSTAR_SOURCE_CONN');
  assert.equal(variableOf('defaultGTIDSet'), 'INSTAR_DEFAULT_GTID_SET');
  assert.equal(variableOf('oracle-application-users'), 'INSTAR_ORACLE_APPLICATION_USERS');
  assert.equal(variableOf('replicationProcessID'), 'INSTAR_REPLICATION_PROCESS_ID');
});

test('help needs nothing else', () => {
  assert.equal(parseCommandLine('pglogical', ['-h'], {}).settings.help, true);
});

/** A text that a flag accepts, for every flag that is not secret and can be set. */
function acceptable(name: FlagName): fc.Arbitrary<string> {
  const flag = flagNamed(name);
  switch (flag.type) {
    case 'bool':
      return fc.constantFrom('true', 'false');
    case 'count':
      return fc.constantFrom('0', '1', '2');
    case 'choice':
      return fc.constantFrom(...flag.choices);
    case 'int':
      return fc.integer({ min: flag.min, max: 1e9 }).map(String);
    case 'size':
      return fc.integer({ min: flag.min, max: 2 ** 40 }).map(String);
    case 'duration':
      return fc.integer({ min: Math.max(flag.min, -1e6), max: 2 ** 31 - 1 }).map((ms) => `${ms}ms`);
    default:
      if (name === 'slotName') return fc.stringMatching(/^[a-z0-9_]{1,63}$/);
      if (name === 'metricsSnapshotRetentionSize') return fc.stringMatching(/^\d{1,6}(MiB|kB)?$/);
      if (name === 'metricsAddr') return fc.stringMatching(/^[a-z]{0,9}:\d{1,4}$/);
      return fc.string({ minLength: 1 });
  }
}

test('a generated command line gives the same settings, and holds no secret', () => {
  const names = flagsOf('pglogical').filter((name) => {
    const { type, effect } = flagNamed(name);
    return type !== 'connection' && effect !== 'unavailable' && name !== 'config' && name !== 'help';
  });
  const chosen = fc.uniqueArray(fc.constantFrom(...names)).chain((list) => {
    return fc.tuple(...list.map((name) => acceptable(name).map((text) => `--${name}=${text}`)));
  });
  fc.assert(
    fc.property(chosen, (args) => {
      const { settings } = parseCommandLine('pglogical', [...NEEDED, ...args], {});
      const generated = toArguments('pglogical', settings);
      assert.deepEqual(generated.slice(0, 4), ['--sourceConn', '$SOURCE', '--targetConn', '$TARGET']);
      assert.deepEqual(parseCommandLine('pglogical', [...NEEDED, ...generated.slice(4)], {}).settings, settings);
    }),
  );
});

test('a generated command line leaves out what is at its default', () => {
  const defaults = Object.fromEntries(flagsOf('pglogical').map((name) => [name, defaultValue(name)]));
  assert.deepEqual(toArguments('pglogical', defaults), []);
  assert.deepEqual(toArguments('pglogical', { verbose: 2, standby: true, collapseMutations: false, flushPeriod: 0 }), [
    '--collapseMutations=false',
    '--flushPeriod',
    '0s',
    '--standby',
    '-vv',
  ]);
});

test('a flag with another spelling is known by either', () => {
  for (const flag of ['--dryRun', '--dry-run', '--dry-run=true']) {
    const { settings, argument } = parseCommandLine('resume', ['shop', flag, '--json'], {});
    assert.deepEqual([settings.dryRun, settings.json, argument], [true, true, 'shop']);
  }
  assert.equal(parseCommandLine('resume', [], {}).settings.dryRun, false);
});
