import type { OperatorError } from '../errors.ts';
import type { Check, CheckResult, CheckSide } from './check.ts';

/** What looking at something came to. */
export type Outcome = Pick<CheckResult, 'found' | 'expected' | 'fix' | 'code' | 'offer'> & {
  readonly state: 'passed' | 'failed';
};

/** A check, and how it is made from the facts of its side. */
export interface Look<Facts> {
  readonly check: Check;
  /** Ids of checks without which it makes no sense; they stand earlier in the list. */
  readonly needs: readonly string[];
  /** A rejection says that it could not be looked at, not that something is wrong. */
  look(facts: Facts): Promise<Outcome>;
}

export function passed(found: string, offer?: CheckResult['offer']): Outcome {
  return { state: 'passed', found, ...(offer && { offer }) };
}

export function failed(found: string, rest: Pick<Outcome, 'expected' | 'fix' | 'code'>): Outcome {
  return { state: 'failed', found, ...rest };
}

/** A failure that the engine would end with. */
export function failedBy(
  error: OperatorError,
  found: string,
  side: CheckSide,
  rest: { readonly expected?: string; readonly statements?: readonly string[]; readonly restart?: boolean } = {},
): Outcome {
  const { expected, statements, restart } = rest;
  const fix =
    error.fix === undefined
      ? undefined
      : { text: error.fix, side, ...(statements && { statements }), ...(restart && { restart }) };
  return { state: 'failed', found, code: error.code, ...(expected && { expected }), ...(fix && { fix }) };
}

/**
 * Looks at everything at once. Each result is reported as soon as it is there; what could not be looked at is skipped and
 * says why, and hides nothing else.
 * @returns all results in the order of `looks`
 * @throws the reason of `signal` when it aborts; nothing is reported afterwards.
 */
export async function lookAtAll<Facts>(
  looks: readonly Look<Facts>[],
  facts: Facts,
  report: (result: CheckResult) => void,
  signal: AbortSignal | undefined,
): Promise<CheckResult[]> {
  signal?.throwIfAborted();
  const results = new Map<string, Promise<CheckResult>>();
  const started = looks.map(({ check, needs, look }) => {
    const result = (async (): Promise<CheckResult> => {
      for (const id of needs) {
        const needed = await results.get(id);
        if (needed !== undefined && needed.state !== 'passed') {
          const found = needed.state === 'skipped' ? needed.found : `not looked at, because of: ${needed.title}`;
          return { ...check, state: 'skipped', found };
        }
      }
      try {
        return { ...check, ...(await look(facts)) };
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        return { ...check, state: 'skipped', found: `could not be looked at: ${cause}` };
      }
    })();
    results.set(check.id, result);
    return result.then((done) => {
      if (signal?.aborted !== true) report(done);
      return done;
    });
  });
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    return await Promise.race([Promise.all(started), aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** `make`, called once however often its result is asked for. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    made.catch(() => {}); // whoever asked for it is told
    return made;
  };
}

/** The first few of a list, and how many more there are. */
export function listed(names: readonly string[], most = 3): string {
  const more = names.length - most;
  return more <= 0 ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${more} more`;
}

/** "1 table", "2 tables". */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
