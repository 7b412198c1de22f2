import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import type { Answers } from '../../../src/sessions/replication.ts';
import { shellWord } from '../../../src/config/shell-word.ts';
import { equivalentCommands } from '../../../src/wizard/equivalent-command.ts';

const ANSWERS: Answers = {
  kind: 'pglogical',
  source: { display: 'postgresql://app:*****@db1:5432/shop' },
  target: { reference: '$CRDB', display: 'postgresql://root@crdb:26257/defaultdb' },
  tables: 'all',
  targetSchema: 'defaultdb.public',
  publication: { name: 'molt_fetch', create: true },
  slot: { name: 'molt_slot', create: true },
  options: { flushSize: '500', stagingSchema: '_replicator' },
};

/** What a shell makes of a command: its words, with the variables that hold connections. */
function shell(command: string): string[] {
  const script = `replicator() { printf '%s\\n' "$@"; }; ${command}`;
  const env = { SOURCE: 'host=db1 password=p', CRDB: 'postgresql://root:q@crdb/defaultdb?a=b&c=d', STAGING: 'z' };
  return execFileSync('sh', ['-c', script], { env, encoding: 'utf8' }).trimEnd().split('\n');
}

test('the start command names everything, with connections as variables', () => {
  const { start, variables } = equivalentCommands(ANSWERS);
  assert.equal(
    start,
    [
      'replicator pglogical --sourceConn "$SOURCE" --targetConn "$CRDB" \\',
      '  --targetSchema defaultdb.public --slotName molt_slot \\',
      '  --publicationName molt_fetch --stagingSchema _replicator \\',
      '  --stagingCreateSchema --flushSize 500 --metricsAddr 127.0.0.1:30005',
    ].join('\n'),
  );
  assert.deepEqual(variables, [
    '# $SOURCE: postgresql://app@db1:5432/shop, with its password',
    '# $CRDB: postgresql://root@crdb:26257/defaultdb',
  ]);
});

test('the resume command neither creates the staging schema nor repeats the target schema', () => {
  const { resume } = equivalentCommands(ANSWERS);
  assert.doesNotMatch(resume, /stagingCreateSchema|targetSchema/);
  assert.match(resume, /--slotName molt_slot/);
  assert.match(resume, /--stagingSchema _replicator/);
  assert.match(resume, /--flushSize 500/);
});

test('a shell reads the commands as the engine expects them, whatever the names hold', () => {
  const { start, resume } = equivalentCommands({
    ...ANSWERS,
    targetSchema: `"it's".public`,
    staging: { display: 'postgresql://s@h/d' },
    options: { stagingSchema: '"a b"', schemaRefresh: '-1s', enableParallelApplies: 'true', verbose: '2' },
  });
  const [command, ...args] = shell(start);
  assert.equal(command, 'pglogical');
  const { settings } = parseCommandLine('pglogical', args, {});
  assert.equal(settings.sourceConn, 'host=db1 password=p');
  assert.equal(settings.targetConn, 'postgresql://root:q@crdb/defaultdb?a=b&c=d');
  assert.equal(settings.stagingConn, 'z');
  assert.equal(settings.targetSchema, `"it's".public`);
  assert.equal(settings.stagingSchema, '"a b"');
  assert.equal(settings.stagingCreateSchema, true);
  assert.equal(settings.schemaRefresh, -1000);
  assert.equal(settings.enableParallelApplies, true);
  assert.equal(settings.verbose, 2);
  assert.equal(parseCommandLine('pglogical', shell(resume).slice(1), {}).settings.slotName, 'molt_slot');
});

test('the default staging schema is spelt out, so that a resume cannot miss it', () => {
  assert.match(equivalentCommands({ ...ANSWERS, options: {} }).resume, /--stagingSchema _replicator\.public/);
});

test('words that a shell would change are quoted', () => {
  assert.equal(shellWord('a/b.c:1'), 'a/b.c:1');
  assert.equal(shellWord("it's $HOME"), `'it'\\''s $HOME'`);
  assert.equal(shellWord(''), "''");
});
