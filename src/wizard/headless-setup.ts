import { parseConnectionString } from '../config/connection.ts';
import { OperatorError } from '../errors.ts';
import type { CheckResult } from '../preflight/check.ts';
import { preflightOf } from '../preflight/preflights.ts';
import { checkTarget } from '../preflight/target.ts';
import { dereference, referencedVariable, SIDES, savedConnection } from '../sessions/connections.ts';
import type { Saved } from '../sessions/engine-child.ts';
import { type LaunchStep, launch } from '../sessions/launch.ts';
import type { Answers, Replication } from '../sessions/replication.ts';
import { stateOf } from '../sessions/state.ts';
import { kitOf } from '../sessions/source-kits.ts';
import type { SetupFile } from './setup-file.ts';
import { stagingSchemaOf } from './things.ts';

/**
 * The answers of a file with its connections as they would be saved, and with what is to be found out at the source.
 * @throws UsageError, OperatorError CONNECTION_REFERENCE_UNSET, and those of the connection to the source
 */
export async function answersOf(file: SetupFile, env: NodeJS.ProcessEnv): Promise<Answers> {
  const connections = SIDES.flatMap((side) => {
    const text = file.connections[side];
    return text === undefined ? [] : [[side, savedConnection(text, side, env, file.answers.kind)] as const];
  });
  const answers = { ...file.answers, ...Object.fromEntries(connections) };
  const kit = kitOf(answers.kind);
  const source = kit.parse(dereference(file.connections.source, env, kit.example), 'source', env);
  return await kit.complete(answers, source, { name: file.name, env });
}

/** Looks at both servers, at everything, and changes nothing. Never rejects for what it finds. */
export async function checkServers(
  { connections }: SetupFile,
  answers: Answers,
  env: NodeJS.ProcessEnv,
): Promise<CheckResult[]> {
  const kit = kitOf(answers.kind);
  const { target, staging } = connections;
  const source = kit.parse(dereference(connections.source, env, kit.example), 'source', env);
  const wishes = { ...kit.wishes(answers, false), tables: answers.tables ?? 'all' };
  const found = await Promise.all([
    preflightOf(source).check(wishes),
    checkTarget(parseConnectionString(dereference(target, env), 'target', env), {
      ...wishes,
      source,
      targetSchema: answers.targetSchema ?? '',
      stagingSchema: stagingSchemaOf(answers),
      userscript: answers.options?.userscript,
      staging: staging === undefined ? undefined : parseConnectionString(dereference(staging, env), 'staging', env),
    }),
  ]);
  return found.flat();
}

/**
 * Saves the answers and launches. What could not be launched, and has left nothing on the servers, is not saved either.
 * @throws OperatorError SESSION_EXISTS, SESSION_BUSY, and those of the launch
 */
export async function launchFile(
  file: SetupFile,
  answers: Answers,
  saved: Saved,
  report: (step: LaunchStep) => void,
): Promise<Replication> {
  const { store, secrets } = saved;
  const { name } = file;
  const unlock = await store.lock(name);
  try {
    const before = store.get(name);
    refuseLaunched(before);
    store.save({ name, created: new Date().toISOString(), made: [], ...before, answers, step: 'launch' });
    for (const side of SIDES) {
      const text = file.connections[side];
      const kept = text === undefined || referencedVariable(text) !== undefined ? undefined : text;
      secrets.set(name, side, kept);
    }
    try {
      return await launch(name, { ...saved, report });
    } catch (error) {
      if (before === undefined && store.get(name)?.made.length === 0) {
        secrets.remove(name);
        store.remove(name);
      }
      throw error;
    }
  } finally {
    unlock();
  }
}

/** @throws OperatorError SESSION_EXISTS when this replication was launched already: its slot and checkpoint must not be lost. */
export function refuseLaunched(replication: Replication | undefined): void {
  if (replication === undefined || stateOf(replication) === 'unfinished') return;
  const { name } = replication;
  throw new OperatorError('SESSION_EXISTS', `there is a replication ${name} already; nothing was changed`, {
    fix: `instar resume ${name}\n# or give the new one another name`,
  });
}
