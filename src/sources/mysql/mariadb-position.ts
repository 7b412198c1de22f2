import { OperatorError } from '../../errors.ts';

/** The last transaction of a domain. */
interface Last {
  readonly server: number;
  readonly sequence: bigint;
}

const GTID = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/;
const LARGEST_ID = 2 ** 32 - 1;

/**
 * A MariaDB position, unchangeable: the last transaction of each domain. Unlike a set it has no gaps.
 * @see https://mariadb.com/kb/en/gtid/
 */
export class DomainPosition {
  /** By domain, ascending. */
  readonly #domains: ReadonlyMap<number, Last>;

  static readonly empty = new DomainPosition(new Map());

  private constructor(domains: ReadonlyMap<number, Last>) {
    this.#domains = domains;
  }

  /**
   * Reads `0-1-100,7-2-5`, blanks between the parts allowed.
   * @throws OperatorError MYSQL_GTID_SYNTAX, also when a domain stands there twice
   */
  static parse(text: string): DomainPosition {
    const domains = new Map<number, Last>();
    for (const entry of text.split(',')) {
      const gtid = entry.trim();
      if (gtid === '') continue;
      const match = GTID.exec(gtid);
      const [domain, server] = [Number(match?.[1]), Number(match?.[2])];
      const sequence = match === null ? 0n : BigInt(match[3]);
      if (match === null || domain > LARGEST_ID || server > LARGEST_ID || sequence >> 64n > 0n) {
        throw unreadable(`${JSON.stringify(gtid)} is no domain-server-sequence`);
      }
      if (domains.has(domain)) throw unreadable(`domain ${domain} is named twice`);
      domains.set(domain, { server, sequence });
    }
    return new DomainPosition(sorted(domains));
  }

  get isEmpty(): boolean {
    return this.#domains.size === 0;
  }

  /** After further transactions. */
  with(transactions: Iterable<readonly [domain: number, server: number, sequence: bigint]>): DomainPosition {
    const domains = new Map(this.#domains);
    for (const [domain, server, sequence] of transactions) domains.set(domain, { server, sequence });
    return new DomainPosition(domains.size === this.#domains.size ? domains : sorted(domains));
  }

  /** True when each domain of the other has come at least as far here. */
  covers(other: DomainPosition): boolean {
    for (const [domain, { sequence }] of other.#domains) {
      const mine = this.#domains.get(domain);
      if (mine === undefined || mine.sequence < sequence) return false;
    }
    return true;
  }

  /** Transactions after the other position, of all domains; numbers that were passed over count too. */
  countAfter(other: DomainPosition): bigint {
    let sum = 0n;
    for (const [domain, { sequence }] of this.#domains) {
      const theirs = other.#domains.get(domain)?.sequence ?? 0n;
      if (sequence > theirs) sum += sequence - theirs;
    }
    return sum;
  }

  toString(): string {
    return Array.from(this.#domains, ([domain, { server, sequence }]) => `${domain}-${server}-${sequence}`).join();
  }
}

function sorted(domains: ReadonlyMap<number, Last>): Map<number, Last> {
  return new Map([...domains].sort(([a], [b]) => a - b));
}

function unreadable(problem: string): OperatorError {
  return new OperatorError('MYSQL_GTID_SYNTAX', `the GTID position cannot be read: ${problem}`, {
    fix: 'Write it as the server prints it: 0-1-100,7-2-5\nSELECT @@GLOBAL.gtid_binlog_pos;',
  });
}
