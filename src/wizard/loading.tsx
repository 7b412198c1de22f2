import { Box } from 'ink';
import type { ReactNode } from 'react';
import { errorText } from '../log/log-error.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Notice } from '../terminal/notice.tsx';
import { Busy } from '../terminal/spinner.tsx';
import { type Loaded, useLoaded } from './use-loaded.ts';

interface LoadingProps<T> {
  load(): Promise<T>;
  /** What is being done, as in "reading the tables". */
  readonly label: string;
  onBack(): void;
  children(value: T, again: () => void, loading: boolean): ReactNode;
}

/** What depends on an answer of a server: that it is waited for, why it does not come, or what is made of it. */
export function Loading<T>({ load, label, onBack, children }: LoadingProps<T>) {
  const loaded = useLoaded(load);
  if (loaded.value !== undefined && loaded.at !== 'failed')
    return <>{children(loaded.value, loaded.again, loaded.at === 'loading')}</>;
  return <Missing loaded={loaded} again={loaded.again} label={label} onBack={onBack} />;
}

function Missing(props: { loaded: Loaded<unknown>; again(): void; label: string; onBack(): void }) {
  const { loaded, again, label, onBack } = props;
  useKeys([
    {
      keys: ['r'],
      label: 'try again',
      run: again,
      disabled: loaded.at === 'failed' ? undefined : 'it is being tried; a moment',
    },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  return (
    <Box flexDirection="column" flexShrink={0}>
      {loaded.at === 'failed' ? (
        <Notice kind="danger" title="The server does not answer as it should">
          {errorText(loaded.error)}
        </Notice>
      ) : (
        <Busy label={label} />
      )}
    </Box>
  );
}
