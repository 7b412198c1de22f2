import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** What of a test's context the harness needs: a way to clean up after it. */
export interface Cleanup {
  after(action: () => void | Promise<void>): void;
}

/** How a process ended: an exit status or the signal that killed it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface EngineOptions {
  /** Connection strings, handed over in the environment as an operator's unit file would. */
  sourceConn?: string;
  targetConn?: string;
  /** The engine's command; `pglogical` unless given. */
  command?: 'pglogical' | 'mylogical' | 'oraclelogminer';
  /** Everything after the command, without `--metricsAddr` and `--dataDir`. */
  flags?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /** Serve the endpoints on a free loopback port; on by default. */
  metrics?: boolean;
  /** Whole command line after the program instead of command and flags. */
  argv?: readonly string[];
}

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}

/** The replicator as a child process: what a test sees is its log, its endpoints and its exit status. */
export class Engine {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #metricsPort: number | undefined;
  #log = '';
  #exit: Exit | undefined;
  #changed = Promise.withResolvers<void>();

  private constructor(child: ChildProcess, metricsPort: number | undefined) {
    this.#child = child;
    this.#metricsPort = metricsPort;
    const append = (chunk: string) => {
      this.#log += chunk;
      this.#announce();
    };
    child.stdout?.setEncoding('utf8').on('data', append);
    child.stderr?.setEncoding('utf8').on('data', append);
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        this.#announce();
        resolve(this.#exit);
      });
    });
  }

  /** Starts the engine; killed after the test at the latest. */
  static async start(cleanup: Cleanup, options: EngineOptions): Promise<Engine> {
    const metricsPort = options.metrics === false ? undefined : await freePort();
    const dataDir = mkdtempSync(join(tmpdir(), 'instar-engine-'));
    const argv = options.argv ?? [
      options.command ?? 'pglogical',
      ...(options.flags ?? []),
      ...(metricsPort === undefined ? [] : ['--metricsAddr', `127.0.0.1:${metricsPort}`]),
      ...(options.flags?.includes('--dataDir') ? [] : ['--dataDir', dataDir]),
    ];
    const child = spawn(process.execPath, [CLI, ...argv], {
      cwd: dataDir,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        ...(options.sourceConn === undefined ? {} : { INSTAR_SOURCE_CONN: options.sourceConn }),
        ...(options.targetConn === undefined ? {} : { INSTAR_TARGET_CONN: options.targetConn }),
        ...options.environment,
      },
    });
    const engine = new Engine(child, metricsPort);
    cleanup.after(async () => {
      await engine.kill();
      rmSync(dataDir, { recursive: true, force: true });
    });
    return engine;
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the engine could not be started');
    return this.#child.pid;
  }

  /** Everything written so far to standard output and standard error. */
  get log(): string {
    return this.#log;
  }

  /** It ended by itself with a status other than 0. */
  get failed(): boolean {
    return this.#exit !== undefined && this.#exit.signal === null && this.#exit.code !== 0;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** The end of the log, for messages of failed tests. */
  logTail(lines = 40): string {
    const state = this.#exit === undefined ? 'running' : `ended with ${JSON.stringify(this.#exit)}`;
    return `--- engine ${this.#child.pid} (${state}), last ${lines} lines of its log\n${this.#log.trimEnd().split('\n').slice(-lines).join('\n')}`;
  }

  /** The first match of `pattern` in the log from offset `from` on; fails when the process ends without it or in `timeout` ms. */
  async waitForLog(pattern: RegExp, timeout = 15_000, from = 0): Promise<RegExpExecArray> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const match = pattern.exec(this.#log.slice(from));
      if (match !== null) return match;
      if (this.#exit !== undefined) throw new Error(`the engine ended without ${pattern}\n${this.logTail()}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no ${pattern} in the log after ${timeout} ms\n${this.logTail()}`);
      await Promise.race([this.#changed.promise, sleep(left, undefined, { ref: false })]);
    }
  }

  /** Waits for the process to end by itself; fails when it has not after `timeout` ms. */
  async waitForExit(timeout = 20_000): Promise<Exit> {
    const exit = await Promise.race([this.exited, sleep(timeout, undefined, { ref: false })]);
    if (exit === undefined) throw new Error(`the engine is still running after ${timeout} ms\n${this.logTail()}`);
    return exit;
  }

  signal(name: NodeJS.Signals): void {
    if (this.running) this.#child.kill(name);
  }

  /** SIGKILL: the process gets no chance to finish anything. */
  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return await this.exited;
  }

  /** SIGINT, as Ctrl-C: the exit status must be looked at by the caller. */
  async stop(timeout = 35_000): Promise<Exit> {
    this.signal('SIGINT');
    return await this.waitForExit(timeout);
  }

  /** Where it serves its endpoints, `http://127.0.0.1:41234`. */
  get endpoint(): string {
    if (this.#metricsPort === undefined) throw new Error('this engine serves no endpoints');
    return `http://127.0.0.1:${this.#metricsPort}`;
  }

  async fetch(path: string, request: RequestInit = {}): Promise<{ status: number; body: string }> {
    const response = await fetch(`${this.endpoint}${path}`, {
      signal: AbortSignal.timeout(5_000),
      ...request,
    });
    return { status: response.status, body: await response.text() };
  }

  /** The samples of `/_/varz` by name with labels, as in `apply_upserts_total{schema="s",table="t"}`. */
  async metrics(): Promise<Map<string, number>> {
    const { status, body } = await this.fetch('/_/varz');
    if (status !== 200) throw new Error(`/_/varz answered ${status}: ${body}`);
    const samples = new Map<string, number>();
    for (const line of body.split('\n')) {
      const match = /^([a-zA-Z_:][^ {]*(?:\{.*\})?) (\S+)/.exec(line);
      if (match !== null) samples.set(match[1], Number(match[2].replace('Inf', 'Infinity')));
    }
    return samples;
  }

  /** The text of `/_/diag`. */
  async diag(): Promise<string> {
    const { status, body } = await this.fetch('/_/diag');
    if (status !== 200) throw new Error(`/_/diag answered ${status}: ${body}`);
    return body;
  }

  /** Tells the engine to `pause` or to `continue`, by the token that it was given. */
  async control(what: 'pause' | 'continue', token: string): Promise<{ status: number; body: string }> {
    return await this.fetch(`/_/${what}`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  }

  /** Status and text of `/_/healthz`. */
  async health(): Promise<{ status: number; body: string }> {
    return await this.fetch('/_/healthz');
  }
}

/** Polls `check` until it returns something else than undefined or false; `describe` tells what was waited for in vain. */
export async function eventually<T>(
  check: () => Promise<T | undefined | false>,
  describe: () => string,
  timeout = 15_000,
  interval = 20,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const result = await check();
    if (result !== undefined && result !== false) return result;
    if (Date.now() >= deadline) throw new Error(`not within ${timeout} ms: ${describe()}`);
    await sleep(interval);
  }
}
