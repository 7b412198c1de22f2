import { setTimeout as sleep } from 'node:timers/promises';
import { parseCommandLine } from '../config/command-line.ts';
import { Poller } from '../dashboard/poller.ts';
import { statusLine } from '../dashboard/text.ts';
import { isInteractive } from '../terminal/interactive.ts';
import type { CommandContext } from './command.ts';

/**
 * `instar watch URL`: the dashboard over the endpoints of any replicator, until it is left. Without a terminal, or where a screen
 * reader listens, a line per interval, until it is interrupted or nobody reads any more.
 */
export async function run({ args, env, stdout }: CommandContext): Promise<number> {
  const { settings, argument = '' } = parseCommandLine('watch', args, env);
  const poller = new Poller(argument, { interval: settings.interval });
  if (stdout === process.stdout && isInteractive({ stdin: process.stdin, stdout: process.stdout, env })) {
    // What draws takes a moment to load, which those who read lines should not wait for.
    const { watchOnTerminal } = await import('../dashboard/watch-on-terminal.tsx');
    if (await watchOnTerminal(poller, env)) return 0;
  }
  await printLines(poller, settings.interval, stdout);
  return 0;
}

async function printLines(poller: Poller, interval: number, stdout: NodeJS.WritableStream): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  stdout.once('close', end).once('error', end);
  try {
    for (;;) {
      const began = performance.now();
      await poller.look();
      if (ended.signal.aborted) return;
      const { reading, problem, endpoint } = poller.getState();
      stdout.write(
        `${reading === undefined ? `${now()} no answer from ${endpoint}: ${problem}` : statusLine(reading)}\n`,
      );
      await sleep(Math.max(0, interval - (performance.now() - began)), undefined, { signal: ended.signal });
    }
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    stdout.off('close', end).off('error', end);
  }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
