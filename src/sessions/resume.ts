import { join } from 'node:path';
import { type ResumeFacts, resumeVerdict, type Verdict } from '../preflight/resume.ts';
import { describeConnections } from './connections.ts';
import { type Saved, startEngine } from './engine-child.ts';
import { stateFolder } from './folder.ts';
import type { Ending, Replication } from './replication.ts';
import { kitOf } from './source-kits.ts';
import { stagingSchemaOf } from './staging-facts.ts';
import { settleEnding, stateOf } from './state.ts';

export interface ResumeResult {
  /** Undefined when the engine runs: there is nothing to judge. */
  readonly verdict: Verdict | undefined;
  /** The replication that runs now; undefined when it was not safe, or with `dryRun`. */
  readonly replication?: Replication;
}

/**
 * Goes on with a replication where it stopped: attaches when its engine still runs, else looks whether that is safe and starts
 * the engine if it is. With `dryRun` nothing is started.
 * @throws OperatorError SESSION_MISSING, and those of connections and engine. What stands in the way is in the verdict.
 */
export async function resume(
  name: string,
  saved: Saved & {
    readonly dryRun?: boolean;
    /** Goes on without tables that are published no more. */
    readonly acceptTables?: boolean;
    readonly report?: (line: string) => void;
  },
): Promise<ResumeResult> {
  const { store, env, dryRun = false, acceptTables = false, report = () => {} } = saved;
  const found = store.get(name);
  if (found === undefined) throw store.missing(name);
  if (stateOf(found) === 'running') return { verdict: undefined, ...(!dryRun && { replication: found }) };
  const replication = settleEnding(found, store);
  const connections = describeConnections(replication, saved);
  const verdict = await resumeVerdict(factsOf(replication, env, acceptTables), connections, report);
  // Another process may have resumed it meanwhile, which is what the verdict would then complain of.
  const now = store.get(name);
  if (now !== undefined && stateOf(now) === 'running')
    return { verdict: undefined, ...(!dryRun && { replication: now }) };
  if (!verdict.safe || dryRun) return { verdict };
  report('starting the engine');
  await startEngine(replication, saved);
  const { answers } = replication;
  const facts = await kitOf(answers.kind)
    .readSent(connections.source, answers)
    .catch(() => undefined);
  if (facts === undefined) return { verdict, replication: store.get(name) };
  return { verdict, replication: store.update(name, (before) => ({ ...before, facts })) };
}

function factsOf(replication: Replication, env: NodeJS.ProcessEnv, acceptTables: boolean): ResumeFacts {
  const { name, answers, facts, replicated = false, run, ending, seen } = replication;
  return {
    name,
    wishes: kitOf(answers.kind).wishes(answers, true),
    targetSchema: answers.targetSchema ?? 'public',
    stagingSchema: stagingSchemaOf(replication),
    tables: facts?.tables,
    leftOut: facts?.leftOut,
    acceptTables,
    replicated,
    lastStart: run?.started,
    lastEnd: ending === undefined ? undefined : { at: ending.at, why: reason(ending) },
    bytesPerSecond: seen?.bytesPerSecond,
    transactionsPerSecond: seen?.transactionsPerSecond,
    dataDir: join(stateFolder(env), 'logs', `${name}-data`),
  };
}

/** Why a run ended, for people. */
export function reason({ how, code, message }: Ending): string {
  switch (how) {
    case 'stopped':
      return 'it was stopped';
    case 'killed':
      return 'it vanished without a word (kill -9, or the machine went down)';
    case 'failed':
      return `it failed${code === undefined ? '' : ` with ${code}`}${message === undefined ? '' : `: ${message}`}`;
  }
}
