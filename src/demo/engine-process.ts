import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../config/build.ts';
import { OperatorError } from '../errors.ts';
import { freePort } from '../metrics/free-port.ts';
import { guardProcess } from './guard.ts';
import { type EngineSample, readSample } from './sample.ts';

const START_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 5_000;

export interface EngineOptions {
  sourceUrl: string;
  targetUrl: string;
  /** Everything after `pglogical` but connection strings and the address of the endpoints. */
  flags: readonly string[];
  /** For the log and what the engine writes; exists. */
  directory: string;
}

/** The replicator, run as an operator runs it: a process of its own, seen through its endpoints and its exit status. */
export class EngineProcess {
  readonly #child: ChildProcess;
  /** Where its endpoints are: `http://127.0.0.1:20001`. */
  readonly endpoint: string;
  readonly logFile: string;
  readonly #exited: Promise<string>;
  #ended = false;

  private constructor(child: ChildProcess, endpoints: string, logFile: string) {
    this.#child = child;
    // Without a number it could not be started: the event tells why.
    const guard = child.pid === undefined ? undefined : guardProcess(child.pid, path.dirname(logFile));
    this.endpoint = endpoints;
    this.logFile = logFile;
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal === null ? `exit status ${code}` : signal));
    });
    void this.#exited.then(() => {
      this.#ended = true;
      guard?.dismiss();
    });
  }

  /**
   * Starts the engine and waits until it replicates.
   * @throws OperatorError DEMO_ENGINE with the end of its log
   */
  static async start(options: EngineOptions): Promise<EngineProcess> {
    const port = await freePort();
    const logFile = path.join(options.directory, 'engine.log');
    const log = openSync(logFile, 'w', 0o600);
    const cli = path.join(PACKAGE_ROOT, 'dist', 'cli.js');
    const args = ['pglogical', ...options.flags, '--metricsAddr', `127.0.0.1:${port}`, '--dataDir', options.directory];
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: options.directory,
      detached: true, // the terminal's Ctrl-C is for us: the engine stops when everything has arrived
      stdio: ['ignore', log, log],
      env: { ...withoutSettings(), INSTAR_SOURCE_CONN: options.sourceUrl, INSTAR_TARGET_CONN: options.targetUrl },
    });
    closeSync(log);
    const engine = new EngineProcess(child, `http://127.0.0.1:${port}`, logFile);
    try {
      await engine.#untilHealthy();
    } catch (error) {
      await engine.kill();
      throw error;
    }
    return engine;
  }

  /** What the endpoints say now; undefined when they do not answer in time. */
  async sample(): Promise<EngineSample | undefined> {
    const [varz, diag] = await Promise.all([this.#get('/_/varz'), this.#get('/_/diag')]);
    return varz === undefined || diag === undefined ? undefined : readSample(varz.text, diag.text);
  }

  /** Rejects when the engine ends without having been asked to. */
  async failure(): Promise<never> {
    throw this.#failed(await this.#exited);
  }

  /** Ends the engine as Ctrl-C does, and waits for it. Throws OperatorError DEMO_ENGINE when it says that it failed. */
  async stop(): Promise<void> {
    this.#child.kill('SIGINT');
    const outcome = await this.#exited;
    if (outcome !== 'exit status 0') throw this.#failed(outcome);
  }

  /** Ends the engine at once. */
  async kill(): Promise<void> {
    if (!this.#ended) this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #untilHealthy(): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    while (performance.now() < deadline) {
      if (this.#ended) throw this.#failed(await this.#exited);
      if ((await this.#get('/_/healthz'))?.ok) return;
      await sleep(50);
    }
    throw this.#failed(`not ready after ${START_LIMIT_MS / 1000} s`);
  }

  async #get(endpoint: string): Promise<{ ok: boolean; text: string } | undefined> {
    try {
      const answer = await fetch(this.endpoint + endpoint, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
      return { ok: answer.ok, text: await answer.text() };
    } catch {
      return undefined;
    }
  }

  #failed(outcome: string): OperatorError {
    const tail = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
    return new OperatorError('DEMO_ENGINE', `the replicator ended: ${outcome}. The end of its log:\n${tail}`);
  }
}

/** The environment without settings of a replicator: the demo's are its own. */
function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('INSTAR_')));
}
