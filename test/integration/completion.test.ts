import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ARGUMENTS, type CommandName, FLAGS, type FlagName, flagNamed, flagsOf } from '../../src/config/flags.ts';
import { allCodes } from '../../src/explanations/table.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { startProgram } from '../harness/pseudo-terminal.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const COMMANDS = [...new Set(Object.values(FLAGS).flatMap(({ commands }) => commands as readonly CommandName[]))];
const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];
const present = (shell: Shell) => spawnSync(shell, ['--version']).status === 0;
const missing = (shell: Shell) => (present(shell) ? false : `there is no ${shell} here`);

/** A home with three saved replications, where the settings of the user's system are, in a folder with a blank in its name. */
const home = join(scratchDirectory('completion'), 'my home');
mkdirSync(home);
const env = { PATH: process.env.PATH, HOME: home, LC_ALL: 'C.UTF-8', TERM: 'xterm' };
const store = ReplicationStore.open(env);
for (const name of ['shop', 'shelf', 'stock.v2']) {
  const answers = { kind: 'pglogical' as const };
  store.save({ name, created: new Date().toISOString(), made: [], answers });
}
writeFileSync(join(home, 'script one.ts'), '');

const files = Object.fromEntries(
  SHELLS.map((shell) => {
    const { status, stdout } = spawnSync(process.execPath, [CLI, 'completion', shell], { encoding: 'utf8' });
    assert.equal(status, 0);
    const path = join(home, `completion.${shell}`);
    writeFileSync(path, stdout);
    return [shell, path];
  }),
);

/** What bash offers for the last of the words, with `=` as a word of its own, as bash takes a line apart. */
function inBash(words: readonly string[], environment: NodeJS.ProcessEnv = env): string[] {
  const script = `. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _instar; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', files.bash, ...words], {
    encoding: 'utf8',
    cwd: home,
    env: environment,
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

/** What fish offers for the end of a line, without the explanations. */
function inFish(lines: readonly string[], environment: NodeJS.ProcessEnv = env): string[][] {
  const asks = lines.map((line) => `complete -C '${line}'; echo ---`).join('\n');
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `source $argv[1]\n${asks}`, files.fish], {
    encoding: 'utf8',
    cwd: home,
    env: environment,
  });
  assert.equal(stderr, '');
  return stdout
    .split('---\n')
    .slice(0, -1)
    .map((block) => block.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]])));
}

/** The flags of a command that do something, as they are typed. */
function flagsShown(command: CommandName): string[] {
  return flagsOf(command)
    .filter((name) => flagNamed(name).effect === undefined)
    .map((name) => `--${name}`);
}

test('bash: the commands, and the flags of each that have an effect', () => {
  assert.deepEqual(inBash(['instar', '']).sort(), [...COMMANDS, 'help'].sort());
  assert.deepEqual(inBash(['replicator', 'my']), ['mylogical']);
  for (const command of COMMANDS) assert.deepEqual(inBash(['replicator', command, '--']), flagsShown(command), command);
});

test('bash: the values of every flag with choices, files and directories, and nothing where nothing can be known', () => {
  for (const name of Object.keys(FLAGS) as FlagName[]) {
    const flag = flagNamed(name);
    if (flag.effect !== undefined) continue;
    const [command] = flag.commands;
    if (flag.type === 'choice') {
      assert.deepEqual(inBash(['instar', command, `--${name}`, '']), [...flag.choices], name);
      const begun = flag.choices[0].slice(0, 2);
      const fitting = flag.choices.filter((choice) => choice.startsWith(begun));
      assert.deepEqual(inBash(['instar', command, `--${name}`, '=', begun]), fitting, name);
    }
    if (flag.type === 'connection' || flag.type === 'duration') {
      assert.deepEqual(inBash(['instar', command, `--${name}`, '']), [], name);
    }
  }
  assert.deepEqual(inBash(['instar', 'pglogical', '--userscript', 'scr']), ['script one.ts']);
  assert.deepEqual(inBash(['instar', 'pglogical', '--dataDir', '']), ['.config']);
  assert.deepEqual(inBash(['instar', 'userscript', '']), ['check']);
  assert.deepEqual(inBash(['instar', 'userscript', 'check', 's']), ['script one.ts']);
  assert.deepEqual(inBash(['instar', 'completion', '']), [...SHELLS]);
  assert.deepEqual(inBash(['instar', 'watch', 'scr']), ['script one.ts']);
});

test('bash: explain knows every code and symptom, and behind it the saved replications', () => {
  assert.deepEqual(inBash(['instar', 'explain', '']), allCodes());
  assert.deepEqual(inBash(['instar', 'explain', 'PG_SLOT_L']), ['PG_SLOT_LOST']);
  assert.deepEqual(inBash(['instar', 'explain', 'PG_SLOT_LOST', 'sh']), ['shelf', 'shop']);
});

test('bash: the saved replications are read when they are asked for, wherever they are kept', () => {
  for (const [command, argument] of Object.entries(ARGUMENTS)) {
    const names = argument.name.startsWith('NAME') ? ['shelf', 'shop'] : [];
    assert.deepEqual(inBash(['instar', command, 'sh']), names, command);
  }
  assert.deepEqual(inBash(['instar', 'resume', '--headless', '']).length, 3);
  assert.deepEqual(inBash(['instar', 'status', '--interval', '2s', 'st']), ['stock.v2']);
  assert.deepEqual(inBash(['instar', 'resume', 'shop', '']), []);
  const elsewhere = join(home, 'else where');
  const moved = { ...env, INSTAR_HOME: elsewhere };
  assert.deepEqual(inBash(['instar', 'resume', ''], moved), []);
  ReplicationStore.open(moved).save({
    name: 'other',
    created: new Date().toISOString(),
    made: [],
    answers: { kind: 'pglogical' },
  });
  assert.deepEqual(inBash(['instar', 'resume', ''], moved), ['other']);
});

test('bash in a terminal: the tab key completes', async (t) => {
  const terminal = startProgram(t, 'bash', ['--norc', '--noprofile', '-i'], { env: { ...env, PS1: '> ' }, cwd: home });
  terminal.type(`. ${JSON.stringify(files.bash)}\r`);
  terminal.type('clear\r');
  await terminal.waitFor(/^>$/m);
  terminal.type('replicator pglog\t--trunc\tign\t--userscript scr\t');
  await terminal.waitFor('replicator pglogical --truncate ignore --userscript script\\ one.ts');
  terminal.type('\x15instar resume sto\t');
  await terminal.waitFor('instar resume stock.v2');
  terminal.type('\x15instar explain PG_SLOT_L\tsto\t');
  await terminal.waitFor('instar explain PG_SLOT_LOST stock.v2');
});

test('fish: commands, flags, choices, saved replications, files', { skip: missing('fish') }, () => {
  const [commands, flags, choices, names, given, check, script, shells, help, codes, code, about, watched] = inFish([
    'instar ',
    'replicator pglogical --',
    'instar pglogical --truncate ',
    'instar resume s',
    'instar resume shop s',
    'instar userscript ',
    'instar userscript check scr',
    'instar completion ',
    'instar help my',
    'instar explain ',
    'instar explain PG_SLOT_L',
    'instar explain PG_SLOT_LOST sh',
    'instar watch scr',
  ]);
  assert.deepEqual(commands.sort(), [...COMMANDS, 'help'].sort());
  assert.deepEqual(flags.sort(), flagsShown('pglogical').sort());
  assert.deepEqual(choices.sort(), ['apply', 'error', 'ignore']);
  assert.deepEqual(names.sort(), ['shelf', 'shop', 'stock.v2']);
  assert.deepEqual(given, []);
  assert.deepEqual(check, ['check']);
  assert.deepEqual(script, ['script one.ts']);
  assert.deepEqual(shells.sort(), [...SHELLS].sort());
  assert.deepEqual(help, ['mylogical']);
  assert.deepEqual(codes.sort(), allCodes().toSorted());
  assert.deepEqual(code, ['PG_SLOT_LOST']);
  assert.deepEqual(about.sort(), ['shelf', 'shop']);
  assert.deepEqual(watched, ['script one.ts']);
  assert.deepEqual(inFish(['instar stop o'], { ...env, INSTAR_HOME: join(home, 'else where') }), [['other']]);
});

test('zsh in a terminal: commands, flags, choices, saved replications, files', { skip: missing('zsh') }, async (t) => {
  const terminal = startProgram(t, 'zsh', ['-f', '-i'], { env: { ...env, PS1: '> ' }, cwd: home, columns: 120 });
  terminal.type(`autoload -Uz compinit; compinit -u; . ${JSON.stringify(files.zsh)}; clear\r`);
  await terminal.waitFor(/^>$/m);
  terminal.type('replicator pglog\t--trunc\tign\t--userscript scr\t');
  await terminal.waitFor(/replicator pglogical --truncate[= ]ignore --userscript script\\ one\.ts/);
  terminal.type('\x15instar resume sto\t');
  await terminal.waitFor('instar resume stock.v2');
  terminal.type('\x15instar userscript ch\tscr\t');
  await terminal.waitFor('instar userscript check script\\ one.ts');
  terminal.type('\x15instar explain PG_SLOT_L\tsto\t');
  await terminal.waitFor('instar explain PG_SLOT_LOST stock.v2');
  terminal.type('\x15instar preflight --json \t\t');
  await terminal.waitFor(/shelf +shop +stock\.v2/);
});

test('an unknown shell is told which there are', () => {
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'completion', 'bsh'], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /completions for bash, zsh, fish, not for "bsh"; did you mean bash\?/);
});
