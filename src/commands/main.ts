import { VERSION } from '../config/build.ts';
import type { CommandName } from '../config/flags.ts';
import { beside, flagHelp } from '../config/help.ts';
import { didYouMean } from '../config/nearest.ts';
import { mask } from '../config/secrets.ts';
import { UsageError } from '../errors.ts';
import { errorText } from '../log/log-error.ts';
import type { Command, CommandContext } from './command.ts';

interface Entry {
  readonly summary: string;
  /** The name under which the table of flags knows the command; absent when it takes none. */
  readonly flags?: CommandName;
  load(): Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  pglogical: {
    summary: 'Replicate a PostgreSQL database by logical replication',
    flags: 'pglogical',
    load: () => import('./pglogical.ts'),
  },
  demo: {
    summary: 'Watch a replication between two PostgreSQL servers that it starts itself',
    flags: 'demo',
    load: () => import('./demo.ts'),
  },
  version: { summary: 'Print versions', load: () => import('./version.ts') },
};

/**
 * Runs the command that `context.args` begins with; resolves to the exit status: 0 as asked, 1 failure, 2 wrong usage.
 * Never rejects.
 */
export async function main(context: CommandContext): Promise<number> {
  const [name, ...args] = context.args;
  try {
    if (name === undefined || /^(help|-h|--help)$/.test(name)) {
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
    context.stderr.write(`${context.program}: ${errorText(error)}\n`);
    if (!(error instanceof UsageError)) return 1;
    const topic = name !== undefined && Object.hasOwn(COMMANDS, name) ? `${name} ` : '';
    context.stderr.write(`Run "${context.program} ${topic}--help" for the flags.\n`);
    return 2;
  }
}

function unknownCommand(name: string): UsageError {
  if (name.startsWith('-')) return new UsageError('the command must come first, before any flag');
  return new UsageError(`unknown command ${JSON.stringify(mask(name))}${didYouMean(name, Object.keys(COMMANDS))}`);
}

function overview(program: string): string {
  const commands = Object.entries(COMMANDS).map(([name, { summary }]) => beside(`  ${name}`, summary, 14));
  return `Instar ${VERSION} keeps a CockroachDB or PostgreSQL database in step with a live one.

Usage: ${program} COMMAND [flags]

Commands:
${commands.join('\n')}

${examples(program)}

"${program} COMMAND --help" explains the flags of a command.
`;
}

function commandHelp(program: string, name: string): string {
  const { summary, flags } = COMMANDS[name];
  if (flags === undefined) return `${summary}.\n\nUsage: ${program} ${name}\n`;
  const settings =
    flags === 'pglogical'
      ? `\n${examples(program)}

A flag may also be set by the environment (INSTAR_SOURCE_CONN for --sourceConn)
or in the --config file (sourceConn: $SOURCE). The command line wins.
TIME is 500ms, 1.5s or 1h2m3s; SIZE is 64MiB or a number of bytes.
`
      : '';
  return `${summary}.\n\nUsage: ${program} ${name} [flags]\n${settings}\n${flagHelp(flags)}\n`;
}

function examples(program: string): string {
  return `First run:
  ${program} pglogical --sourceConn $SOURCE --targetConn $TARGET \\
    --targetSchema defaultdb.public --slotName molt_slot \\
    --stagingSchema _replicator --stagingCreateSchema --metricsAddr :30005

Resume after any stop:
  ${program} pglogical --sourceConn $SOURCE --targetConn $TARGET \\
    --slotName molt_slot --stagingSchema _replicator`;
}
