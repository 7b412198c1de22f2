import { shortPosition, transactionsText } from '../dashboard/position.ts';
import type { Reading } from '../dashboard/reading.ts';
import type { Replication } from '../sessions/replication.ts';
import type { State } from '../sessions/state.ts';
import { formatAge, formatBytes, formatSeconds } from '../terminal/format.ts';

/** A saved replication, and whether its engine runs or what has become of it. */
export interface Known {
  readonly replication: Replication;
  readonly state: State;
}

/** Something to be told on the next screen. */
export interface News {
  readonly kind: 'info' | 'success' | 'warning' | 'danger';
  readonly title: string;
  readonly text?: string;
}

/** What the engine of a running replication said last: nothing yet, that it could not be reached, or a reading. */
export type Answer = Reading | 'silent' | undefined;

/** A saved replication as the home screen shows it. */
export interface HomeRow {
  readonly name: string;
  readonly state: State;
  /** The state in words. */
  readonly word: string;
  /** Lag and last checkpoint, or how far the setup has come. */
  readonly progress: string;
  /** Since when it is in that state. */
  readonly when: string;
  readonly source: string;
  readonly target: string;
  /** The last error, for those that crashed or could not be launched. */
  readonly trouble: string | undefined;
  /** What Enter does. */
  readonly action: 'attach' | 'resume' | 'continue the setup';
}

const WORDS: Readonly<Record<State, string>> = {
  running: 'running',
  stopped: 'stopped',
  crashed: 'crashed',
  unfinished: 'setup unfinished',
};

/** `now` is in milliseconds since the epoch. */
export function homeRow(replication: Replication, state: State, answer: Answer, now: number): HomeRow {
  const { name, answers, ending } = replication;
  const paused = answer !== undefined && answer !== 'silent' && answer.paused;
  const failed = state === 'crashed' || state === 'unfinished' ? ending : undefined;
  return {
    name,
    state,
    word: state === 'running' && paused ? 'paused' : WORDS[state],
    progress: state === 'unfinished' ? setupProgress(replication) : progress(replication, state, answer),
    when: when(replication, state, now),
    source: answers.source?.display ?? 'no source yet',
    target: answers.target?.display ?? 'no target yet',
    trouble: failed && [failed.code, failed.message ?? vanished(failed.how)].filter(Boolean).join(': '),
    action: state === 'running' ? 'attach' : state === 'unfinished' ? 'continue the setup' : 'resume',
  };
}

function vanished(how: string): string {
  return how === 'killed'
    ? 'the engine vanished without a word, as after kill -9 or a restart of the machine; what is committed is safe'
    : 'the engine gave up';
}

function setupProgress({ step, made }: Replication): string {
  const where = step === undefined ? 'not launched yet' : `stopped at ${step}`;
  return `${where}; ${made.length === 0 ? 'nothing has been created' : 'some things have been created'}`;
}

function progress(replication: Replication, state: State, answer: Answer): string {
  const { seen } = replication;
  const applied = answer === undefined || answer === 'silent' ? undefined : answer.position.applied;
  const checkpoint = applied ?? seen?.checkpoint;
  return [
    state === 'running' ? liveLag(answer) : savedLag(replication),
    checkpoint === undefined ? 'checkpoint not seen yet' : `checkpoint ${shortPosition(checkpoint, CHECKPOINT)}`,
  ].join('; ');
}

function liveLag(answer: Answer): string {
  if (answer === undefined) return 'asking its engine';
  if (answer === 'silent') return 'its engine does not answer';
  const { state, seconds } = answer.lag;
  return seconds === undefined ? state : `${state}, ${formatSeconds(seconds)}`;
}

/** Columns that a checkpoint may take beside the lag. */
const CHECKPOINT = 44;

function savedLag({ seen }: Replication): string {
  if (seen?.lagTransactions !== undefined) return `was ${transactionsText(seen.lagTransactions)} behind`;
  return seen?.lagBytes === undefined ? 'lag not known' : `was ${formatBytes(seen.lagBytes)} behind`;
}

function when({ created, run, ending }: Replication, state: State, now: number): string {
  const ago = (time: string | number) => formatAge(Math.max(0, now - new Date(time).getTime()));
  if (state === 'running') return run === undefined ? '' : `for ${ago(run.started)}`;
  if (state === 'unfinished') return `${ago(created)} ago`;
  return ending === undefined ? '' : `${ago(ending.at)} ago`;
}
