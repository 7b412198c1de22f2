import type { Facts } from './facts.ts';
import { History } from './history.ts';
import { quantile, SlidingHistogram } from './histogram.ts';
import { judgeLag, MANY_TRANSACTIONS, NOISE_BYTES, STUCK_AFTER } from './lag.ts';
import { distanceOf } from './position.ts';
import type { LagState, Reading } from './reading.ts';
import { RetentionClock } from './retention.ts';
import { ScriptModel } from './script.ts';
import { CounterSeries, Series } from './series.ts';
import { stagesOf } from './stages.ts';
import { TableModel } from './table-model.ts';
import { trendOf } from './trend.ts';

/** What rates are taken over, milliseconds. */
const RATE_WINDOW = 5000;
/** What is remembered of a counter. */
const COUNTER_SPAN = 60_000;
/** What p50 and p99 are taken over. */
const QUANTILE_SPAN = 60_000;
/** A lag that changes by less than this within half a minute holds, seconds. */
const NOISE_SECONDS = 1;

/**
 * Makes readings out of what the endpoints tell, look by look: rates out of counters, quantiles out of histograms, and the word
 * for the lag. Times are given in, none is taken from a clock. What it remembers is bounded, however long it runs.
 */
export class ReadingModel {
  readonly #received = new CounterSeries(COUNTER_SPAN);
  readonly #receivedBytes = new CounterSeries(COUNTER_SPAN);
  readonly #rows = new CounterSeries(COUNTER_SPAN);
  readonly #commits = new CounterSeries(COUNTER_SPAN);
  readonly #commitSeconds = new CounterSeries(COUNTER_SPAN);
  readonly #cpu = new CounterSeries(COUNTER_SPAN);
  readonly #position = new CounterSeries(COUNTER_SPAN);
  readonly #dialed = new CounterSeries(COUNTER_SPAN);
  readonly #dialFailures = new CounterSeries(COUNTER_SPAN);
  readonly #counters = [this.#received, this.#receivedBytes, this.#rows, this.#commits, this.#commitSeconds, this.#cpu];
  readonly #ages = new SlidingHistogram(QUANTILE_SPAN);
  readonly #newestAge = new SlidingHistogram(0);
  readonly #backlogSeconds = new Series(COUNTER_SPAN);
  readonly #backlogBytes = new Series(COUNTER_SPAN);
  readonly #backlogTransactions = new Series(COUNTER_SPAN);
  readonly #retention = new RetentionClock();
  readonly #tables = new TableModel();
  readonly #script = new ScriptModel(RATE_WINDOW, COUNTER_SPAN);
  readonly #step: number;
  readonly #history: Readonly<Record<'lag' | 'rows' | 'bytes', History>>;

  #first: number | undefined;
  #startedAt: number | undefined;
  #lastAt: number | undefined;
  /** Since when something has been waiting without a break, as far as was seen. */
  #backlogSince: number | undefined;
  #newestLag: number | undefined;
  #state: LagState | undefined;
  #reading: Reading | undefined;

  /** @param options `step`: milliseconds that a value of the history stands for, a second unless looks are farther apart */
  constructor({ step = 1000 }: { readonly step?: number } = {}) {
    this.#step = step;
    this.#history = { lag: new History(step), rows: new History(step), bytes: new History(step) };
  }

  /** Takes what the endpoints have just told. */
  observe(facts: Facts): Reading {
    const { at } = facts;
    this.#first ??= at;
    const first = this.#first;
    if (isNewProcess(this.#startedAt, facts.startedAt)) this.#restart();
    this.#startedAt = facts.startedAt ?? this.#startedAt;
    this.#count(facts);

    const backlog = (facts.waiting ?? 0) > 0 || (facts.bufferedBytes ?? 0) > 0;
    this.#backlogSince = backlog ? (this.#backlogSince ?? at) : undefined;
    const appliedAt = newest(this.#rows.movedAt, this.#commits.movedAt);
    const stuckFor = this.#backlogSince === undefined ? 0 : (at - Math.max(this.#backlogSince, appliedAt ?? 0)) / 1000;
    const seconds = this.#lagSeconds(facts, backlog, stuckFor, appliedAt);
    const changedAt = newest(this.#received.movedAt, appliedAt) ?? facts.lastEvent ?? first;
    const movedAt = newest(changedAt, this.#position.movedAt, this.#receivedBytes.movedAt) ?? first;
    const positionRate = this.#position.perSecond(COUNTER_SPAN);
    const left = facts.lagBytes ?? facts.waitingTransactions;
    const verdict = judgeLag({
      silence: undefined,
      paused: facts.paused,
      engineState: facts.engineState,
      engineReason: facts.engineReason,
      sourceState: facts.sourceState,
      dialsFail: (this.#dialFailures.movedAt ?? 0) > (this.#dialed.movedAt ?? 0) || neverDialed(facts),
      sinceHeartbeat: secondsSince(at, facts.lastReceived),
      heartbeatLimit: facts.heartbeatLimit,
      waiting: facts.waiting,
      buffered: facts.bufferedBytes,
      stuckFor,
      // What was there before the first look is not known; it may have been moving.
      sinceProgress: (at - Math.max(movedAt, first)) / 1000,
      sinceChange: (at - changedAt) / 1000,
      seconds,
      bytes: facts.lagBytes,
      transactions: facts.waitingTransactions,
      clearIn: left === undefined || !positionRate ? undefined : left / positionRate,
      before: this.#state,
    });
    this.#state = verdict.state;

    if (facts.lagBytes !== undefined) this.#backlogBytes.add(at, facts.lagBytes);
    if (facts.waitingTransactions !== undefined) this.#backlogTransactions.add(at, facts.waitingTransactions);
    if (seconds !== undefined) this.#backlogSeconds.add(at, seconds);
    const trend = this.#trend(verdict.state);
    const rowsPerSecond = this.#rows.perSecond(RATE_WINDOW);
    const bytesPerSecond =
      this.#receivedBytes.perSecond(RATE_WINDOW) ??
      (distanceOf(facts.applied)?.unit === 'bytes' ? this.#position.perSecond(RATE_WINDOW) : undefined);
    // Values are carried over the pauses between looks, not over silence.
    const carry = this.#reading?.silence === undefined;
    this.#history.lag.add(at, seconds, carry);
    this.#history.rows.add(at, rowsPerSecond, carry);
    this.#history.bytes.add(at, bytesPerSecond, carry);
    const ages = this.#ages.window;
    this.#lastAt = at;

    this.#reading = {
      at,
      staleFor: 0,
      silence: undefined,
      source: facts.source,
      target: facts.target,
      kind: facts.kind,
      pid: facts.pid,
      startedAt: facts.startedAt,
      engineState: facts.engineState,
      paused: facts.paused,
      lag: {
        ...verdict,
        seconds,
        bytes: facts.lagBytes,
        transactions: facts.waitingTransactions,
        p50: facts.p50 ?? (ages && quantile(ages, 0.5)),
        p99: facts.p99 ?? (ages && quantile(ages, 0.99)),
        trend: trend.direction,
        caughtUpIn: trend.gone,
        lastEvent: facts.lastEvent ?? appliedAt,
        lastHeartbeat: facts.lastReceived,
      },
      rowsPerSecond,
      bytesPerSecond,
      history: {
        lagSeconds: this.#history.lag.values,
        rowsPerSecond: this.#history.rows.values,
        bytesPerSecond: this.#history.bytes.values,
      },
      position: { source: facts.head, applied: facts.applied, distance: facts.lagBytes },
      retained: this.#retention.look(at, facts.retainedBytes, facts.retentionLimit, facts.walStatus, facts.safeBytes),
      stages: stagesOf({
        state: verdict.state,
        silent: false,
        paused: facts.paused,
        connected: facts.sourceState === undefined ? undefined : facts.sourceState === 'streaming',
        bytesPerSecond,
        changesPerSecond: this.#received.perSecond(RATE_WINDOW),
        rowsPerSecond,
        blocked: facts.sourceBlocked,
        buffered: facts.bufferedBytes,
        bufferLimit: facts.bufferLimit,
        waiting: facts.waiting,
        queueShare: facts.queueShare,
        busy: facts.targetBusy ?? this.#commitSeconds.perSecond(RATE_WINDOW),
        core: this.#cpu.perSecond(RATE_WINDOW),
        stuck: (facts.waiting ?? 0) > 0 && stuckFor >= STUCK_AFTER,
      }),
      tables: this.#tables.look(at, facts.tables),
      script: this.#script.look(at, facts.script),
      mining: facts.mining,
      troubles: facts.troubles,
      deadLetters: facts.deadLetters,
      deadLetterTable: facts.deadLetterTable,
    };
    return this.#reading;
  }

  /**
   * The endpoint has not answered by `now`, for the reason told: the numbers of the last answer, marked with their age. Undefined
   * when it never has answered.
   */
  silent(now: number, reason: string): Reading | undefined {
    const last = this.#reading;
    if (last === undefined || this.#lastAt === undefined) return undefined;
    if (Math.floor(now / this.#step) > Math.floor(this.#lastAt / this.#step)) {
      for (const history of Object.values(this.#history)) history.add(now, undefined, false);
    }
    this.#state = 'stalled';
    this.#reading = {
      ...last,
      staleFor: Math.max(1, now - this.#lastAt),
      silence: reason,
      lag: {
        ...last.lag,
        state: 'stalled',
        reason: `the endpoint does not answer: ${reason}`,
        trend: undefined,
        caughtUpIn: undefined,
      },
      history: {
        lagSeconds: this.#history.lag.values,
        rowsPerSecond: this.#history.rows.values,
        bytesPerSecond: this.#history.bytes.values,
      },
      stages: last.stages.map((stage) => ({ ...stage, bottleneck: false })),
    };
    return this.#reading;
  }

  #count(facts: Facts): void {
    const { at } = facts;
    this.#received.add(at, facts.changesReceived);
    this.#receivedBytes.add(at, facts.receivedBytes);
    this.#rows.add(at, facts.rowsApplied);
    this.#commits.add(at, facts.commits);
    this.#commitSeconds.add(at, facts.commitSeconds);
    this.#cpu.add(at, facts.cpuSeconds);
    this.#position.add(at, distanceOf(facts.applied)?.value);
    this.#dialed.add(at, facts.dialSuccesses);
    this.#dialFailures.add(at, facts.dialFailures);
    if (facts.ages === undefined) return;
    this.#ages.add(at, facts.ages);
    this.#newestAge.add(at, facts.ages);
  }

  /**
   * Age of the newest change applied, as long as changes wait or come, plus the time that nothing was applied though something
   * waits. Zero when nothing waits; at least the time without a word when the source is not heard.
   */
  #lagSeconds(facts: Facts, backlog: boolean, stuckFor: number, appliedAt: number | undefined): number | undefined {
    const { at } = facts;
    const latest = this.#newestAge.window;
    if (facts.newestLag !== undefined) this.#newestLag = facts.newestLag;
    else if (latest !== undefined && latest.count > 0) this.#newestLag = latest.sum / latest.count;
    if (facts.sourceState !== undefined && facts.sourceState !== 'streaming' && facts.lastReceived !== undefined) {
      return Math.max(0, at - facts.lastReceived) / 1000;
    }
    const told = facts.toldLag ?? 0;
    // The age of a change that was applied before anything began to wait says nothing of what waits.
    const isCurrent = appliedAt !== undefined && at - appliedAt <= RATE_WINDOW;
    if (!backlog) return Math.max(told, isCurrent ? (this.#newestLag ?? 0) : 0);
    // At the first look nothing speaks against it.
    const applying = this.#lastAt === undefined || (appliedAt ?? 0) >= (this.#backlogSince ?? at);
    return Math.max(told, (applying ? (this.#newestLag ?? 0) : 0) + stuckFor);
  }

  #trend(state: LagState) {
    if (state === 'caught up') return { direction: undefined, gone: undefined };
    const bytes = this.#backlogBytes.newest;
    if (bytes !== undefined && bytes >= NOISE_BYTES) return trendOf(this.#backlogBytes, NOISE_BYTES);
    if ((this.#backlogTransactions.newest ?? 0) >= MANY_TRANSACTIONS) {
      return trendOf(this.#backlogTransactions, MANY_TRANSACTIONS);
    }
    return trendOf(this.#backlogSeconds, NOISE_SECONDS);
  }

  #restart(): void {
    for (const counter of [...this.#counters, this.#dialed, this.#dialFailures]) counter.restart();
    this.#ages.restart();
    this.#newestAge.restart();
    this.#tables.restart();
    this.#script.restart();
    this.#backlogSince = undefined;
    this.#newestLag = undefined;
  }
}

/** The start is told in seconds, and clocks are corrected by a header with whole seconds. */
function isNewProcess(before: number | undefined, now: number | undefined): boolean {
  return before !== undefined && now !== undefined && Math.abs(now - before) > 2000;
}

/** Only failures since the process began: there is no connection, without another look to compare with. */
function neverDialed({ dialSuccesses, dialFailures }: Facts): boolean {
  return (dialFailures ?? 0) > 0 && dialSuccesses === 0;
}

function newest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function secondsSince(now: number, time: number | undefined): number | undefined {
  return time === undefined ? undefined : Math.max(0, now - time) / 1000;
}
