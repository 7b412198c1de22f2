import { FLAGS, type FlagName, flagNamed } from '../config/flags.ts';
import { MASK } from '../config/secrets.ts';
import { parseValue, type SettingValue, type Settings, toArguments } from '../config/settings.ts';
import { shellWord } from '../config/shell-word.ts';
import type { Answers, SavedConnection, SourceKind } from '../sessions/replication.ts';
import type { FlagValues } from '../sessions/source-kit.ts';
import { kitOf } from '../sessions/source-kits.ts';

/** What an operator would type to do by hand what the wizard does. No secret is in it. */
export interface EquivalentCommands {
  /** What the variables in the commands have to hold, as comments of the shell. */
  readonly variables: readonly string[];
  readonly start: string;
  readonly resume: string;
}

/** Where the endpoints are in the commands when the wizard chooses a free port: the port of the runbooks. */
const CUSTOMARY_ADDRESS = '127.0.0.1:30005';

/** Lines of a command are folded at flags, so that they can be read in a narrow terminal. */
const WIDTH = 72;

const CONNECTIONS = [
  { flag: 'sourceConn', side: 'source' },
  { flag: 'targetConn', side: 'target' },
  { flag: 'stagingConn', side: 'staging' },
] as const;

/**
 * The commands of the headless engine for these answers: the first start, which creates the staging schema, and every
 * later one. Connections stand as variables of the environment, whichever way they are saved.
 * @throws UsageError when an option does not fit its flag.
 */
export function equivalentCommands(answers: Answers): EquivalentCommands {
  const connections = CONNECTIONS.flatMap(({ flag, side }) => {
    const saved = answers[side];
    return saved === undefined && side === 'staging' ? [] : [{ flag, saved, variable: variable(flag, saved) }];
  });
  const common = connections.map(({ flag, variable }) => `--${flag} "$${variable}"`);
  const { stagingSchema, ...options } = parseOptions({ metricsAddr: CUSTOMARY_ADDRESS, ...answers.options });
  const kit = kitOf(answers.kind);
  const tuning = words(toArguments(kit.kind, options));
  const staging = flagWith('stagingSchema', stagingSchema ?? flagNamed('stagingSchema').default);
  const always = [...flagsWith(kit.flags(answers)), ...staging];
  return {
    variables: connections.map(({ saved, variable }) => `# $${variable}: ${held(saved)}`),
    start: folded(kit.kind, [
      ...common,
      ...flagWith('targetSchema', answers.targetSchema),
      ...flagsWith(kit.firstFlags(answers)),
      ...always,
      '--stagingCreateSchema',
      ...tuning,
    ]),
    resume: folded(kit.kind, [...common, ...always, ...tuning]),
  };
}

/** The values that options stand for. Throws UsageError when one does not fit. */
function parseOptions(options: Readonly<Record<string, string>>): Partial<Settings<SourceKind>> {
  const values: Record<string, SettingValue> = {};
  for (const [name, text] of Object.entries(options)) {
    values[name] = parseValue(flagNamed(name as FlagName), `--${name}`, text);
  }
  return values as Partial<Settings<SourceKind>>;
}

/** The variable that holds a connection, without the dollar sign. */
function variable(flag: (typeof CONNECTIONS)[number]['flag'], saved: SavedConnection | undefined): string {
  return (saved?.reference ?? FLAGS[flag].placeholder).replace(/^\$\{?(\w+)\}?$/, '$1');
}

/** What a variable has to hold, in words. */
function held(saved: SavedConnection | undefined): string {
  if (saved === undefined) return 'the connection string';
  const open = saved.display.replace(`:${MASK}@`, '@');
  return open === saved.display ? open : `${open}, with its password`;
}

function flagWith(name: FlagName, value: SettingValue | null): string[] {
  return value === undefined || value === null ? [] : [`--${name} ${shellWord(String(value))}`];
}

function flagsWith(flags: FlagValues): string[] {
  return flags.flatMap(([name, value]) => flagWith(name, value));
}

/** Flags with their values, each pair as one piece that no line break may part. */
function words(args: readonly string[]): string[] {
  const pieces: string[] = [];
  for (const arg of args) {
    if (arg.startsWith('-')) pieces.push(shellWord(arg));
    else pieces[pieces.length - 1] += ` ${shellWord(arg)}`;
  }
  return pieces;
}

function folded(command: string, pieces: readonly string[]): string {
  const lines: string[] = [];
  let line = `replicator ${command}`;
  for (const piece of pieces) {
    if (`${line} ${piece} \\`.length > WIDTH) {
      lines.push(`${line} \\`);
      line = ` `;
    }
    line += ` ${piece}`;
  }
  return [...lines, line].join('\n');
}
