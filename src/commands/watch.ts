import { setTimeout as sleep } from 'node:timers/promises';
import { parseCommandLine } from '../config/command-line.ts';
import { Poller } from '../dashboard/poller.ts';
import { Replay } from '../dashboard/replay.ts';
import { meansFiles, openHistory } from '../dashboard/snapshot-history.ts';
import { replayGap, statusLine } from '../dashboard/text.ts';
import { isInteractive } from '../terminal/interactive.ts';
import type { CommandContext } from './command.ts';

/**
 * `instar watch URL`: the dashboard over the endpoints of any replicator, until it is left; `instar watch DIR|BUNDLE`: over the
 * metrics snapshots that were written, with the times of then. Without a terminal, or where a screen reader listens, a line per
 * interval, until it is interrupted or nobody reads any more; or one per snapshot.
 */
export async function run({ args, env, stdout, stderr }: CommandContext): Promise<number> {
  const { settings, argument = '' } = parseCommandLine('watch', args, env);
  const files = await meansFiles(argument);
  const watched = files
    ? new Replay(await openHistory(argument))
    : new Poller(argument, { interval: settings.interval });
  if (stdout === process.stdout && isInteractive({ stdin: process.stdin, stdout: process.stdout, env })) {
    // What draws takes a moment to load, which those who read lines should not wait for.
    const { watchOnTerminal } = await import('../dashboard/watch-on-terminal.tsx');
    if (await watchOnTerminal(watched, env)) return 0;
  }
  await untilEnded(stdout, (signal) =>
    watched instanceof Poller
      ? printLines(watched, settings.interval, stdout, signal)
      : printReplay(watched, stdout, stderr, signal),
  );
  return 0;
}

/** Does the work until it is over, interrupted, or nobody reads any more. */
async function untilEnded(stdout: NodeJS.WritableStream, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  stdout.once('close', end).once('error', end);
  try {
    await work(ended.signal);
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    stdout.off('close', end).off('error', end);
  }
}

async function printLines(
  poller: Poller,
  interval: number,
  stdout: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const began = performance.now();
    await poller.look();
    if (signal.aborted) return;
    const { reading, problem, endpoint } = poller.getState();
    stdout.write(
      `${reading === undefined ? `${now()} no answer from ${endpoint}: ${problem}` : statusLine(reading)}\n`,
    );
    await sleep(Math.max(0, interval - (performance.now() - began)), undefined, { signal });
  }
}

async function printReplay(
  replay: Replay,
  stdout: NodeJS.WritableStream,
  stderr: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<void> {
  const { entries, notes } = replay.history;
  for (const note of notes) stderr.write(`${note}\n`);
  for (let index = 0; index < entries.length && !signal.aborted; index++) {
    const { reading, skipped, gap } = await replay.frame(index);
    const before = gap > 0 ? `${replayGap(entries[index - 1].at, entries[index].at)}\n` : '';
    if (skipped !== undefined) stderr.write(`${skipped.file} is left out: ${skipped.reason}\n`);
    else if (reading !== undefined && !stdout.write(`${before}${statusLine(reading)}\n`)) await drained(stdout, signal);
  }
}

/** Waits for a slow reader. */
async function drained(stdout: NodeJS.WritableStream, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stdout.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stdout.once('drain', done);
    signal.addEventListener('abort', done);
  });
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
