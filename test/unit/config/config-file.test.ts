import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { UsageError } from '../../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'instar-config-'));
after(() => rmSync(folder, { recursive: true }));

function file(content: string, mode = 0o600): string {
  const path = join(folder, 'instar.yaml');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function parse(content: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  return parseCommandLine('pglogical', ['--config', file(content), ...args], env);
}

function refusal(run: () => unknown): UsageError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was refused' });
}

const BOTH = 'sourceConn: postgres://s\ntargetConn: postgres://t\n';

test('a file sets flags; the environment wins over it, the command line over both', () => {
  const content = `${BOTH}# a comment\nflushSize: 5\nparallelism: 6\nmaxRetries: 7\nflushPeriod: 0\nstandby: true\nmemoryLimit: 128MiB\nverbose: 2\n`;
  const { settings } = parse(content, ['--maxRetries', '9'], { INSTAR_PARALLELISM: '8', INSTAR_MAX_RETRIES: '8' });
  assert.equal(settings.flushSize, 5);
  assert.equal(settings.parallelism, 8);
  assert.equal(settings.maxRetries, 9);
  assert.equal(settings.flushPeriod, 0);
  assert.equal(settings.standby, true);
  assert.equal(settings.memoryLimit, 128 * 1024 * 1024);
  assert.equal(settings.verbose, 2);
});

test('the environment may name the file, and the file may be empty', () => {
  const env = { INSTAR_CONFIG: file('# nothing\n'), INSTAR_SOURCE_CONN: 's', INSTAR_TARGET_CONN: 't' };
  assert.equal(parseCommandLine('pglogical', [], env).settings.sourceConn, 's');
});

test('a connection string is taken from the environment', () => {
  const env = { SRC: 'postgres://u:p@s', TGT: 'postgres://u:p@t' };
  const { settings } = parse(`sourceConn: $SRC\ntargetConn: \${TGT}\n`, [], env);
  assert.equal(settings.sourceConn, env.SRC);
  assert.equal(settings.targetConn, env.TGT);
  assert.match(refusal(() => parse('sourceConn: $SRC\n')).message, /line 1: sourceConn .*\$SRC is not set/);
});

test('what is wrong in a file is told with its line and the nearest flag', () => {
  const expected: [string, RegExp][] = [
    [
      'flushSize: 5\nslot_name: x\n',
      /instar\.yaml line 2: slot_name is not a flag of pglogical; did you mean slotName\?/,
    ],
    ['rate: 5\n', /line 1: rate is not a flag of pglogical/],
    ['help: true\n', /line 1: help is not a flag/],
    ['config: x\n', /line 1: config is not a flag/],
    ['slotName:\n  name: x\n', /line 1: slotName must have one plain value, nothing nested/],
    ['slotName: [a]\n', /line 1: slotName must have one plain value, nothing nested/],
    ['slotName:\n', /line 1: slotName must have one plain value/],
    ['slotName: 5\n', /line 1: slotName must be text: put it in quotes/],
    ['\nstandby: "yes"\n', /line 2: standby must be true or false/],
    ['flushSize: "5"\n', /line 1: flushSize must be a number, without quotes/],
    ['flushSize: 1.5\n', /line 1: flushSize must be a whole number/],
    ['flushSize: 0\n', /line 1: flushSize must be at least 1, not 0/],
    ['flushPeriod: true\n', /line 1: flushPeriod must be a duration/],
    ['flushPeriod: 5\n', /line 1: flushPeriod must be a duration such as/],
    ['flushSize: 1\nflushSize: 2\n', /line 2: /],
    ['flushSize: 1\n- a\n', /line 2: /],
    ['just words\n', /line 1: a configuration file is a list of "flag: value" lines/],
  ];
  for (const [content, message] of expected) assert.match(refusal(() => parse(content)).message, message, content);
});

test('a file that cannot be read is named', () => {
  const run = () => parseCommandLine('pglogical', ['--config', join(folder, 'none.yaml')], {});
  assert.match(refusal(run).message, /^--config: cannot read .*none\.yaml/);
});

test('a file with a password in it that others can read is refused with the chmod to run', () => {
  for (const content of [
    'sourceConn: postgres://u:hunter22@s\n',
    'targetConn: host=h password=hunter22\n',
    'stagingConn: postgres://h/d?password=hunter22\n',
  ]) {
    const path = file(content);
    for (const mode of [0o640, 0o604, 0o620, 0o666]) {
      chmodSync(path, mode);
      const error = refusal(() => parseCommandLine('pglogical', ['--config', path], {}));
      assert.match(error.message, /holds a password and other users/);
      assert.equal(error.fix, `chmod 600 ${path}`);
      assert.doesNotMatch(error.message, /hunter22/);
    }
  }
});

test('a file without a password may be read by anybody', () => {
  const path = file('sourceConn: $SRC\ntargetConn: postgres://u@t\n', 0o644);
  assert.doesNotThrow(() => parseCommandLine('pglogical', ['--config', path], { SRC: 'postgres://u:p@s' }));
});
