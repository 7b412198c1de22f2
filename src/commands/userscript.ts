import { parseCommandLine } from '../config/command-line.ts';
import { UsageError } from '../errors.ts';
import { errorText } from '../log/log-error.ts';
import type { Logger } from '../log/logger.ts';
import { typeErrors } from '../userscript/check-types.ts';
import { describeScript, type ScriptDescription, scriptEffects } from '../userscript/describe-script.ts';
import { readSamples, type SampleOutcome, trySamples } from '../userscript/sample-rows.ts';
import type { CommandContext } from './command.ts';

/**
 * `instar userscript check FILE`: compiles a userscript, checks its types, loads it in its sandbox, and with `--rows` runs it on
 * sample rows and shows what would be written. 0: it can be used; 1: it cannot.
 */
export async function run({ args, env, stdout }: CommandContext): Promise<number> {
  const [verb, ...rest] = args;
  if (verb !== 'check') {
    throw new UsageError('userscript knows one thing to do: check', { fix: 'instar userscript check table_filter.ts' });
  }
  const { settings, argument = '' } = parseCommandLine('userscript', rest, env);
  const samples = settings.rows === undefined ? [] : readSamples(settings.rows);
  const described = await describeScript(argument);
  const types = described.errors.length === 0 ? await typeErrors(argument) : [];
  const said: string[] = [];
  let outcomes: SampleOutcome[] = [];
  if (described.errors.length === 0 && samples.length > 0) {
    outcomes = await trySamples(argument, settings.userscriptTimeout, samples, teller(said));
  }
  const errors = [...described.errors, ...outcomes.flatMap(({ error }) => error ?? [])];
  const fine = errors.length === 0 && (types ?? []).length === 0;
  if (settings.json) {
    const told = errors.map(({ code, message, fix }) => ({ code, message, fix: fix ?? null }));
    const tried = outcomes.map(({ sample, changes, error }) => ({ ...sample, changes, error: error?.message ?? null }));
    const { schemas, tables } = described;
    const report = {
      file: argument,
      fine,
      schemas,
      tables,
      types: types ?? null,
      errors: told,
      rows: tried,
      console: said,
    };
    stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else {
    stdout.write(`${reportLines(argument, described, types, outcomes, said).join('\n')}\n`);
  }
  return fine ? 0 : 1;
}

function reportLines(
  path: string,
  description: ScriptDescription,
  types: readonly string[] | undefined,
  outcomes: readonly SampleOutcome[],
  said: readonly string[],
): string[] {
  if (description.errors.length > 0) return description.errors.map((error) => errorText(error));
  const lines = [`${path} can be loaded.`, ...scriptEffects(description).map((effect) => `  ${effect}`)];
  if (types === undefined) {
    lines.push('Types were not checked: the package typescript is not installed (npm install typescript).');
  } else if (types.length > 0) lines.push(`${types.length} type errors:`, ...types.map((line) => `  ${line}`));
  else lines.push('No type errors.');
  for (const { sample, changes, error } of outcomes) {
    lines.push(`${sample.action} ${sample.table} ${JSON.stringify(sample.row)}`);
    if (error !== undefined)
      lines.push(
        ...errorText(error)
          .split('\n')
          .map((line) => `  ${line}`),
      );
    else if (changes.length === 0) lines.push('  is left out');
    for (const { table, action, row, onWrite } of changes) {
      const to = onWrite ? `to onWrite, not run here: ${action} ${table}` : `${action} ${table}`;
      lines.push(`  ${to} ${JSON.stringify(row)}`);
    }
  }
  if (said.length > 0) lines.push('console:', ...said.map((line) => `  ${line}`));
  return lines;
}

/** Keeps what the script says, all levels alike. */
function teller(lines: string[]): Logger {
  const say = (level: string) => (message: string) => {
    lines.push(`${level}: ${message}`);
  };
  return {
    enabled: () => false,
    error: say('error'),
    warn: say('warning'),
    info: say('info'),
    debug: say('debug'),
    trace: say('trace'),
  };
}
