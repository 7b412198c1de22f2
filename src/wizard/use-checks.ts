import { useCallback, useEffect, useRef, useState } from 'react';
import type { Check, CheckResult } from '../preflight/check.ts';

export type RunChecks = (report: (result: CheckResult) => void, signal: AbortSignal) => Promise<CheckResult[]>;

/** A check, with its newest result unless it is being looked at. */
export interface CheckLine {
  readonly check: Check;
  readonly result: CheckResult | undefined;
  readonly running: boolean;
}

export interface Checks {
  /** In the planned order; those that were not planned, as the tables of a target, behind. */
  readonly lines: readonly CheckLine[];
  readonly running: boolean;
  /** Why the checks could not be made at all. */
  readonly failure: unknown;
  /** Looks at everything again; what was found before stays in sight until then. */
  again(): void;
}

interface State {
  readonly results: ReadonlyMap<string, CheckResult>;
  /** Ids that have been reported since the checks were started last. */
  readonly fresh: ReadonlySet<string>;
  readonly running: boolean;
  readonly failure: unknown;
}

const START: State = { results: new Map(), fresh: new Set(), running: true, failure: undefined };

/** Results that arrive together are shown together: at most this many milliseconds later. */
const GATHER = 50;

/** Makes checks while the component is shown, and tells what has been found so far. */
export function useChecks(planned: readonly Check[], run: RunChecks): Checks {
  const [state, setState] = useState(START);
  const [round, setRound] = useState(0);
  const newest = useRef(run);
  newest.current = run;

  useEffect(() => {
    const abort = new AbortController();
    let waiting: CheckResult[] = [];
    let timer: NodeJS.Timeout | undefined;
    const show = () => {
      clearTimeout(timer);
      timer = undefined;
      const arrived = waiting;
      waiting = [];
      setState((now) => {
        const results = new Map(now.results);
        const fresh = new Set(now.fresh);
        for (const result of arrived) {
          results.set(result.id, result);
          fresh.add(result.id);
        }
        return { ...now, results, fresh };
      });
    };
    setState((now) => ({ ...now, fresh: new Set(), running: true, failure: undefined }));
    newest
      .current((result) => {
        if (abort.signal.aborted) return;
        waiting.push(result);
        timer ??= setTimeout(show, GATHER);
      }, abort.signal)
      .then(
        (all) => {
          if (abort.signal.aborted) return;
          clearTimeout(timer);
          // What is not among the results any more is gone, as a table that was taken from the choice.
          const results = new Map(all.map((result) => [result.id, result]));
          setState({ results, fresh: new Set(results.keys()), running: false, failure: undefined });
        },
        (failure: unknown) => {
          if (abort.signal.aborted) return;
          show();
          setState((now) => ({ ...now, running: false, failure }));
        },
      );
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [round]);

  const again = useCallback(() => setRound((count) => count + 1), []);
  const { results, fresh, running, failure } = state;
  const known = new Set(planned.map(({ id }) => id));
  const all: Check[] = [...planned, ...[...results.values()].filter(({ id }) => !known.has(id))];
  const lines = all
    // A check that was planned and is not among the results has turned out not to apply.
    .filter(({ id }) => running || failure !== undefined || results.has(id))
    .map((check) => ({
      check: results.get(check.id) ?? check,
      result: results.get(check.id),
      running: running && !fresh.has(check.id),
    }));
  return { lines, running, failure, again };
}
