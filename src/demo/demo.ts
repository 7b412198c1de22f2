import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { OperatorError } from '../errors.ts';
import { compareTables } from './comparison.ts';
import { type PostgresServer, startPostgres } from './embedded-postgres.ts';
import { EngineProcess } from './engine-process.ts';
import type { Progress, ProgressDisplay } from './progress.ts';
import { lsnValue } from './sample.ts';
import { openShop, PUBLICATION, SHOP_SCHEMA, SHOP_TABLES, SLOT } from './shop.ts';
import { Workload } from './workload.ts';

const DATABASE = 'shop';
/** Without any progress for so long, what is missing is not coming any more. */
const DRAIN_LIMIT_MS = 60_000;

export interface DemoOptions {
  /** End after this many seconds of workload; undefined: when `stop` says so. */
  seconds: number | undefined;
  /** Source transactions per second. */
  rate: number;
  display: ProgressDisplay;
  /** The end was asked for: drain, compare and go. */
  stop: AbortSignal;
  /** Shows the running replicator in a way of its own until the watcher has seen enough, or `end` aborts. */
  watch?: (engine: { readonly endpoint: string; readonly logFile: string }, end: AbortSignal) => Promise<void>;
}

/**
 * A source, a target, a workload and the replicator between them, all of our own.
 * @returns whether both sides held the same rows at the end
 * @throws OperatorError when something does not start or the replicator fails
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { display } = options;
  const directory = await mkdtemp(path.join(tmpdir(), 'instar-demo-'));
  // Undone in the opposite order, whatever happens.
  const undo: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    display.tell('Starting two PostgreSQL servers, source and target ...');
    const [source, target] = await startServers(undo);
    const [sourceUrl, targetUrl] = await Promise.all([source, target].map((server) => server.createDatabase(DATABASE)));
    const shopkeeper = new Client({ connectionString: sourceUrl });
    await shopkeeper.connect();
    undo.push(() => shopkeeper.end());
    await target.query(SHOP_SCHEMA, [], DATABASE);
    const shop = await openShop(shopkeeper);

    display.tell('Starting the replicator ...');
    const flags = ['--slotName', SLOT, '--publicationName', PUBLICATION, '--targetSchema', `${DATABASE}.public`];
    const staging = ['--stagingSchema', '_replicator', '--stagingCreateSchema'];
    const engine = await EngineProcess.start({ sourceUrl, targetUrl, directory, flags: [...flags, ...staging] });
    undo.push(() => engine.kill());
    const workload = await Workload.start(sourceUrl, shop, options.rate);
    undo.push(() => workload.stop().catch(() => {})); // its failure has been told already
    const broken = Promise.race([engine.failure(), workload.failure()]);
    broken.catch(() => {}); // after a stop that was asked for, nobody waits for it any more

    const watch = new Watch(engine, workload, display);
    await Promise.race([
      options.watch ? watched(options, options.watch, engine, broken) : watch.untilStopped(options),
      broken,
    ]);
    await workload.stop();
    await Promise.race([watch.untilDrained(await lastWords(shopkeeper)), broken]);
    display.end();
    await engine.stop();

    display.tell('The replicator has stopped. Comparing all rows of both sides ...');
    const comparisons = await compareTables(sourceUrl, targetUrl, SHOP_TABLES);
    display.summarize(comparisons);
    return comparisons.every(({ different }) => different === 0);
  } finally {
    display.end();
    for (const action of undo.reverse()) await action();
  }
}

/** Watches until the watcher leaves, the time is over, or something has failed, which ends the watch first. */
async function watched(
  { seconds, stop }: DemoOptions,
  watch: NonNullable<DemoOptions['watch']>,
  engine: EngineProcess,
  broken: Promise<never>,
): Promise<void> {
  const end = new AbortController();
  const timer = seconds === undefined ? undefined : setTimeout(() => end.abort(), seconds * 1000);
  broken.catch(() => end.abort());
  try {
    await watch(engine, AbortSignal.any([stop, end.signal]));
  } finally {
    clearTimeout(timer);
  }
}

async function startServers(undo: (() => Promise<unknown>)[]): Promise<PostgresServer[]> {
  // Without a password, any user of this machine could become the servers' superuser.
  const password = randomBytes(18).toString('base64url');
  const starting = [startPostgres({ version: 18, password }), startPostgres({ version: 18, password })];
  for (const server of starting) undo.push(() => server.then((started) => started.stop()).catch(() => {}));
  return await Promise.all(starting);
}

/** Commits a last transaction and returns a position that a checkpoint passes only when this transaction is applied. */
async function lastWords(source: Client): Promise<bigint> {
  const { rows } = await source.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  await source.query(`INSERT INTO events (kind) VALUES ('closing time')`);
  return lsnValue(rows[0].lsn);
}

/** Reads the engine's endpoints at the display's pace. */
class Watch {
  readonly #engine: EngineProcess;
  readonly #workload: Workload;
  readonly #display: ProgressDisplay;
  readonly #begun = performance.now();
  /** Moments of the last seconds, for the rate. */
  #history: { at: number; rows: number }[] = [];
  #last: Omit<Progress, 'seconds' | 'phase' | 'transactions' | 'rowsPerSecond'> = {
    rows: 0,
    lagSeconds: 0,
    lagBytes: 0,
    checkpoint: undefined,
  };

  constructor(engine: EngineProcess, workload: Workload, display: ProgressDisplay) {
    this.#engine = engine;
    this.#workload = workload;
    this.#display = display;
  }

  async untilStopped({ seconds, stop }: DemoOptions): Promise<void> {
    const limit = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000;
    for (;;) {
      const left = limit - (performance.now() - this.#begun);
      if (left <= 0 || stop.aborted) return;
      await sleep(Math.min(this.#display.period, left), undefined, { signal: stop }).catch(() => {});
      await this.#show('replicating');
    }
  }

  /** @throws OperatorError DEMO_DRAIN when the engine makes no progress any more */
  async untilDrained(position: bigint): Promise<void> {
    let reached = 0n;
    let deadline = performance.now() + DRAIN_LIMIT_MS;
    for (;;) {
      await this.#show('draining');
      const checkpoint = lsnValue(this.#last.checkpoint ?? '0/0');
      if (checkpoint > position) return;
      if (checkpoint > reached) deadline = performance.now() + DRAIN_LIMIT_MS;
      reached = checkpoint;
      if (performance.now() > deadline) {
        throw new OperatorError(
          'DEMO_DRAIN',
          `the checkpoint has not moved beyond ${this.#last.checkpoint ?? 'nothing'} for ${DRAIN_LIMIT_MS / 1000} s; the target lacks rows`,
        );
      }
      await sleep(this.#display.period);
    }
  }

  async #show(phase: string): Promise<void> {
    this.#last = (await this.#engine.sample()) ?? this.#last;
    const now = performance.now();
    this.#history = [...this.#history.filter(({ at }) => now - at < 3000), { at: now, rows: this.#last.rows }];
    const first = this.#history[0];
    this.#display.show({
      ...this.#last,
      phase,
      seconds: (now - this.#begun) / 1000,
      transactions: this.#workload.committed,
      rowsPerSecond: now > first.at ? ((this.#last.rows - first.rows) * 1000) / (now - first.at) : 0,
    });
  }
}
