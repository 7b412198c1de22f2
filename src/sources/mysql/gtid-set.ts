import { OperatorError } from '../../errors.ts';

/** Transaction numbers from `first` to `last`, both included. */
interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/** The largest transaction number: 2^63 - 2. */
const LARGEST = (1n << 63n) - 2n;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const BARE_UUID = /^[0-9a-f]{32}$/i;
const BRACED = /^\{([^{}]*-[^{}]*)\}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/i;
const INTERVAL = /^(\d+)(?:\s*-\s*(\d+))?$/;
const UUID_BYTES = 16;

/**
 * A MySQL GTID set, unchangeable: for each origin, which is a server's UUID and perhaps a tag, the intervals of its
 * transactions. Sets share what they have in common.
 * @see https://dev.mysql.com/doc/refman/en/replication-gtids-concepts.html
 */
export class GtidSet {
  /** By origin (`uuid` or `uuid:tag`), in the order of printing. Intervals are in order and neither touch nor overlap. */
  readonly #origins: ReadonlyMap<string, readonly Interval[]>;

  static readonly empty = new GtidSet(new Map());

  private constructor(origins: ReadonlyMap<string, readonly Interval[]>) {
    this.#origins = origins;
  }

  /**
   * Reads what MySQL prints and what it accepts: blanks and line ends anywhere between the parts, capitals, UUIDs in braces or
   * without hyphens, origins named several times, intervals in any order. Refused is what MySQL reads as no transactions at
   * all, a range that ends before it begins or a UUID or tag with nothing behind it, as it is a mistake that would start a
   * replication somewhere else.
   * @throws OperatorError MYSQL_GTID_SYNTAX
   */
  static parse(text: string): GtidSet {
    const origins = new Map<string, Interval[]>();
    for (const entry of text.split(',')) {
      if (entry.trim() === '') continue;
      const [server, ...items] = entry.split(':').map((item) => item.trim());
      const uuid = canonicalUuid(server);
      if (uuid === undefined) throw unreadable(`${JSON.stringify(server)} is no server UUID`);
      if (items.length === 0) throw unreadable(`no transactions are named of ${server}`);
      let origin = uuid;
      let tag = '';
      let awaited = true;
      for (const item of items) {
        const interval = INTERVAL.exec(item);
        if (interval === null) {
          if (!TAG.test(item)) throw unreadable(`${JSON.stringify(item)} is neither a number, nor a range, nor a tag`);
          if (awaited && tag !== '') throw unreadable(`no transactions are named of the tag ${tag}`);
          tag = item.toLowerCase();
          origin = `${uuid}:${tag}`;
          awaited = true;
          continue;
        }
        awaited = false;
        const first = BigInt(interval[1]);
        const last = interval[2] === undefined ? first : BigInt(interval[2]);
        if (first === 0n || last > LARGEST) throw unreadable(`transaction numbers go from 1 to ${LARGEST}`);
        if (last < first) throw unreadable(`the range ${item} ends before it begins`);
        const intervals = origins.get(origin);
        if (intervals === undefined) origins.set(origin, [{ first, last }]);
        else intervals.push({ first, last });
      }
      if (awaited) throw unreadable(`no transactions are named of the tag ${tag}`);
    }
    return GtidSet.#of(origins);
  }

  /**
   * Reads the binary form, as in a PREVIOUS_GTIDS event.
   * @throws RangeError when it is cut short
   */
  static decode(buffer: Buffer, start: number, end: number): GtidSet {
    const data = buffer.subarray(start, end);
    const head = data.readBigUInt64LE(0);
    const tagged = head >> 56n === 1n;
    let left = tagged ? Number((head >> 8n) & 0xffff_ffff_ffffn) : Number(head);
    const origins = new Map<string, Interval[]>();
    for (let at = 8; left > 0; left--) {
      let origin = uuidText(data, at);
      at += UUID_BYTES;
      if (tagged) {
        const length = data.readUInt8(at) >> 1;
        if (length > 0) origin += `:${data.toString('latin1', at + 1, at + 1 + length)}`;
        at += 1 + length;
      }
      const intervals: Interval[] = origins.get(origin) ?? [];
      let count = Number(data.readBigUInt64LE(at));
      for (at += 8; count > 0; count--, at += 16) {
        intervals.push({ first: data.readBigUInt64LE(at), last: data.readBigUInt64LE(at + 8) - 1n });
      }
      origins.set(origin, intervals);
    }
    return GtidSet.#of(origins);
  }

  static #of(origins: ReadonlyMap<string, readonly Interval[]>): GtidSet {
    const merged = [...origins].map(([origin, intervals]) => [origin, merge(intervals)] as const);
    return new GtidSet(new Map(merged.filter(([, intervals]) => intervals.length > 0).sort(byOrigin)));
  }

  get isEmpty(): boolean {
    return this.#origins.size === 0;
  }

  /** How many transactions are in it. */
  get count(): bigint {
    let sum = 0n;
    for (const intervals of this.#origins.values()) for (const { first, last } of intervals) sum += last - first + 1n;
    return sum;
  }

  /** With further transactions, each an origin and a number. */
  with(transactions: Iterable<readonly [origin: string, number: bigint]>): GtidSet {
    const changed = new Map<string, Interval[]>();
    for (const [origin, number] of transactions) {
      let intervals = changed.get(origin);
      if (intervals === undefined) {
        intervals = [...(this.#origins.get(origin) ?? [])];
        changed.set(origin, intervals);
      }
      insert(intervals, number);
    }
    const origins = new Map(this.#origins);
    let sorted = true;
    for (const [origin, intervals] of changed) {
      sorted &&= origins.has(origin);
      origins.set(origin, intervals);
    }
    return new GtidSet(sorted ? origins : new Map([...origins].sort(byOrigin)));
  }

  union(other: GtidSet): GtidSet {
    const origins = new Map(this.#origins);
    for (const [origin, intervals] of other.#origins) {
      origins.set(origin, [...(origins.get(origin) ?? []), ...intervals]);
    }
    return GtidSet.#of(origins);
  }

  /** What is in this set and not in the other. */
  subtract(other: GtidSet): GtidSet {
    const origins = new Map<string, readonly Interval[]>();
    for (const [origin, intervals] of this.#origins) {
      origins.set(origin, without(intervals, other.#origins.get(origin) ?? []));
    }
    return GtidSet.#of(origins);
  }

  /** True when everything in this set is in the other too. */
  isSubsetOf(other: GtidSet): boolean {
    for (const [origin, intervals] of this.#origins) {
      const theirs = other.#origins.get(origin);
      if (theirs === undefined || without(intervals, theirs).length > 0) return false;
    }
    return true;
  }

  /** As the servers print it in their normal form, without line ends. */
  toString(): string {
    let text = '';
    let last = '';
    for (const [origin, intervals] of this.#origins) {
      const uuid = origin.slice(0, 36);
      if (uuid === last) text += `:${origin.slice(37)}`;
      else text += `${text === '' ? '' : ','}${origin}`;
      last = uuid;
      for (const interval of intervals) {
        text += interval.first === interval.last ? `:${interval.first}` : `:${interval.first}-${interval.last}`;
      }
    }
    return text;
  }

  /** The binary form of COM_BINLOG_DUMP_GTID; the one that knows tags only where there is a tag, as older servers refuse it. */
  encode(): Buffer {
    const tagged = [...this.#origins.keys()].some((origin) => origin.length > 36);
    const count = BigInt(this.#origins.size);
    const parts = [bigintBytes(tagged ? (1n << 56n) | (count << 8n) | 1n : count)];
    for (const [origin, intervals] of this.#origins) {
      parts.push(Buffer.from(origin.slice(0, 36).replaceAll('-', ''), 'hex'));
      if (tagged) {
        const tag = Buffer.from(origin.slice(37), 'latin1');
        parts.push(Buffer.from([tag.length << 1]), tag);
      }
      parts.push(bigintBytes(BigInt(intervals.length)));
      for (const { first, last } of intervals) parts.push(bigintBytes(first), bigintBytes(last + 1n));
    }
    return Buffer.concat(parts);
  }
}

/** The text of the UUID whose 16 bytes stand at `at`. */
export function uuidText(buffer: Buffer, at: number): string {
  const hex = buffer.toString('hex', at, at + UUID_BYTES);
  if (hex.length < 2 * UUID_BYTES) throw new RangeError('a UUID is cut short');
  return hyphenated(hex);
}

/** A UUID in lower case and with hyphens; undefined when it is none. */
function canonicalUuid(text: string): string | undefined {
  const uuid = (BRACED.exec(text)?.[1] ?? text).toLowerCase();
  if (UUID.test(uuid)) return uuid;
  return BARE_UUID.test(uuid) ? hyphenated(uuid) : undefined;
}

function hyphenated(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function byOrigin([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Puts intervals in order and joins those that touch or overlap. */
function merge(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const interval of intervals.toSorted((a, b) => compare(a.first, b.first))) {
    const last = merged.at(-1);
    if (last === undefined || interval.first > last.last + 1n) merged.push(interval);
    else if (interval.last > last.last) merged[merged.length - 1] = { first: last.first, last: interval.last };
  }
  return merged;
}

/** Adds a number to intervals; nearly always it follows the last one. */
function insert(intervals: Interval[], number: bigint): void {
  let at = intervals.length;
  while (at > 0 && intervals[at - 1].first > number) at--;
  const before = intervals[at - 1];
  const after = intervals[at];
  if (before !== undefined && before.last >= number) return;
  const joinsBefore = before !== undefined && before.last + 1n === number;
  const joinsAfter = after !== undefined && number + 1n === after.first;
  if (joinsBefore) {
    intervals[at - 1] = { first: before.first, last: joinsAfter ? after.last : number };
    if (joinsAfter) intervals.splice(at, 1);
  } else if (joinsAfter) intervals[at] = { first: number, last: after.last };
  else intervals.splice(at, 0, { first: number, last: number });
}

/** What is in `intervals` and not in `others`; both in order. */
function without(intervals: readonly Interval[], others: readonly Interval[]): Interval[] {
  const rest: Interval[] = [];
  let at = 0;
  for (const { first, last } of intervals) {
    let from = first;
    while (at < others.length && others[at].last < from) at++;
    for (let i = at; i < others.length && others[i].first <= last && from <= last; i++) {
      if (others[i].first > from) rest.push({ first: from, last: others[i].first - 1n });
      from = others[i].last + 1n;
    }
    if (from <= last) rest.push({ first: from, last });
  }
  return rest;
}

function bigintBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function unreadable(problem: string): OperatorError {
  return new OperatorError('MYSQL_GTID_SYNTAX', `the GTID set cannot be read: ${problem}`, {
    fix: 'Write it as the server prints it: 77263736-7899-11f0-81a5-0242ac120002:1-38\nSELECT @@GLOBAL.gtid_executed;',
  });
}
