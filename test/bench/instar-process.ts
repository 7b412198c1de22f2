import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const STOP_LIMIT_MS = 30_000;
const LOG_TAIL = 8192;

/** Instar at work. */
export interface InstarProcess {
  readonly pid: number | undefined;
  /** Why it has ended, with the end of its log; undefined while it runs. */
  failure(): Error | undefined;
  /** Ctrl-C, and the end of its files. Rejects unless it ran until now and ended in order. */
  stop(): Promise<void>;
}

/** Starts Instar as an operator does; the connection strings are in the environment. */
export async function startInstarProcess(
  args: readonly string[],
  sourceUrl: string,
  targetUrl: string,
): Promise<InstarProcess> {
  if (!existsSync(CLI)) throw new Error('dist/cli.js is not built: npm run build');
  const dataDir = await mkdtemp(path.join(tmpdir(), 'instar-bench-'));
  const child = spawn(process.execPath, [CLI, ...args, '--metricsAddr', '127.0.0.1:0', '--dataDir', dataDir], {
    cwd: dataDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      INSTAR_SOURCE_CONN: sourceUrl,
      INSTAR_TARGET_CONN: targetUrl,
    },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-LOG_TAIL);
    });
  }
  const failure = () =>
    child.exitCode === null && child.signalCode === null
      ? undefined
      : new Error(`Instar ended with ${child.exitCode ?? child.signalCode}:\n${log}`);
  const stop = async () => {
    const early = failure();
    if (early === undefined) {
      const exit = once(child, 'exit');
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await exit;
      clearTimeout(timer);
    }
    await rm(dataDir, { recursive: true, force: true });
    if (early ?? child.exitCode !== 0) throw early ?? failure();
  };
  return { pid: child.pid, failure, stop };
}
