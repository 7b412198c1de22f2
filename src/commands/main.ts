import { VERSION } from '../config/build.ts';
import { ARGUMENTS, type CommandName } from '../config/flags.ts';
import { beside, flagHelp } from '../config/help.ts';
import { didYouMean } from '../config/nearest.ts';
import { mask } from '../config/secrets.ts';
import { UsageError } from '../errors.ts';
import { errorText, moreLine } from '../log/log-error.ts';
import type { Command, CommandContext } from './command.ts';

interface Entry {
  readonly summary: string;
  /** Heading in the overview. */
  readonly group: 'Saved replications' | 'By flags alone' | 'More';
  /** The name under which the table of flags knows the command. */
  readonly flags: CommandName;
  load(): Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  setup: {
    summary: 'Set a replication up from a file of answers, and launch it',
    group: 'Saved replications',
    flags: 'setup',
    load: () => import('./setup.ts'),
  },
  edit: {
    summary: 'Change connections and options of a replication that was launched',
    group: 'Saved replications',
    flags: 'edit',
    load: () => import('./edit.ts'),
  },
  list: {
    summary: 'List the saved replications and how they are',
    group: 'Saved replications',
    flags: 'list',
    load: () => import('./list.ts'),
  },
  resume: {
    summary: 'Look whether it is safe, then go on where a replication stopped',
    group: 'Saved replications',
    flags: 'resume',
    load: () => import('./resume.ts'),
  },
  status: {
    summary: 'Tell how a replication is doing, once',
    group: 'Saved replications',
    flags: 'status',
    load: () => import('./status.ts'),
  },
  watch: {
    summary: 'Watch any replicator live by its metrics endpoint, or its snapshots later',
    group: 'Saved replications',
    flags: 'watch',
    load: () => import('./watch.ts'),
  },
  stop: {
    summary: 'Stop a replication; what is in hand is applied first',
    group: 'Saved replications',
    flags: 'stop',
    load: () => import('./stop.ts'),
  },
  bundle: {
    summary: 'Pack log, metrics, settings and state into a file for support, without secrets',
    group: 'Saved replications',
    flags: 'bundle',
    load: () => import('./bundle.ts'),
  },
  preflight: {
    summary: 'Check whether source and target are ready, all findings at once',
    group: 'By flags alone',
    flags: 'preflight',
    load: () => import('./preflight.ts'),
  },
  pglogical: {
    summary: 'Replicate a PostgreSQL database by logical replication',
    group: 'By flags alone',
    flags: 'pglogical',
    load: () => import('./pglogical.ts'),
  },
  mylogical: {
    summary: 'Replicate a MySQL or MariaDB database by its binary log',
    group: 'By flags alone',
    flags: 'mylogical',
    load: () => import('./mylogical.ts'),
  },
  oraclelogminer: {
    summary: 'Replicate an Oracle schema by LogMiner',
    group: 'By flags alone',
    flags: 'oraclelogminer',
    load: () => import('./oraclelogminer.ts'),
  },
  demo: {
    summary: 'Watch a replication between two PostgreSQL servers that it starts itself',
    group: 'More',
    flags: 'demo',
    load: () => import('./demo.ts'),
  },
  userscript: {
    summary: 'Check a userscript, and try it on sample rows',
    group: 'More',
    flags: 'userscript',
    load: () => import('./userscript.ts'),
  },
  explain: {
    summary: 'Explain an error code, or list all of them',
    group: 'More',
    flags: 'explain',
    load: () => import('./explain.ts'),
  },
  completion: {
    summary: 'Print the completions of a shell: bash, zsh or fish',
    group: 'More',
    flags: 'completion',
    load: async () => (await import('./completion.ts')).completionCommand(summaries()),
  },
  version: {
    summary: 'Print versions, with the hashes of all modules',
    group: 'More',
    flags: 'version',
    load: () => import('./version.ts'),
  },
};

/**
 * Runs the command that `context.args` begins with; resolves to the exit status: 0 as asked, 1 failure, 2 wrong usage.
 * Never rejects.
 */
export async function main(context: CommandContext): Promise<number> {
  const [name, ...args] = context.args;
  try {
    if (name === undefined) {
      const { run } = await import('./wizard.ts');
      return await run(context, overview(context.program));
    }
    if (/^(help|-h|--help)$/.test(name)) {
      const topic = args.find((word) => Object.hasOwn(COMMANDS, word));
      context.stdout.write(topic === undefined ? overview(context.program) : commandHelp(context.program, topic));
      return 0;
    }
    const command = name === '--version' ? 'version' : name;
    if (!Object.hasOwn(COMMANDS, command)) throw unknownCommand(name);
    if (args.includes('--help') || args.includes('-h')) {
      context.stdout.write(commandHelp(context.program, command));
      return 0;
    }
    const { run } = await COMMANDS[command].load();
    return await run({ ...context, args });
  } catch (error) {
    context.stderr.write(`${context.program}: ${errorText(error)}\n${moreLine(error)}`);
    if (!(error instanceof UsageError)) return 1;
    const topic = name !== undefined && Object.hasOwn(COMMANDS, name) ? `${name} ` : '';
    context.stderr.write(`Run "${context.program} ${topic}--help" for the flags.\n`);
    return 2;
  }
}

/** What each command is for, by its name. */
function summaries(): Map<string, string> {
  return new Map(Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]));
}

function unknownCommand(name: string): UsageError {
  if (name.startsWith('-')) return new UsageError('the command must come first, before any flag');
  return new UsageError(`unknown command ${JSON.stringify(mask(name))}${didYouMean(name, Object.keys(COMMANDS))}`);
}

/** What the program is, and its commands. */
export function overview(program: string): string {
  const groups = Map.groupBy(Object.entries(COMMANDS), ([, { group }]) => group);
  const commands = Array.from(groups, ([group, entries]) => {
    const lines = entries.map(([name, { summary }]) => beside(`  ${name}`, summary, 14));
    return `${group}:\n${lines.join('\n')}`;
  });
  return `Instar ${VERSION} keeps a CockroachDB or PostgreSQL database in step with a live one.

Usage: ${program}                    setup, resume and dashboard in a terminal
       ${program} COMMAND [flags]

${commands.join('\n\n')}

${examples(program, 'pglogical')}

"${program} COMMAND --help" explains the flags of a command.
`;
}

function commandHelp(program: string, name: string): string {
  const { summary, flags } = COMMANDS[name];
  const argument = ARGUMENTS[flags];
  const place = argument === undefined ? '' : argument.required ? ` ${argument.name}` : ` [${argument.name}]`;
  const settings =
    flags === 'pglogical' || flags === 'mylogical' || flags === 'oraclelogminer'
      ? `\n${examples(program, flags)}

A flag may also be set by the environment (INSTAR_SOURCE_CONN for --sourceConn)
or in the --config file (sourceConn: $SOURCE). The command line wins.
TIME is 500ms, 1.5s or 1h2m3s; SIZE is 64MiB or a number of bytes.
`
      : '';
  return `${summary}.\n\nUsage: ${program} ${name}${place} [flags]\n${settings}\n${flagHelp(flags)}\n`;
}

function examples(program: string, command: 'pglogical' | 'mylogical' | 'oraclelogminer'): string {
  const [first, always] = {
    pglogical: [' --slotName molt_slot', ' --slotName molt_slot'],
    mylogical: [' --defaultGTIDSet $GTIDS', ''],
    oraclelogminer: [
      ' --sourcePDBConn $SOURCE_PDB \\\n    --sourceSchema MIGRATION_SCHEMA --scn $SCN --backfillFromSCN $OLDEST',
      ' --sourcePDBConn $SOURCE_PDB --sourceSchema MIGRATION_SCHEMA',
    ],
  }[command];
  return `First run:
  ${program} ${command} --sourceConn $SOURCE --targetConn $TARGET \\
    --targetSchema defaultdb.public${first} \\
    --stagingSchema _replicator --stagingCreateSchema --metricsAddr :30005

Resume after any stop:
  ${program} ${command} --sourceConn $SOURCE --targetConn $TARGET \\
   ${always} --stagingSchema _replicator`;
}
