import { parseCommandLine } from '../config/command-line.ts';
import { runDemo } from '../demo/demo.ts';
import { ProgressDisplay } from '../demo/progress.ts';
import { isInteractive } from '../terminal/interactive.ts';
import type { CommandContext } from './command.ts';

/** Replicates a lively shop between two servers of its own and compares them at the end: 0 when they are equal, else 1. */
export async function run({ args, env, stdout }: CommandContext): Promise<number> {
  const { settings } = parseCommandLine('demo', args, env);
  const { stdin } = process;
  const seen = stdout === process.stdout && isInteractive({ stdin, stdout: process.stdout, env });
  const watch = seen ? (await import('../demo/demo-dashboard.tsx')).watchOnDashboard : undefined;
  const display = new ProgressDisplay(stdout);
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) {
      display.end();
      // Guards end the servers and the replicator, and remove their files.
      process.exit(1);
    }
    stop.abort();
    display.end();
    display.tell('Stopping the workload; once more to stop at once.');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const equal = await runDemo({ seconds: settings.seconds, rate: settings.rate, display, stop: stop.signal, watch });
    return equal ? 0 : 1;
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
  }
}
