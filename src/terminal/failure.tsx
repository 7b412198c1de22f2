import { Box, Text } from 'ink';
import { Component, type ReactNode, useState } from 'react';
import { clean } from './format.ts';
import { useKeys } from './key-bindings.tsx';
import { Notice } from './notice.tsx';
import { Screen } from './screen.tsx';

interface BoundaryProps {
  readonly children: ReactNode;
  onLeave(error: unknown): void;
}

/** Keeps a screen that fails from ending the program: says what happened, and offers to draw it anew. */
export class FailureBoundary extends Component<BoundaryProps, { failure: { error: unknown } | undefined }> {
  override state: { failure: { error: unknown } | undefined } = { failure: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { failure: { error } };
  }

  override render() {
    const { failure } = this.state;
    if (failure === undefined) return this.props.children;
    return (
      <Failed
        error={failure.error}
        onRetry={() => this.setState({ failure: undefined })}
        onLeave={() => this.props.onLeave(failure.error)}
      />
    );
  }
}

/** Throws while rendering what a key's binding or a timer has thrown, so that the boundary around it shows it. */
export function useThrow(): (error: unknown) => void {
  const [failure, setFailure] = useState<{ error: unknown }>();
  if (failure !== undefined) throw failure.error;
  return (error) => setFailure({ error });
}

function Failed({ error, onRetry, onLeave }: { error: unknown; onRetry(): void; onLeave(): void }) {
  useKeys([
    { keys: ['r'], label: 'draw it again', run: onRetry },
    { keys: ['q', 'escape'], label: 'leave', run: onLeave },
  ]);
  return (
    <Screen title="Something is wrong here">
      <Box flexDirection="column" paddingTop={1}>
        <Notice kind="danger" title="This screen has failed; it is a defect in this program">
          <Text>{clean(error instanceof Error ? error.message || error.name : String(error))}</Text>
          <Text> </Text>
          <Text>What runs in the background goes on running, and nothing has been changed by the failure.</Text>
        </Notice>
      </Box>
    </Screen>
  );
}
