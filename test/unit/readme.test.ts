import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { OTHER_VARIABLES, variableOf } from '../../src/config/environment.ts';
import { type CommandName, FLAGS } from '../../src/config/flags.ts';
import { allCodes } from '../../src/explanations/table.ts';
import { definitions } from '../../src/metrics/names.ts';
import { readSetupFile } from '../../src/wizard/setup-file.ts';
import { withTroubleshooting } from '../readme/troubleshooting.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Fenced code, by the language after the fence ('' for commands), lines that end in a backslash joined. */
const BLOCKS = Array.from(README.matchAll(/^ *```(\w*)\n(.*?)^ *```$/gms), ([, language, text]) => ({
  language,
  text: text.replaceAll(/ *\\\n */g, ' '),
}));
const COMMANDS = BLOCKS.filter(({ language }) => language === '').flatMap(({ text }) => text.trim().split('\n'));
const SPANS = Array.from(README.replaceAll(/^ *```.*?^ *```$/gms, '').matchAll(/`([^`\n]+)`/g), ([, text]) => text);
const ENVIRONMENT = {
  SOURCE: 'postgresql://replicator:secret@source/shop',
  SOURCE_PDB: 'oracle://replicator:secret@source/pdb',
  TARGET: 'postgresql://replicator:secret@target/defaultdb',
};

/** The words of a command of ours, variables filled in as a shell would. */
function words(command: string): string[] {
  const filled = command.replaceAll(/\$([A-Z_]+)/g, (_, name: keyof typeof ENVIRONMENT) => ENVIRONMENT[name]);
  return filled.trim().split(/ +/);
}

test('the section on trouble is what the table of codes says: npm run readme', () => {
  assert.equal(README, withTroubleshooting(README));
});

test('every code that the text mentions is in that list', () => {
  const codes = new Set(allCodes());
  const mentioned = SPANS.filter((span) =>
    /^(PG|MYSQL(?!_PWD)|ORACLE|SCRIPT|TARGET|STAGING|APPLY|LEASE|DLQ|DEMO)_[A-Z_]+$/.test(span),
  );
  for (const code of mentioned) assert(codes.has(code), code);
});

test('every flag, variable and metric that the README names exists', () => {
  const texts = [...SPANS, ...COMMANDS].filter((text) => !/\b(npm|psql) /.test(text));
  const flags = texts.flatMap((text) => text.match(/(?<=(?:^|\s))--[a-zA-Z-]+/g) ?? []);
  assert(flags.length > 20);
  const ofTheBench = ['--markdown'];
  for (const flag of flags) assert(flag.slice(2) in FLAGS || ofTheBench.includes(flag), flag);

  const ofTheTests = ['INSTAR_SEED', 'INSTAR_SOAK', 'INSTAR_PICTURES', 'INSTAR_CAPTURES'];
  const variables = new Set([...Object.keys(FLAGS).map(variableOf), ...OTHER_VARIABLES, ...ofTheTests]);
  for (const [variable] of README.matchAll(/\bINSTAR_[A-Z_]+/g)) assert(variables.has(variable), variable);

  const metrics = texts.filter((text) => /^(instar|apply|retry|source|target|core)_[a-z_]+$/.test(text));
  assert(metrics.length > 5);
  for (const metric of metrics) assert(metric in definitions, metric);
});

test('the first commands are the documented ones to the letter, and the resumes leave the first-run flags out', () => {
  const first = {
    pglogical: `replicator pglogical --sourceConn $SOURCE --targetConn $TARGET --targetSchema defaultdb.public --slotName molt_slot \\
  --stagingSchema _replicator --stagingCreateSchema --metricsAddr :30005 --verbose
`,
    mylogical: `replicator mylogical --sourceConn $SOURCE --targetConn $TARGET --targetSchema defaultdb.public --defaultGTIDSet 77263736-7899-11f0-81a5-0242ac120002:1-38 \\
  --stagingSchema _replicator --stagingCreateSchema --metricsAddr :30005 --userscript table_filter.ts --verbose
`,
    oraclelogminer: `replicator oraclelogminer --sourceConn $SOURCE --sourcePDBConn $SOURCE_PDB --targetConn $TARGET --sourceSchema MIGRATION_SCHEMA --targetSchema defaultdb.public \\
  --backfillFromSCN 26685444 --scn 26685786 --stagingSchema _replicator --stagingCreateSchema --metricsAddr :30005 --userscript table_filter.ts --verbose
`,
  };
  const kept = {
    pglogical: ['slotName', 'sourceConn', 'stagingSchema', 'targetConn'],
    mylogical: ['sourceConn', 'stagingSchema', 'targetConn', 'userscript'],
    oraclelogminer: ['sourceConn', 'sourcePDBConn', 'sourceSchema', 'stagingSchema', 'targetConn', 'userscript'],
  };
  for (const kind of ['pglogical', 'mylogical', 'oraclelogminer'] as const) {
    assert(README.includes(first[kind]));
    const given = COMMANDS.filter((line) => line.startsWith(`replicator ${kind} --sourceConn`)).map((line) => {
      const [, command, ...args] = words(line);
      return parseCommandLine(command as typeof kind, args, {});
    });
    assert.equal(given.length, 2);
    const [{ settings, warnings }, resume] = given;
    assert.deepEqual(
      [settings.targetSchema, settings.stagingCreateSchema, settings.metricsAddr, settings.verbose],
      ['defaultdb.public', true, ':30005', 1],
    );
    assert.deepEqual([...warnings, ...resume.warnings], []);
    assert.deepEqual([...resume.given].sort(), kept[kind]);
    const [once, again] = [settings, resume.settings] as Readonly<Record<string, unknown>>[];
    for (const name of resume.given) assert.equal(again[name], once[name]);
  }
});

test('the configuration file of the README is accepted and says what the resume command says', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'instar-readme-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { text } = BLOCKS.find((block) => block.language === 'yaml' && block.text.includes('sourceConn'))!;
  const [line] = COMMANDS.filter((command) => command.includes('--config'));
  const [, , ...args] = words(line);
  const file = join(folder, args[1]);
  writeFileSync(file, text, { mode: 0o600 });
  const { settings } = parseCommandLine('pglogical', [args[0], file], ENVIRONMENT);
  assert.equal(settings.sourceConn, ENVIRONMENT.SOURCE);
  assert.deepEqual([settings.slotName, settings.stagingSchema], ['molt_slot', '_replicator']);
});

test('the answers of the README are accepted, and the commands around them are commands', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'instar-readme-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { text } = BLOCKS.find((block) => block.language === 'yaml' && block.text.startsWith('name:'))!;
  const file = join(folder, 'answers.yaml');
  writeFileSync(file, text);
  assert.equal(readSetupFile(file).answers.slot?.name, 'molt_slot');
  const oracle = BLOCKS.find((block) => block.language === 'yaml' && block.text.startsWith('sourceSchema:'))!;
  const common = text.split('\n').filter((line) => /^(name|source|target|targetSchema):/.test(line));
  writeFileSync(file, [...common, oracle.text].join('\n'));
  const { answers } = readSetupFile(file, { SOURCE: 'oracle://C%23%23REPLICATOR@host:1521/ORCLCDB?pdb=ORCLPDB1' });
  assert.deepEqual([answers.kind, answers.startScn, answers.backfillScn], ['oraclelogminer', '26685786', '26685444']);
  const lines = COMMANDS.filter((line) => /^instar (setup|edit|preflight|status|stop|resume|list|watch)/.test(line));
  assert.equal(lines.length, 10);
  for (const line of lines) {
    const [, command, ...args] = words(line);
    parseCommandLine(command as CommandName, args, {});
  }
});

test('scripts, files and links of the README are there', () => {
  for (const [, script] of README.matchAll(/npm run ([\w:]+)/g)) assert(script in PACKAGE.scripts, script);
  for (const [, version] of README.matchAll(/instar-(\d[\d.]*\d)\.tgz/g)) assert.equal(version, PACKAGE.version);
  const paths = SPANS.filter((span) => /^(src|test|assets|\.ci)\/\S+$/.test(span));
  const anchors = new Set(
    Array.from(
      README.matchAll(/^#+ (.+)$/gm),
      ([, heading]) =>
        `#${heading
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-')}`,
    ),
  );
  for (const [, link] of README.matchAll(/\]\(([^)]+)\)/g)) {
    if (link.startsWith('#')) assert(anchors.has(link), link);
    else paths.push(link);
  }
  for (const path of paths) assert(existsSync(join(ROOT, path)), path);
});
