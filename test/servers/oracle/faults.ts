import type { OraError } from './answer.ts';

/** Is thrown where a fault cuts the connection off. */
export class Dropped extends Error {}

interface Failure {
  readonly sql: RegExp;
  readonly error: OraError;
  times: number;
}

interface Drop {
  readonly sql: RegExp;
  readonly rows: number | undefined;
}

interface Hold {
  readonly sql: RegExp;
  readonly released: Promise<void>;
}

/** What a test has ordered to go wrong. */
export class Faults {
  #failures: Failure[] = [];
  #drops: Drop[] = [];
  #holds: Hold[] = [];

  fail(sql: RegExp, error: OraError, times: number): void {
    this.#failures.push({ sql, error, times });
  }

  drop(sql: RegExp, rows: number | undefined): void {
    this.#drops.push({ sql, rows });
  }

  hold(sql: RegExp): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = { sql, released: promise };
    this.#holds.push(held);
    return () => {
      this.#holds = this.#holds.filter((other) => other !== held);
      resolve();
    };
  }

  /**
   * Waits or throws as ordered for this statement; returns the rows after which its connection is dropped. `waitFor`
   * throws when the call is stopped while it waits.
   */
  async before(
    sql: string,
    isQuery: boolean,
    waitFor: (work: Promise<void>) => Promise<void>,
  ): Promise<number | undefined> {
    const concerns = (fault: { readonly sql: RegExp }) => sql.search(fault.sql) >= 0;
    for (let held = this.#holds.find(concerns); held !== undefined; held = this.#holds.find(concerns)) {
      await waitFor(held.released);
    }
    const failure = this.#failures.find(concerns);
    if (failure !== undefined) {
      failure.times--;
      this.#failures = this.#failures.filter(({ times }) => times > 0);
      throw failure.error;
    }
    const drop = this.#drops.find(concerns);
    if (drop === undefined) return undefined;
    this.#drops = this.#drops.filter((other) => other !== drop);
    if (drop.rows === undefined || !isQuery) throw new Dropped();
    return drop.rows;
  }
}
