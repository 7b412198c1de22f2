import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandName, FLAGS, type Flag, type FlagName, flagNamed } from '../../../src/config/flags.ts';
import { DOCUMENTED_FLAGS, type DocumentedFlag } from '../../documented/flags.ts';

/** Commands of MOLT Replicator's that are not part of this program: a CockroachDB source, and its tokens. */
const NOT_BUILT = ['start', 'make-jwt'];

/** Where this program has another flag than MOLT Replicator, on purpose: `name` or `name: what`, and why. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'backfillFromSCN: type': 'SCNs exceed the whole numbers of JavaScript: read as text, and checked where they are used',
  'scn: type': 'the same',
  'scnWindowSize: default': 'a window finds its own size, which is smaller or larger than 3250 as the source needs it',
  'stagingConn: default of preflight': 'without it the target is meant, not nothing',
  'targetConn: default of preflight': 'it has none: an empty one is nothing to check',
  'api: userscript':
    'prints the definitions of the v1 API, which are not supported; the v2 ones are a file of the package',
};

/** Types that are one here and have a name of their own there. */
const SAME_TYPE: Readonly<Record<Flag['type'], readonly DocumentedFlag[2][]>> = {
  bool: ['BOOL'],
  int: ['INT', 'UINT32'],
  duration: ['DURATION'],
  count: ['COUNT'],
  choice: ['STRING'],
  string: ['STRING', 'IDENT'],
  connection: ['STRING'],
  size: ['INT'],
};

/** Everything in which a documented flag is another one here. */
function differences([name, short, type, standard, commands]: DocumentedFlag): string[] {
  const built = commands.filter((command) => !NOT_BUILT.includes(command));
  if (built.length === 0) return [];
  if (!Object.hasOwn(FLAGS, name)) return built.map((command) => `${name}: ${command}`);
  const flag = flagNamed(name as FlagName);
  const found = built
    .filter((command) => !flag.commands.includes(command as CommandName))
    .map((command) => `${name}: ${command}`);
  if (!SAME_TYPE[flag.type].includes(type)) found.push(`${name}: type`);
  if ((flag.short ?? null) !== short) found.push(`${name}: short form`);
  if (flag.default !== standard) {
    found.push(built.includes('preflight') ? `${name}: default of preflight` : `${name}: default`);
  }
  return found;
}

test('every documented flag is here with its type, default, short form and commands; what differs is listed with its reason', () => {
  const found = DOCUMENTED_FLAGS.flatMap(differences);
  assert.deepEqual(found.toSorted(), Object.keys(DIFFERENCES).sort());
});

test('the documented table is whole', () => {
  const of = (command: string) => DOCUMENTED_FLAGS.filter(([, , , , commands]) => commands.includes(command as never));
  assert.deepEqual(
    ['pglogical', 'mylogical', 'oraclelogminer', 'start', 'make-jwt'].map((command) => [command, of(command).length]),
    [
      ['pglogical', 56],
      ['mylogical', 52],
      ['oraclelogminer', 58],
      ['start', 64],
      ['make-jwt', 4],
    ],
  );
});
