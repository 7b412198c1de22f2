import { useEffect, useRef, useState } from 'react';
import type { ConnectionFacts } from '../preflight/connection-test.ts';

export type ConnectionTest =
  | { readonly at: 'idle' }
  | { readonly at: 'testing' }
  | { readonly at: 'passed'; readonly facts: ConnectionFacts }
  | { readonly at: 'failed'; readonly error: unknown };

const IDLE: ConnectionTest = { at: 'idle' };

/**
 * Tests a connection while it is being entered. `subject` is what is entered; a result is that of its own subject, never of an
 * older one. The test begins `rest` milliseconds after the last change, by itself only when `rest` is given.
 */
export function useConnectionTest(
  subject: string | undefined,
  rest: number | undefined,
  test: () => Promise<ConnectionFacts>,
): { readonly state: ConnectionTest; now(): Promise<ConnectionTest> } {
  const [found, setFound] = useState<{ subject: string; state: ConnectionTest }>();
  const current = useRef({ subject, test, open: true, found });
  current.current = { ...current.current, subject, test, found };
  useEffect(() => {
    current.current.open = true;
    return () => {
      current.current.open = false;
    };
  }, []);

  const now = async (): Promise<ConnectionTest> => {
    const { subject: asked, test: ask } = current.current;
    if (asked === undefined) return IDLE;
    const show = (state: ConnectionTest) => {
      if (current.current.open && current.current.subject === asked) setFound({ subject: asked, state });
      return state;
    };
    show({ at: 'testing' });
    try {
      return show({ at: 'passed', facts: await ask() });
    } catch (error) {
      return show({ at: 'failed', error });
    }
  };
  const begin = useRef(now);
  begin.current = now;

  useEffect(() => {
    if (subject === undefined || rest === undefined || current.current.found?.subject === subject) return;
    const timer = setTimeout(() => void begin.current(), rest);
    return () => clearTimeout(timer);
  }, [subject, rest]);

  return { state: found !== undefined && found.subject === subject ? found.state : IDLE, now };
}
