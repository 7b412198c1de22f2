import type { Position } from '../source.ts';
import type { Flavour } from './flavour.ts';
import { GtidSet } from './gtid-set.ts';
import { DomainPosition } from './mariadb-position.ts';

/** A point in the log of a MySQL or MariaDB server: everything that was executed up to it. */
export interface MysqlPosition extends Position {
  readonly flavour: Flavour;
  /** The form of COM_BINLOG_DUMP_GTID. Of a MariaDB position: throws TypeError. */
  encode(): Buffer;
}

/** The GTID of a transaction, as its event has it. */
export type Gtid =
  | {
      readonly flavour: 'mysql';
      /** `uuid`, or `uuid:tag`; in lower case, with hyphens. */
      readonly origin: string;
      readonly number: bigint;
    }
  | { readonly flavour: 'mariadb'; readonly domain: number; readonly server: number; readonly sequence: bigint };

/** A GTID as the servers print it. */
export function gtidText(gtid: Gtid): string {
  return gtid.flavour === 'mysql' ? `${gtid.origin}:${gtid.number}` : `${gtid.domain}-${gtid.server}-${gtid.sequence}`;
}

/** What is known in full: a set, or the last transaction of each domain. */
type Whole = GtidSet | DomainPosition;

/**
 * A whole position, or the one before it and what was added: most positions are never looked at, and those are not worth a
 * set of their own.
 */
class LazyPosition implements MysqlPosition {
  readonly flavour: Flavour;
  /** Says which of two positions of one tracker is the later. */
  readonly #tracker: object | undefined;
  readonly #number: number;
  #before: LazyPosition | undefined;
  #added: Gtid | undefined;
  #whole: Whole | undefined;
  #text: string | undefined;

  constructor(flavour: Flavour, whole: Whole | undefined, tracker?: object, before?: LazyPosition, added?: Gtid) {
    this.flavour = flavour;
    this.#whole = whole;
    this.#tracker = tracker;
    this.#number = before === undefined ? 0 : before.#number + 1;
    this.#before = before;
    this.#added = added;
  }

  get whole(): Whole {
    if (this.#whole !== undefined) return this.#whole;
    const added: Gtid[] = [];
    let at: LazyPosition = this;
    while (at.#whole === undefined) {
      added.push(at.#added!);
      at = at.#before!;
    }
    added.reverse();
    this.#whole = at.#whole instanceof GtidSet ? at.#whole.with(originsOf(added)) : at.#whole.with(domainsOf(added));
    // What came before is needed no more, and may be let go.
    this.#before = undefined;
    this.#added = undefined;
    return this.#whole;
  }

  after(tracker: object, gtid: Gtid): LazyPosition {
    return new LazyPosition(this.flavour, undefined, tracker, this, gtid);
  }

  covers(other: Position): boolean {
    if (!(other instanceof LazyPosition)) throw new TypeError('positions of different kinds cannot be compared');
    if (other.#tracker !== undefined && other.#tracker === this.#tracker) return this.#number >= other.#number;
    const [whole, theirs] = [this.whole, other.whole];
    if (whole instanceof GtidSet && theirs instanceof GtidSet) return theirs.isSubsetOf(whole);
    if (whole instanceof DomainPosition && theirs instanceof DomainPosition) return whole.covers(theirs);
    return false;
  }

  toString(): string {
    this.#text ??= this.whole.toString();
    return this.#text;
  }

  encode(): Buffer {
    const { whole } = this;
    if (!(whole instanceof GtidSet)) throw new TypeError('MariaDB positions have no binary form');
    return whole.encode();
  }
}

function* originsOf(gtids: readonly Gtid[]): Iterable<readonly [string, bigint]> {
  for (const gtid of gtids) if (gtid.flavour === 'mysql') yield [gtid.origin, gtid.number];
}

function* domainsOf(gtids: readonly Gtid[]): Iterable<readonly [number, number, bigint]> {
  for (const gtid of gtids) if (gtid.flavour === 'mariadb') yield [gtid.domain, gtid.server, gtid.sequence];
}

/** Positions made after this many transactions without a look at any are made whole, so that the past can be let go. */
const LONGEST_CHAIN = 4096;

/** Follows a stream, transaction by transaction. */
export class PositionTracker {
  #current: LazyPosition;
  #chain = 0;

  /** @param start the checkpoint; undefined: nothing was executed */
  constructor(flavour: Flavour, start: MysqlPosition | undefined) {
    this.#current = start === undefined ? beginning(flavour) : lazy(start);
  }

  /** Everything up to the transaction that was added last. */
  get current(): MysqlPosition {
    return this.#current;
  }

  /** The position after further transactions. Costs next to nothing: the set is only made when somebody looks at it. */
  add(...gtids: readonly Gtid[]): MysqlPosition {
    for (const gtid of gtids) this.#current = this.#current.after(this, gtid);
    this.#chain += gtids.length;
    if (this.#chain >= LONGEST_CHAIN) {
      this.#chain = 0;
      void this.#current.whole;
    }
    return this.#current;
  }
}

function beginning(flavour: Flavour): LazyPosition {
  return new LazyPosition(flavour, flavour === 'mysql' ? GtidSet.empty : DomainPosition.empty);
}

function lazy(position: Position): LazyPosition {
  if (position instanceof LazyPosition) return position;
  throw new TypeError('not a position of this source');
}

/** `position` as one of MySQL; positions of other sources raise TypeError. */
export function asMysqlPosition(position: Position): MysqlPosition {
  return lazy(position);
}

/**
 * Reads a GTID set of MySQL, `uuid:1-38`, or a position of MariaDB, `0-1-100`.
 * @param empty whose position an empty text is
 * @throws OperatorError MYSQL_GTID_SYNTAX
 */
export function parseMysqlPosition(text: string, empty: Flavour = 'mysql'): MysqlPosition {
  if (/^[\s,]*$/.test(text)) return beginning(empty);
  if (/^\s*,?\s*\d+-\d+-\d+\s*(?:,|$)/.test(text)) return new LazyPosition('mariadb', DomainPosition.parse(text));
  return new LazyPosition('mysql', GtidSet.parse(text));
}

/** How many transactions `later` has that `earlier` has not; undefined when they are of different products. */
export function transactionsBetween(earlier: MysqlPosition, later: MysqlPosition): number | undefined {
  const [from, to] = [lazy(earlier).whole, lazy(later).whole];
  if (from instanceof GtidSet && to instanceof GtidSet) return Number(to.subtract(from).count);
  if (from instanceof DomainPosition && to instanceof DomainPosition) return Number(to.countAfter(from));
  return undefined;
}
