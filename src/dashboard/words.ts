import { formatBytes, formatSeconds } from '../terminal/format.ts';
import { transactionsText } from './position.ts';
import type { LagState, Reading, Trouble } from './reading.ts';

/** The word for a lag as it is shown. */
export const STATE_WORDS: Readonly<Record<LagState, string>> = {
  'caught up': 'caught up (idle)',
  following: 'following',
  behind: 'behind',
  stalled: 'stalled',
};

/** How long ago, rounded so that what is well does not change each second: "just now", "12 s ago", "3 min ago". */
export function ago(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return 'unknown';
  if (milliseconds < 10_000) return 'just now';
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** Seconds and bytes or transactions of lag, as far as they are known: "0.2 s", "45 s, 1.2 GB", "45 s, 12 transactions". */
export function lagAmount({ lag: { seconds, bytes, transactions } }: Reading): string {
  const parts = [
    ...(seconds === undefined ? [] : [formatSeconds(seconds)]),
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
    ...(transactions === undefined ? [] : [transactionsText(transactions)]),
  ];
  return parts.length === 0 ? 'unknown' : parts.join(', ');
}

/** Where it goes: "shrinks, caught up in 4 min 05 s"; empty where nothing can be said. */
export function trendText({ lag: { trend, caughtUpIn } }: Reading): string {
  if (trend === undefined) return '';
  return caughtUpIn === undefined
    ? trend
    : `${trend}, caught up in ${formatSeconds(Math.max(1, Math.round(caughtUpIn)))}`;
}

/** What keeps the log at the source while nobody reads it, and what that costs in time: by the kind of source. */
export function keeperOf({ kind }: Pick<Reading, 'kind'>): { readonly who: string; readonly cost: string } {
  switch (kind) {
    case 'mylogical':
      return {
        who: 'the source keeps the rest in its binary logs',
        cost: 'The source keeps its binary logs only for as long as it is set to: resume before they are removed.',
      };
    case 'oraclelogminer':
      return {
        who: 'the source keeps the rest in its redo logs',
        cost: 'The source keeps archived logs only until somebody removes them: resume before that.',
      };
    default:
      return {
        who: 'the slot keeps the rest at the source',
        cost: "The slot keeps the log at the source until it is resumed, which fills the source's disk in time.",
      };
  }
}

/** That the numbers are old, and how old; undefined while they are those of now. */
export function staleness({ staleFor }: Reading): string | undefined {
  return staleFor === 0 ? undefined : `numbers are ${formatSeconds(Math.round(staleFor / 1000))} old`;
}

/** A problem in one line: when, what, where. */
export function troubleLine({ code, message, table }: Trouble): string {
  const where = table === undefined || message.includes(table) ? '' : ` (${table})`;
  return code === '' ? `${message}${where}` : `${code}: ${message}${where}`;
}

/** The hour of a time, `13:05:09`, by the machine's own time zone. */
export function clockTime(milliseconds: number): string {
  const time = new Date(milliseconds);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
