import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers } from '../faults/chaos.ts';
import { type Dice, diceOf } from '../faults/workload-steps.ts';
import type { Pace } from '../faults/workload.ts';
import type { Cleanup, Engine } from '../harness/engine.ts';
import { startPostgres } from '../servers/postgres.ts';
import { type Growth, growthOf, LIVE_HEAP, RESIDENT } from './flatness.ts';
import { INSPECTED, LiveHeap } from './live-heap.ts';
import { Observer, type Open } from './observer.ts';
import { OPENINGS, type Restartable, type SourceName, type Stream } from './streams.ts';

export interface SoakOptions {
  readonly sources: readonly SourceName[];
  /** How long the load lasts, in milliseconds. */
  readonly duration: number;
  /** How often each server is restarted, in milliseconds; the sources half of that apart from the target. */
  readonly restartEvery: number;
  /** Paced, so that memory, not speed, is what is looked at. */
  readonly pace: Pace;
  readonly seed: number;
  /** Told now and then how it goes. */
  readonly report: (line: string) => void;
  /** How often, in milliseconds. */
  readonly reportEvery: number;
}

/** Milliseconds in which what is committed after a restart has to arrive; a busy machine needs most of it to start a server. */
const RECOVERY = 90_000;
/** Looks at resident memory and at all else that can be seen from outside, over the whole run. */
const LOOKS = 300;
/** Measurements of the live heap over the whole run. */
const MEASUREMENTS = 60;
/** Connections and files beyond those that are open while nothing happens: new connections beside old ones, files of transactions. */
const OPEN_MORE = 24;
/** Lines of the log for everything else, and for each restart of a server: the loss, each try to connect, the return. */
const LINES = 60;
const LINES_PER_RESTART = 60;

/** A stream with its engine. */
interface Run {
  readonly stream: Stream;
  readonly engine: Engine;
  readonly heap: LiveHeap;
  readonly observer: Observer;
  readonly atRest: Open;
}

/**
 * Replicates under a mixed load while the servers are restarted, in order and by a crash in turn, and looks at the engines from
 * outside. Throws, with everything that is wrong, unless both sides are equal at the end, memory is flat, and nothing has
 * piled up or was counted backwards.
 */
export async function soak(cleanup: Cleanup, options: SoakOptions): Promise<void> {
  const { duration, restartEvery, seed, report } = options;
  const dice = diceOf(randomNumbers(seed));
  const target = await startPostgres({ version: 18 });
  cleanup.after(() => target.stop());
  const runs = await Promise.all(
    options.sources.map((name, index) => OPENINGS[name](cleanup, target, seed + 5000 * index, options.pace)),
  ).then((streams) => Promise.all(streams.map((stream) => begin(cleanup, stream))));
  for (const { stream } of runs) stream.workload.start();

  const end = Date.now() + duration;
  const stop = new AbortController();
  const watching = watch(runs, options, stop.signal);
  // The verdict asks for its outcome; until then nobody waits for it.
  watching.catch(() => {});
  const recoveries: number[] = [];
  try {
    for (let round = 0; ; round++) {
      const crash = round % 4 >= 2;
      const servers = round % 2 === 0 ? runs.map(({ stream }) => stream.server) : [target];
      await sleep(Math.max(0, Math.min(restartEvery / 2, end - Date.now())));
      if (Date.now() >= end) break;
      assertRunning(runs);
      await Promise.all(servers.map((server) => bringDown(server, crash, dice)));
      const since = Date.now();
      await Promise.all(runs.map(({ stream }) => stream.arrived(RECOVERY)));
      recoveries.push(Date.now() - since);
      report(
        `${round % 2 === 0 ? 'sources' : 'target'} ${crash ? 'crashed' : 'restarted'}; all arrived ${seconds(recoveries.at(-1)!)} later`,
      );
    }
    await sleep(Math.max(0, end - Date.now()));
  } finally {
    stop.abort();
    await Promise.all(runs.map(({ stream }) => stream.workload.stop()));
  }
  await watching;
  const wrong: string[] = [];
  for (const run of runs) {
    await run.stream.assertEqual(RECOVERY);
    wrong.push(...(await judge(run, recoveries.length)).map((text) => `${run.stream.name}: ${text}`));
    const growths = [growthOf(run.observer.resident, RESIDENT), growthOf(run.observer.live, LIVE_HEAP)];
    report(
      `${run.stream.name}: ${run.stream.workload.summary}; ${figures(run)}; from the second quarter to the last, resident and live: ${growths.map(moved).join(', ')}`,
    );
    // A process waits with its end for whoever inspects it.
    run.heap.close();
    assert.deepEqual(await run.engine.stop(), { code: 0, signal: null }, run.engine.logTail());
  }
  report(`${recoveries.length} restarts; the slowest recovery took ${seconds(Math.max(0, ...recoveries))}`);
  assert(recoveries.length > 0, 'no server was restarted');
  assert.deepEqual(wrong, [], `seed ${seed}`);
}

async function begin(cleanup: Cleanup, stream: Stream): Promise<Run> {
  const dataDir = mkdtempSync(join(tmpdir(), 'instar-soak-'));
  cleanup.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const engine = await stream.startEngine(['--dataDir', dataDir], { environment: { NODE_OPTIONS: INSPECTED } });
  await engine.waitForLog(/ streaming /, 60_000);
  await stream.arrived(RECOVERY);
  const heap = await LiveHeap.open(engine);
  cleanup.after(() => heap.close());
  const observer = new Observer(engine, heap, dataDir);
  await observer.look();
  return { stream, engine, heap, observer, atRest: observer.open() };
}

async function bringDown(server: Restartable, crash: boolean, dice: Dice): Promise<void> {
  if (crash) {
    await server.kill();
    await sleep(dice.roll(2000));
  }
  await server.restart();
}

function assertRunning(runs: readonly Run[]): void {
  for (const { engine } of runs) assert(engine.running, engine.logTail());
}

/** Looks at the engines until it is told to stop. */
async function watch(runs: readonly Run[], options: SoakOptions, signal: AbortSignal): Promise<void> {
  const pause = options.duration / LOOKS;
  let reported = Date.now();
  let looks = 0;
  const rows = new Map<Run, number>();
  while (!signal.aborted) {
    assertRunning(runs);
    const measured = looks++ % (LOOKS / MEASUREMENTS) === 0;
    for (const { observer } of runs) {
      await observer.look();
      if (measured) await observer.measureHeap();
    }
    const since = Date.now() - reported;
    if (since >= options.reportEvery) {
      for (const run of runs) {
        const applied = appliedRows(run);
        const rate = ((applied - (rows.get(run) ?? 0)) * 1000) / since;
        rows.set(run, applied);
        options.report(
          `${run.stream.name}: ${rate.toFixed(0)} rows/s, lag ${run.observer.lag.toFixed(1)} s, ${figures(run)}`,
        );
      }
      reported = Date.now();
    }
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

/** Everything that is wrong with a run that is over, its load gone and everything arrived. */
async function judge({ stream, engine, observer, atRest }: Run, restarts: number): Promise<string[]> {
  await observer.look();
  const wrong: string[] = [...stream.workload.violations, ...observer.counters.falls];
  const resident = growthOf(observer.resident, RESIDENT);
  const heap = growthOf(observer.live, LIVE_HEAP);
  if (!resident.flat) wrong.push(`resident memory ${grown(resident)}`);
  if (!heap.flat) wrong.push(`the live heap ${grown(heap)}`);
  const letters = observer.counters.total('instar_dead_letters_total');
  if (letters > 0) wrong.push(`${letters} dead letters`);
  const { most } = observer;
  const now = observer.open();
  for (const what of ['descriptors', 'sockets', 'temporary'] as const) {
    if (now[what] > atRest[what] + 2)
      wrong.push(`${now[what]} ${what} are left open, ${atRest[what]} at the beginning`);
    if (most[what] > atRest[what] + OPEN_MORE) wrong.push(`${most[what]} ${what} were open at once`);
  }
  const lines = LINES + LINES_PER_RESTART * restarts;
  if (observer.lines > lines)
    wrong.push(`${observer.lines} lines of log, at most ${lines} were expected\n${engine.logTail()}`);
  return wrong;
}

function appliedRows({ observer: { counters } }: Run): number {
  return counters.total('apply_upserts_total') + counters.total('apply_deletes_total');
}

function figures({ observer }: Run): string {
  const [resident, live] = [observer.resident.at(-1) ?? 0, observer.live.at(-1) ?? 0];
  const { descriptors, sockets, temporary } = observer.most;
  return `${megabytes(resident)} resident, ${megabytes(live)} of live heap; at most ${descriptors} descriptors, ${sockets} sockets, ${temporary} temporary files; ${observer.lines} lines of log; ${seconds(1000 * observer.processor)} of a processor`;
}

function moved({ before, after }: Growth): string {
  return `${megabytes(before)} to ${megabytes(after)}`;
}

function grown(growth: Growth): string {
  return `grew from ${moved(growth)}, by more than ${megabytes(growth.allowed)}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
