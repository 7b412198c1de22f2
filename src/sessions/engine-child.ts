import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { PACKAGE_ROOT } from '../config/build.ts';
import { type FlagName, flagNamed } from '../config/flags.ts';
import { mask, registerSecret } from '../config/secrets.ts';
import { parseValue, type Settings, type SettingValue, toArguments } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';
import { freePort } from '../metrics/free-port.ts';
import { connectionText, type Keeping } from './connections.ts';
import { LOG_SIZE, openEngineLog } from './engine-log.ts';
import { closedFolder, stateFolder } from './folder.ts';
import { processIdentity } from './process-identity.ts';
import type { Ending, Replication, Run, SourceKind } from './replication.ts';
import { readEnding, readTail } from './run-log.ts';
import type { SecretsFile } from './secrets.ts';
import { kitOf } from './source-kits.ts';
import { settleEnding, stateOf } from './state.ts';
import type { ReplicationStore } from './store.ts';

export interface Saved {
  readonly store: ReplicationStore;
  readonly secrets: SecretsFile;
  readonly env: NodeJS.ProcessEnv;
}

/** Milliseconds that an engine gets until it replicates. */
const START_LIMIT = 60_000;
/** Milliseconds between two looks. */
const LOOK_EVERY = 50;
/** Milliseconds that an endpoint gets to answer. */
const ANSWER_LIMIT = 2000;
/** An engine that was asked to stop gets its grace period, and this much more, milliseconds. */
const STOP_SLACK = 10_000;
/** Ports that are tried when one that was free a moment ago is taken. */
const PORT_ATTEMPTS = 5;

/**
 * Starts the engine of a replication as a process that outlives this one, and resolves when it replicates. Connection strings go
 * through its environment, its log to a file that only this user can read. What it was is kept in the store. When another process
 * has started it meanwhile, that one is taken: there are never two. `port` finds a free one.
 * @throws OperatorError ENGINE_START with the engine's own last words; LOG_NOT_WRITABLE; SESSION_BUSY; and those of the connections.
 */
export async function startEngine(
  replication: Replication,
  saved: Saved,
  port: () => Promise<number> = freePort,
): Promise<Run> {
  const { name } = replication;
  const unlock = await lockStart(name, saved.store);
  try {
    const current = saved.store.get(name) ?? replication;
    if (current.run !== undefined && stateOf(current) === 'running') return current.run;
    const given = current.answers.options?.metricsAddr;
    for (let attempt = 1; ; attempt++) {
      const address = given ?? `127.0.0.1:${await port()}`;
      try {
        return await startOn(current, address, saved);
      } catch (error) {
        const taken = error instanceof OperatorError && error.message.includes('METRICS_ADDRESS_IN_USE');
        if (!taken || given !== undefined || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  } finally {
    unlock();
  }
}

/** Waits while another process starts the same engine. @throws OperatorError SESSION_BUSY */
async function lockStart(name: string, store: ReplicationStore): Promise<() => void> {
  const deadline = Date.now() + START_LIMIT;
  for (;;) {
    try {
      return await store.lock(name, 'start');
    } catch (error) {
      const busy = error instanceof OperatorError && error.code === 'SESSION_BUSY';
      if (!busy || Date.now() > deadline) throw error;
      await sleep(LOOK_EVERY);
    }
  }
}

async function startOn(replication: Replication, metricsAddr: string, saved: Saved): Promise<Run> {
  const { name } = replication;
  const { store, secrets } = saved;
  const folder = closedFolder(join(stateFolder(saved.env), 'logs'));
  const logFile = join(folder, `${name}.log`);
  const environment = engineEnvironment(replication, saved);
  const token = secrets.get(name, 'control') ?? randomBytes(24).toString('base64url');
  registerSecret(token);
  secrets.set(name, 'control', token);
  const started = Date.now();
  const rotation = { maxSize: option(replication, 'logMaxSize'), maxFiles: option(replication, 'logMaxFiles') };
  const log = openEngineLog(logFile, rotation, `starting the engine of ${name}`);
  // A descriptor is taken as by node:child_process; the types of execa do not say so.
  const output = log as unknown as 'ignore';
  const child = execa(
    process.execPath,
    [join(PACKAGE_ROOT, 'dist', 'cli.js'), ...engineCommand(replication, logFile), '--metricsAddr', metricsAddr],
    {
      cwd: folder,
      env: { ...environment, INSTAR_CONTROL_TOKEN: token },
      extendEnv: false,
      detached: true,
      cleanup: false,
      stdio: ['ignore', output, output],
      reject: false,
      buffer: false,
    },
  );
  closeSync(log);
  child.nodeChildProcess.unref();
  let ended = false;
  void child.then(() => {
    ended = true;
  });
  const identity = child.pid === undefined ? undefined : processIdentity(child.pid);
  const failed = () => startFailed(name, readEnding({ logFile, started }), readTail(logFile, 4096));
  if (child.pid === undefined || identity === undefined) {
    await child;
    throw failed();
  }
  const run: Run = { pid: child.pid, identity, started, metricsAddr: reachable(metricsAddr), logFile };
  try {
    store.update(name, (before) => ({ ...before, run, ending: undefined }));
  } catch (error) {
    // Nobody would know of it.
    child.kill('SIGKILL');
    throw error;
  }
  const deadline = started + START_LIMIT;
  while (!(await healthy(run))) {
    if (ended || processIdentity(run.pid) !== identity) {
      store.update(name, (before) => ({ ...before, ending: readEnding(run) }));
      throw failed();
    }
    if (Date.now() > deadline) return run;
    await sleep(LOOK_EVERY);
  }
  try {
    store.update(name, (before) => ({ ...before, replicated: true }));
  } catch {
    // It replicates, whether or not that could be written down.
  }
  return run;
}

/** `:30005` and `0.0.0.0:30005` are reached through this machine's own address. */
function reachable(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\])?:(?=\d+$)/, '127.0.0.1:');
}

/** The value of a flag whose values are numbers, as the options or, without a word of theirs, the defaults have it. */
function option({ answers }: Replication, flag: 'gracePeriod' | 'logMaxSize' | 'logMaxFiles'): number {
  const standard = flag === 'logMaxSize' ? LOG_SIZE : flagNamed(flag).default;
  return Number(parseValue(flagNamed(flag), flag, answers.options?.[flag] ?? String(standard)));
}

/** The engine's command and its flags, without connections. Its log is its own, to be able to begin it anew. */
export function engineCommand(replication: Replication, logFile: string): string[] {
  const { name, answers, replicated, ending } = replication;
  const kit = kitOf(answers.kind);
  const { firstFlagsRefusal: refusal } = kit;
  // An engine may have stored its first checkpoint and ended before it was seen replicating.
  const stored = refusal !== undefined && (replicated === true || ending?.code === refusal);
  const values: Record<string, SettingValue> = {};
  for (const [flag, text] of Object.entries(answers.options ?? {})) {
    if (flag !== 'metricsAddr') values[flag] = parseValue(flagNamed(flag as FlagName), `--${flag}`, text);
  }
  const flags: Partial<Settings<SourceKind>> = {
    ...values,
    ...Object.fromEntries([...kit.flags(answers), ...(stored ? [] : kit.firstFlags(answers))]),
    targetSchema: answers.targetSchema,
    stagingCreateSchema: true,
    dataDir: `${name}-data`,
    logDestination: logFile,
    logMaxSize: option(replication, 'logMaxSize'),
  };
  return [kit.kind, ...toArguments(kit.kind, flags)];
}

/** What the engine sees: no flag that happens to be set for this process is a flag of its own. */
function engineEnvironment(replication: Replication, keeping: Keeping): NodeJS.ProcessEnv {
  const environment = Object.fromEntries(Object.entries(keeping.env).filter(([name]) => !name.startsWith('INSTAR_')));
  return {
    ...environment,
    INSTAR_SOURCE_CONN: connectionText(replication, 'source', keeping),
    INSTAR_TARGET_CONN: connectionText(replication, 'target', keeping),
    INSTAR_STAGING_CONN: connectionText(replication, 'staging', keeping),
  };
}

/** Whether this very process says that it replicates: somebody else's may listen on the address that it was to have. */
async function healthy({ metricsAddr, pid }: Run): Promise<boolean> {
  const ask = (path: string) => fetch(`http://${metricsAddr}${path}`, { signal: AbortSignal.timeout(ANSWER_LIMIT) });
  try {
    if (!(await ask('/_/healthz')).ok) return false;
    const { build } = (await (await ask('/_/diag')).json()) as { build?: { pid?: unknown } };
    return build?.pid === pid;
  } catch {
    return false;
  }
}

function startFailed(name: string, { code, message, fix }: Ending, tail: readonly string[]): OperatorError {
  // Flags that are refused are followed by where to read about them.
  const said = message ?? tail.findLast((line) => !/^Run ".* --help"/.test(line)) ?? 'it said nothing';
  return new OperatorError(
    'ENGINE_START',
    `the engine of ${name} ended before it replicated${code === undefined ? '' : ` with ${code}`}: ${mask(said)}`,
    { fix },
  );
}

/**
 * Asks an engine to finish what is in hand and waits until it has ended. With `force` it is asked twice, and ends at once: what was
 * not committed is read again on resume.
 * @throws OperatorError ENGINE_STOP when it does not end.
 */
export async function stopEngine(
  replication: Replication,
  { store }: Pick<Saved, 'store'>,
  { force = false }: { readonly force?: boolean } = {},
): Promise<Ending | undefined> {
  const { name, run } = replication;
  if (run === undefined || stateOf(replication) !== 'running') return settleEnding(replication, store).ending;
  const deadline = Date.now() + option(replication, 'gracePeriod') + STOP_SLACK;
  process.kill(run.pid, 'SIGTERM');
  if (force) {
    await sleep(100);
    if (processIdentity(run.pid) === run.identity) process.kill(run.pid, 'SIGTERM');
  }
  while (processIdentity(run.pid) === run.identity) {
    if (Date.now() > deadline) {
      throw new OperatorError('ENGINE_STOP', `the engine of ${name} (process ${run.pid}) does not end`, {
        fix: `kill -9 ${run.pid}  # loses nothing: what is not committed is read again on resume`,
      });
    }
    await sleep(LOOK_EVERY);
  }
  const ending = force ? { at: new Date().toISOString(), how: 'stopped' as const } : readEnding(run);
  return store.update(name, (before) => ({ ...before, ending })).ending;
}

/** Stops applying, and keeps reading, until `continueEngine`. @throws OperatorError ENGINE_CONTROL */
export async function pauseEngine(replication: Replication, saved: Pick<Saved, 'secrets'>): Promise<void> {
  await control(replication, saved, 'pause');
}

/** @throws OperatorError ENGINE_CONTROL */
export async function continueEngine(replication: Replication, saved: Pick<Saved, 'secrets'>): Promise<void> {
  await control(replication, saved, 'continue');
}

async function control({ name, run }: Replication, { secrets }: Pick<Saved, 'secrets'>, what: string): Promise<void> {
  let reason = 'it does not run';
  if (run !== undefined) {
    try {
      const answer = await fetch(`http://${run.metricsAddr}/_/${what}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secrets.get(name, 'control') ?? ''}` },
        signal: AbortSignal.timeout(ANSWER_LIMIT),
      });
      if (answer.ok) return;
      reason = `it answers with status ${answer.status}`;
    } catch (error) {
      reason = error instanceof OperatorError ? error.message : 'it does not answer';
    }
  }
  throw new OperatorError('ENGINE_CONTROL', `the engine of ${name} could not be told to ${what}: ${reason}`, {
    fix: `instar status ${name}`,
  });
}
