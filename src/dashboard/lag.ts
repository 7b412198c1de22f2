import { formatBytes, formatSeconds } from '../terminal/format.ts';
import { transactionsText } from './position.ts';
import type { LagState } from './reading.ts';

/** What the word for the lag is decided by. Seconds and bytes; undefined where it is not known. */
export interface LagEvidence {
  /** Why the endpoint does not answer; undefined while it does. */
  readonly silence: string | undefined;
  readonly paused: boolean;
  readonly engineState: string | undefined;
  readonly engineReason: string | undefined;
  readonly sourceState: string | undefined;
  /** Attempts to connect to the source fail, and none has succeeded since. */
  readonly dialsFail: boolean;
  /** Time since the last word from the source, and how long that may be. */
  readonly sinceHeartbeat: number | undefined;
  readonly heartbeatLimit: number;
  /** Batches or transactions that wait for the target or are in its hands. */
  readonly waiting: number | undefined;
  /** Bytes received and not applied yet. */
  readonly buffered: number | undefined;
  /** Time that something has waited without anything being committed; 0 while nothing waits. */
  readonly stuckFor: number;
  /** Time since anything moved: changes received, rows applied, the position. */
  readonly sinceProgress: number;
  /** Time since a change was received or applied. */
  readonly sinceChange: number;
  readonly seconds: number | undefined;
  readonly bytes: number | undefined;
  /** Transactions of the source that are not on the target, where they are counted instead of bytes. */
  readonly transactions: number | undefined;
  /** Time to get through `bytes` or `transactions` at the present rate; undefined while the position does not move. */
  readonly clearIn: number | undefined;
  /** The word before this one. */
  readonly before: LagState | undefined;
}

export interface LagVerdict {
  readonly state: LagState;
  readonly reason: string | undefined;
}

/** No commit for this long while something waits: the target is stuck. */
export const STUCK_AFTER = 10;
/** Nothing at all moves for this long though the source has more. */
export const NO_PROGRESS_AFTER = 60;
/** Lag from which on it is behind, and below which it is no more. */
export const BEHIND_FROM = 10;
export const BEHIND_UNTIL = 5;
/** No change for this long: idle. */
export const IDLE_AFTER = 5;
/** Log of a database that does nothing: less than this much of it is nobody's change. */
export const NOISE_BYTES = 1024 * 1024;
/** Transactions that are nobody's concern when it comes to time. */
export const MANY_TRANSACTIONS = 1000;
/** One segment of log. A distance below it says nothing when it comes to time. */
export const SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * How replication is doing, in one of four words. The first that applies:
 *
 * - **stalled**: changes do not get through, or nobody can know that they do. One of: the endpoint is silent; it is paused; the
 *   engine says that it is not streaming; it is not connected to the source, or the source has not said a word for longer than
 *   it ever should while nothing waits here; batches wait and nothing was committed for 10 s; the source has more than 1 MB of
 *   log and nothing whatever has moved for 60 s.
 * - **behind**: changes get through, and the newest are older than 10 s when they do, or it will take more than 10 s to get
 *   through the log that is left (of more than a segment). Until the lag is below 5 s again, so that it does not flicker.
 * - **caught up**: the source is heard (where the endpoint tells), nothing waits, and no change has come for 5 s: an idle source.
 * - **following**: changes come and are applied within that time.
 *
 * A lag of zero seconds is never taken for health by itself: a dead source has one. Nor is the age of the last change taken for
 * lag: that of an idle source grows.
 */
export function judgeLag(evidence: LagEvidence): LagVerdict {
  const stalled = whyStalled(evidence);
  if (stalled !== undefined) return { state: 'stalled', reason: stalled };
  const behind = whyBehind(evidence);
  if (behind !== undefined) return { state: 'behind', reason: behind };
  const { waiting, buffered, bytes, transactions, sinceChange, sinceHeartbeat, sourceState } = evidence;
  const empty = !waiting && !buffered && (bytes ?? 0) < NOISE_BYTES && !transactions;
  if (empty && sinceChange >= IDLE_AFTER) {
    const heard = sinceHeartbeat !== undefined || sourceState !== undefined;
    return {
      state: 'caught up',
      reason: heard ? undefined : 'this endpoint does not tell whether the source is connected',
    };
  }
  return { state: 'following', reason: undefined };
}

function whyStalled(evidence: LagEvidence): string | undefined {
  const { engineState, engineReason, sourceState, sinceHeartbeat, heartbeatLimit, stuckFor, bytes } = evidence;
  const because = engineReason === undefined ? '' : `: ${engineReason}`;
  if (evidence.silence !== undefined) return `the endpoint does not answer: ${evidence.silence}`;
  if (evidence.paused) return 'paused on request; the source keeps its log meanwhile';
  if (engineState !== undefined && engineState !== 'streaming') {
    return `${ENGINE_STATES[engineState] ?? `the engine is ${engineState}`}${because}`;
  }
  if (sourceState !== undefined && sourceState !== 'streaming') {
    return `${SOURCE_STATES[sourceState] ?? `the source is ${sourceState}`}${because}`;
  }
  if (evidence.dialsFail) return 'connections to the source fail';
  const waiting = evidence.waiting ?? 0;
  if (waiting > 0 && stuckFor >= STUCK_AFTER) {
    const what = waiting === 1 ? '1 batch waits' : `${waiting} batches wait`;
    return `${what} and the target has committed nothing for ${formatSeconds(stuckFor)}`;
  }
  // While changes wait here the source may be silent because it is not listened to.
  if (waiting === 0 && sinceHeartbeat !== undefined && sinceHeartbeat > heartbeatLimit) {
    return `no word from the source for ${formatSeconds(sinceHeartbeat)}`;
  }
  const { transactions = 0 } = evidence;
  const unread = (bytes ?? 0) >= NOISE_BYTES || transactions > 0 || (evidence.buffered ?? 0) > 0;
  if (unread && evidence.sinceProgress >= NO_PROGRESS_AFTER) {
    const rest =
      (bytes ?? 0) >= NOISE_BYTES
        ? `${formatBytes(bytes)} of log are left`
        : transactions > 0
          ? `${transactionsText(transactions)} of the source wait`
          : 'a change is half read';
    return `${rest} and nothing has moved for ${formatSeconds(evidence.sinceProgress)}`;
  }
  return undefined;
}

const ENGINE_STATES: Readonly<Record<string, string>> = {
  starting: 'the engine is starting',
  reconnecting: 'the engine connects again',
  paused: 'paused on request; the source keeps its log meanwhile',
  stopping: 'the engine is stopping',
  stopped: 'the engine was stopped',
  failed: 'the engine has failed',
};

const SOURCE_STATES: Readonly<Record<string, string>> = {
  connecting: 'connecting to the source',
  waiting: 'not connected to the source',
};

function whyBehind({
  before,
  seconds,
  bytes,
  transactions,
  clearIn,
  stuckFor,
  waiting,
}: LagEvidence): string | undefined {
  const limit = before === 'behind' ? BEHIND_UNTIL : BEHIND_FROM;
  if (seconds !== undefined && seconds > limit) {
    return (waiting ?? 0) === 0 && stuckFor > limit
      ? `a large transaction has been arriving for ${formatSeconds(stuckFor)}; nothing of it can be applied before its end`
      : `changes are ${formatSeconds(seconds)} old when they reach the target`;
  }
  if (bytes !== undefined && bytes >= SEGMENT_BYTES && (clearIn ?? Number.POSITIVE_INFINITY) > limit) {
    return `${formatBytes(bytes)} of log are left to read and apply`;
  }
  if ((transactions ?? 0) >= MANY_TRANSACTIONS && (clearIn ?? Number.POSITIVE_INFINITY) > limit) {
    return `${transactionsText(transactions ?? 0)} are left to read and apply`;
  }
  return undefined;
}
