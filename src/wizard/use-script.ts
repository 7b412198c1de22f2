import { useCallback, useEffect, useRef, useState } from 'react';
import { OperatorError } from '../errors.ts';
import { type ScriptDescription, scriptEffects } from '../userscript/describe-script.ts';

/** What became of looking at a userscript. */
export interface ScriptVerdict {
  /** Why it cannot be used. */
  readonly problem: string | undefined;
  /** What it does to which rows, a line each; or why that could not be found out. */
  readonly effects: readonly string[];
}

export type CheckScript = (path: string) => Promise<ScriptDescription>;

/**
 * Looks at the userscript at `path` whenever that changes, and anew by `again`, which resolves to undefined when the answer is of
 * no use any more. Without `path` or `check` there is none.
 */
export function useScript(
  path: string | undefined,
  check: CheckScript | undefined,
): {
  readonly verdict: ScriptVerdict | undefined;
  again(): Promise<ScriptVerdict | undefined>;
  /** No answer is wanted any more. */
  forget(): void;
} {
  const [verdict, setVerdict] = useState<ScriptVerdict>();
  const newest = useRef(check);
  newest.current = check;
  const round = useRef(0);
  const again = useCallback(async () => {
    const current = ++round.current;
    const { current: look } = newest;
    if (path === undefined || look === undefined) return undefined;
    const found = await look(path).then(verdictOf, unknown);
    if (current !== round.current) return undefined;
    setVerdict(found);
    return found;
  }, [path]);
  const forget = useCallback(() => {
    round.current++;
  }, []);
  useEffect(() => {
    setVerdict(undefined);
    again().catch(() => {}); // it does not reject
    return forget;
  }, [again, forget]);
  return { verdict, again, forget };
}

function verdictOf(description: ScriptDescription): ScriptVerdict {
  return { problem: description.errors[0]?.message, effects: scriptEffects(description) };
}

/** A server that cannot be asked says nothing of the script. */
function unknown(error: unknown): ScriptVerdict {
  const reason = error instanceof OperatorError ? error.message : String(error);
  return { problem: undefined, effects: [`could not be compared with the tables of the target: ${reason}`] };
}
