import { useCallback, useEffect, useRef, useState } from 'react';

export type Loaded<T> =
  | { readonly at: 'loading'; readonly value: T | undefined }
  | { readonly at: 'there'; readonly value: T }
  | { readonly at: 'failed'; readonly error: unknown; readonly value: T | undefined };

/** What `load` brings; while it is loaded anew, what it brought before stays. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> & { again(): void } {
  const [state, setState] = useState<Loaded<T>>({ at: 'loading', value: undefined });
  const [round, setRound] = useState(0);
  const newest = useRef(load);
  newest.current = load;
  useEffect(() => {
    let open = true;
    setState(({ value }) => ({ at: 'loading', value }));
    newest.current().then(
      (value) => open && setState({ at: 'there', value }),
      (error: unknown) => open && setState(({ value }) => ({ at: 'failed', error, value })),
    );
    return () => {
      open = false;
    };
  }, [round]);
  const again = useCallback(() => setRound((count) => count + 1), []);
  return { ...state, again };
}
