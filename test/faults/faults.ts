/** Something that a client asks a server to do. */
export interface Statement {
  /** A simple query, the execution of a prepared statement, or the end of the data of a COPY FROM STDIN. */
  readonly kind: 'query' | 'execute' | 'copyEnd';
  /** The text of the statement; for `copyEnd` that of the COPY. */
  readonly sql: string;
}

/** What happens to a statement instead of being executed and answered. */
export type Fault =
  /** The server does not do it and says so with this SQLSTATE; a COMMIT becomes a ROLLBACK. 57P01 also ends the session. */
  | { readonly kind: 'error'; readonly sqlstate: string }
  /** The server does it, but instead of its answer the client gets this SQLSTATE, usually 40003. */
  | { readonly kind: 'ambiguous'; readonly sqlstate: string }
  /** The server does it, and the connection is lost before the answer arrives. */
  | { readonly kind: 'lostAnswer' }
  /** The connection is lost before the statement reaches the server. */
  | { readonly kind: 'cut' };

export interface FaultRule {
  match(statement: Statement): boolean;
  /** The first matching statement that is hit, counted from 1 and over all connections. Default 1. */
  nth?: number;
  /** How many matching statements in a row are hit. Default 1. */
  times?: number;
  fault: Fault;
}

/** A rule at work. */
export interface Injection {
  /** How often it has struck. */
  readonly fired: number;
  /** Resolves when it has struck for the first time. */
  readonly firstFired: Promise<void>;
  cancel(): void;
}

/** The rules of a proxy, asked for every statement of every connection. */
export class FaultBook {
  readonly #rules = new Set<(statement: Statement) => Fault | undefined>();

  add(rule: FaultRule): Injection {
    const { nth = 1, times = 1, fault } = rule;
    const first = Promise.withResolvers<void>();
    let matched = 0;
    let fired = 0;
    const strike = (statement: Statement): Fault | undefined => {
      if (!rule.match(statement)) return undefined;
      matched += 1;
      if (matched < nth) return undefined;
      fired += 1;
      if (fired >= times) this.#rules.delete(strike);
      first.resolve();
      return fault;
    };
    this.#rules.add(strike);
    return {
      get fired() {
        return fired;
      },
      firstFired: first.promise,
      cancel: () => void this.#rules.delete(strike),
    };
  }

  /** Adds a source of faults that decides for itself. Returns how to take it away. */
  addSource(source: (statement: Statement) => Fault | undefined): () => void {
    this.#rules.add(source);
    return () => void this.#rules.delete(source);
  }

  faultFor(statement: Statement): Fault | undefined {
    for (const strike of this.#rules) {
      const fault = strike(statement);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}

/** True for a statement that ends a transaction by making it durable. */
export function isCommit(statement: Statement): boolean {
  return statement.kind !== 'copyEnd' && /^\s*(commit|end)\b/i.test(statement.sql);
}
