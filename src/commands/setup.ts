import { parseCommandLine } from '../config/command-line.ts';
import { mask } from '../config/secrets.ts';
import { shellWord } from '../config/shell-word.ts';
import { type CheckResult, isReady } from '../preflight/check.ts';
import { type Places, reportJson, reportText } from '../preflight/check-report.ts';
import type { LaunchStep } from '../sessions/launch.ts';
import type { Answers, Replication } from '../sessions/replication.ts';
import { SecretsFile } from '../sessions/secrets.ts';
import { ReplicationStore } from '../sessions/store.ts';
import { answersOf, checkServers, launchFile, refuseLaunched } from '../wizard/headless-setup.ts';
import { launchPlan, planText } from '../wizard/plan.ts';
import { readSetupFile } from '../wizard/setup-file.ts';
import type { CommandContext } from './command.ts';

/**
 * `instar setup --file answers.yaml`: the wizard's setup without a terminal. Looks at both servers and shows what a launch
 * would create; with `--yes` it launches when nothing stands in the way. 0: launched, or ready to be; 1: something stands in
 * the way, and nothing was created.
 */
export async function run({ args, env, stdout, stderr }: CommandContext): Promise<number> {
  const { settings } = parseCommandLine('setup', args, env);
  const { json, yes } = settings;
  const file = readSetupFile(settings.file, env);
  const store = ReplicationStore.open(env);
  refuseLaunched(store.get(file.name));
  const answers = await answersOf(file, env);
  const results = await checkServers(file, answers, env);
  const ready = isReady(results);
  const places = { source: answers.source?.display ?? '', target: answers.target?.display ?? '' };
  if (!json) stdout.write(mask(reportText(results, places)));
  if (!yes || !ready) {
    if (json) stdout.write(mask(planJson(file.name, answers, results, places)));
    else if (ready) stdout.write(mask(`\n${planText(answers, scriptEffectsIn(results)).join('\n')}\n\n`));
    stderr.write(
      ready
        ? `Nothing was created. To launch: instar setup --file ${shellWord(settings.file)} --yes\n`
        : 'Nothing was created: put right first what is marked FAILED.\n',
    );
    return ready ? 0 : 1;
  }
  const saved = { store, secrets: SecretsFile.open(env), env };
  const replication = await launchFile(file, answers, saved, (step) => {
    if (step.state !== 'running') stderr.write(`${mask(stepLine(step))}\n`);
  });
  stdout.write(json ? launchedJson(replication) : `\n${launchedText(replication)}`);
  return 0;
}

function planJson(name: string, answers: Answers, results: readonly CheckResult[], places: Places): string {
  const { things, undo, start, resume } = launchPlan(answers);
  const report = JSON.parse(reportJson(results, places)) as object;
  return asJson({ name, launched: false, ...report, plan: { things, undo, start, resume } });
}

/** What the checks have found out about the userscript. */
function scriptEffectsIn(results: readonly CheckResult[]): string[] {
  return results.flatMap(({ id, found }) => (id === 'target.userscript' ? found.split('; ') : []));
}

function stepLine({ title, state, found }: LaunchStep): string {
  const words = { running: 'begins', passed: 'ok', skipped: 'ok', failed: 'FAILED' };
  return `  ${words[state].padEnd(8)} ${title}${found === undefined ? '' : `: ${found}`}`;
}

function launchedText({ name, run }: Replication): string {
  return `${name} replicates.
  Endpoints: http://${run?.metricsAddr}/_/varz
  Log:       ${run?.logFile}
  Look:      instar status ${name}
  Stop:      instar stop ${name}
  Resume:    instar resume ${name}
`;
}

function launchedJson({ name, run, made }: Replication): string {
  return asJson({
    name,
    launched: true,
    pid: run?.pid ?? null,
    metrics: run === undefined ? null : `http://${run.metricsAddr}/_/varz`,
    log: run?.logFile ?? null,
    made,
  });
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
