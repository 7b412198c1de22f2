import { type Fault, isCommit, type Statement } from './faults.ts';
import type { FaultProxy } from './proxy.ts';

export interface ChaosOptions {
  /** Makes the same choices again. */
  seed: number;
  /** Share of statements that are struck, 0 to 1. */
  rate: number;
  /** Also cut or stall all connections at random moments, on average this far apart: streams have few statements. */
  everyMs?: number;
}

/** Random faults at work. */
export interface Chaos {
  /** What struck so far, in order: for the message of a failing test. */
  readonly log: readonly string[];
  stop(): void;
}

/** Lets random faults strike the statements that pass a proxy; `subscribe` hands it every statement. */
export function startChaos(
  proxy: FaultProxy,
  subscribe: (source: (statement: Statement) => Fault | undefined) => () => void,
  options: ChaosOptions,
): Chaos {
  const random = randomNumbers(options.seed);
  const log: string[] = [];
  let stopped = false;
  const timers = new Set<NodeJS.Timeout>();
  const later = (milliseconds: number, action: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!stopped) action();
    }, milliseconds);
    timers.add(timer);
  };
  const stall = (): void => {
    proxy.stall(pick(random, ['toServer', 'toClient', 'both'] as const));
    later(20 + random() * 300, () => proxy.resume());
  };
  const unsubscribe = subscribe((statement) => {
    if (random() >= options.rate) return undefined;
    const fault = pick(random, isCommit(statement) ? COMMIT_FAULTS : STATEMENT_FAULTS);
    log.push(`${fault === 'stall' ? fault : JSON.stringify(fault)} at ${statement.kind} ${statement.sql.slice(0, 60)}`);
    if (fault !== 'stall') return fault;
    stall();
    return undefined;
  });
  const { everyMs } = options;
  const interrupt = (mean: number): void => {
    later(mean * (0.5 + random()), () => {
      const cut = random() < 0.7;
      log.push(cut ? 'cut all' : 'stall all');
      if (cut) proxy.cut(random() < 0.5 ? 'reset' : 'close');
      else stall();
      interrupt(mean);
    });
  };
  if (everyMs !== undefined) interrupt(everyMs);
  return {
    log,
    stop: () => {
      stopped = true;
      unsubscribe();
      for (const timer of timers) clearTimeout(timer);
      proxy.resume();
    },
  };
}

const STATEMENT_FAULTS: readonly (Fault | 'stall')[] = [
  { kind: 'cut' },
  { kind: 'lostAnswer' },
  { kind: 'error', sqlstate: '40001' },
  { kind: 'error', sqlstate: '57P01' },
  'stall',
];

const COMMIT_FAULTS: readonly (Fault | 'stall')[] = [
  ...STATEMENT_FAULTS,
  { kind: 'lostAnswer' },
  { kind: 'ambiguous', sqlstate: '40003' },
];

function pick<Item>(random: () => number, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)];
}

/** Numbers from 0 to 1 that a seed fixes: Mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
