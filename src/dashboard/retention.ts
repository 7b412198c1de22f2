import { formatBytes, formatSeconds } from '../terminal/format.ts';
import type { Reading } from './reading.ts';
import { Series } from './series.ts';

type Retained = Reading['retained'];

/** What is looked back on for the rate, milliseconds; the slot is looked at every ten seconds. */
const WINDOW = 600_000;
const SPACING = 10_000;
/** Less of the past says nothing of hours to come. */
const ENOUGH = 20_000;
/** Bytes per hour below which the log held back does not grow: what an idle server writes. */
const STILL = 4 * 1024 * 1024;

/** Follows how much log the slot holds back at the source, and tells when that comes to its limit. */
export class RetentionClock {
  readonly #held = new Series(WINDOW, SPACING);

  /** @param safe bytes that may still be written before the slot is lost, where the server tells it */
  look(
    at: number,
    held: number | undefined,
    limit: number | undefined,
    walStatus: string | undefined,
    safe?: number,
  ): Retained {
    if (held !== undefined) this.#held.add(at, held);
    const perSecond = this.#held.covered() >= ENOUGH ? this.#held.slope() : undefined;
    const bytesPerHour = perSecond === undefined ? undefined : perSecond * 3600;
    const room = safe ?? (limit === undefined || held === undefined ? undefined : Math.max(0, limit - held));
    const grows = bytesPerHour !== undefined && bytesPerHour > STILL;
    return {
      bytes: held,
      limit,
      walStatus,
      bytesPerHour,
      secondsLeft: grows && room !== undefined ? (3600 * Math.max(0, room)) / bytesPerHour : undefined,
    };
  }
}

/** The log held back, as in "41 GB held; at 2.1 GB/h the 64 GB limit is reached in 11 h"; undefined where nothing is known of it. */
export function retentionSentence({
  bytes,
  limit,
  walStatus,
  bytesPerHour,
  secondsLeft,
}: Retained): string | undefined {
  if (walStatus === 'lost') return 'the source has removed log that the slot needs: it cannot go on once disconnected';
  if (bytes === undefined) return undefined;
  const held = `${formatBytes(bytes)} held`;
  const urgent = walStatus === 'unreserved' ? '; the source is about to remove it' : '';
  if (bytesPerHour === undefined || bytesPerHour <= STILL) {
    const still = bytesPerHour === undefined ? '' : ', not growing';
    return `${held}${limit === undefined ? '' : ` of ${formatBytes(limit)} allowed`}${still}${urgent}`;
  }
  // Two digits are as much as can be foreseen: "2.1 GB", not "2.10 GB".
  const rate = `${formatBytes(Number(bytesPerHour.toPrecision(2))).replace(/(\.\d)0 /, '$1 ')}/h`;
  if (secondsLeft === undefined)
    return `${held}, growing by ${rate}; no limit is known, so it may fill the source's disk`;
  const named = limit === undefined ? 'limit' : `${formatBytes(limit)} limit`;
  return secondsLeft === 0
    ? `${held}; the ${named} is reached${urgent}`
    : `${held}; at ${rate} the ${named} is reached in ${coarse(secondsLeft)}${urgent}`;
}

/** Nobody can foresee minutes of a day. */
function coarse(seconds: number): string {
  if (seconds < 2 * 3600)
    return formatSeconds(seconds < 600 ? seconds : Math.round(seconds / 60) * 60).replace(/ 00 s$/, '');
  const hours = Math.round(seconds / 3600);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}
