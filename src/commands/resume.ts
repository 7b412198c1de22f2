import { parseCommandLine } from '../config/command-line.ts';
import type { Verdict } from '../preflight/resume.ts';
import type { Replication } from '../sessions/replication.ts';
import { resume } from '../sessions/resume.ts';
import { SecretsFile } from '../sessions/secrets.ts';
import { ReplicationStore } from '../sessions/store.ts';
import { isInteractive } from '../terminal/interactive.ts';
import type { CommandContext } from './command.ts';
import { chosen } from './chosen.ts';

/**
 * `instar resume [NAME]`: looks whether it is safe to go on where a replication stopped, and goes on if it is; without a name
 * with the one used last. With a terminal the dashboard opens. 0: it runs, or with --dry-run it is safe; 1: it is not safe.
 */
export async function run(context: CommandContext): Promise<number> {
  const { settings, argument } = parseCommandLine('resume', context.args, context.env);
  const { env, stdout, stderr } = context;
  const store = ReplicationStore.open(env);
  const { name } = chosen(store, argument);
  const drawn = !settings.headless && !settings.dryRun && !settings.json && !settings.acceptTables;
  const { stdin } = process;
  if (drawn && stdout === process.stdout && isInteractive({ stdin, stdout: process.stdout, env })) {
    const { openApp } = await import('../wizard/open-app.tsx');
    return await openApp(context, { resume: name });
  }
  const report = settings.json ? undefined : (line: string) => stderr.write(`${line}\n`);
  const result = await resume(name, {
    store,
    secrets: SecretsFile.open(env),
    env,
    dryRun: settings.dryRun,
    acceptTables: settings.acceptTables,
    report,
  });
  stdout.write(settings.json ? asJson(name, result) : asText(name, result, settings.dryRun));
  return result.verdict?.safe === false ? 1 : 0;
}

interface Result {
  readonly verdict: Verdict | undefined;
  readonly replication?: Replication;
}

function asText(name: string, { verdict, replication }: Result, dryRun: boolean): string {
  if (verdict === undefined) return `${name} runs already; watch it: instar status ${name}\n`;
  const lines: string[] = [...verdict.lines];
  for (const { state, title, found, fix } of verdict.findings.filter((each) => each.state === 'failed')) {
    lines.push(`${state}: ${title}: ${found}`, ...(fix?.text.split('\n').map((line) => `    ${line}`) ?? []));
  }
  for (const { label, text } of verdict.waysOut) {
    lines.push(`way out: ${label}`, ...text.split('\n').map((line) => `    ${line}`));
  }
  if (replication?.run !== undefined) {
    lines.push(`${name} runs: process ${replication.run.pid}, http://${replication.run.metricsAddr}/_/varz`);
  } else if (!verdict.safe) lines.push('Nothing was started.');
  else if (dryRun) lines.push('Nothing was started: --dry-run.');
  return `${lines.join('\n')}\n`;
}

function asJson(name: string, { verdict, replication }: Result): string {
  const run = replication?.run;
  const facts = {
    name,
    running: verdict === undefined || run !== undefined,
    pid: run?.pid ?? null,
    metrics: run === undefined ? null : `http://${run.metricsAddr}/_/varz`,
    ...(verdict ?? { safe: true, findings: [], lines: [`${name} runs already`], waysOut: [] }),
  };
  return `${JSON.stringify(facts, undefined, 2)}\n`;
}
