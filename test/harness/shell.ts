import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './engine.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An operator's shell in a folder of its own, in which `instar` and `replicator` are the program as it is built. */
export class Shell {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly #running = new Set<ChildProcess>();

  constructor(folder: string, variables: Readonly<Record<string, string>>) {
    this.folder = folder;
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    for (const name of ['instar', 'replicator']) {
      writeFileSync(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
      chmodSync(join(bin, name), 0o755);
    }
    this.environment = {
      PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}`,
      HOME: process.env.HOME,
      INSTAR_HOME: join(folder, 'state'),
      ...variables,
    };
  }

  /** Runs a line to its end. */
  async run(line: string): Promise<Finished> {
    const task = this.start(line);
    const code = await task.exited;
    return { code, stdout: task.stdout, stderr: task.stderr };
  }

  /** Starts a line that is one command, which goes on by itself. */
  start(line: string): Task {
    const child = spawn('bash', ['-c', `exec ${line}`], {
      cwd: this.folder,
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return new Task(child, line);
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    await Promise.all(
      Array.from(this.#running, async (child) => {
        const closed = new Promise((resolve) => child.once('close', resolve));
        child.kill('SIGKILL');
        await closed;
      }),
    );
  }
}

/** A command at work. */
export class Task {
  stdout = '';
  stderr = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #line: string;
  #ended = false;

  constructor(child: ChildProcess, line: string) {
    this.#child = child;
    this.#line = line;
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code) => {
        this.#ended = true;
        resolve(code);
      });
    });
  }

  /** Waits until it has written something. */
  async says(wanted: RegExp): Promise<void> {
    const said = () => `${this.#line}\n${this.stdout}${this.stderr}`;
    await eventually(
      async () => {
        if (wanted.test(this.stdout + this.stderr)) return true;
        if (this.#ended) throw new Error(`it ended without ${wanted}: ${said()}`);
        return false;
      },
      () => `${wanted} of ${said()}`,
      30_000,
    );
  }

  /** Ctrl-C; the exit status. */
  async interrupt(): Promise<number | null> {
    this.#child.kill('SIGINT');
    return this.exited;
  }
}
