import { Box, Text } from 'ink';
import { useEffect, useState } from 'react';
import { errorText } from '../log/log-error.ts';
import type { Replication } from '../sessions/replication.ts';
import { Checklist, type ChecklistItem } from '../terminal/checklist.tsx';
import { clean } from '../terminal/format.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Notice } from '../terminal/notice.tsx';
import { Prose } from '../terminal/prose.tsx';
import { useBodySize } from '../terminal/screen.tsx';
import { useTheme } from '../terminal/theme.ts';

export interface LaunchViewProps {
  /** Creates what is needed and starts the engine; tells of each step as it begins and ends. */
  launch(report: (step: ChecklistItem) => void): Promise<Replication>;
  /** What is on the servers now, one thing a line; read after a failure. */
  left(): readonly string[];
  /** Where it has begun, in a few words. */
  begun(replication: Replication): string | undefined;
  /** The engine runs. */
  onRunning(): void;
  onBack(): void;
}

/** Milliseconds that the last step stays in sight before the dashboard opens; Enter opens it at once. */
const SHOWN = 2000;

type Phase =
  | { readonly at: 'working' }
  | { readonly at: 'running'; readonly begun: string | undefined }
  | { readonly at: 'failed'; readonly text: string; readonly left: readonly string[] };

/** The launch, step by step as it happens; after a failure, what was undone and what is left. */
export function LaunchView(props: LaunchViewProps) {
  const { onRunning, onBack } = props;
  const { rows } = useBodySize();
  const { color } = useTheme();
  const { phase, steps, again } = useLaunch(props);
  const working = phase.at === 'working' ? 'it is being launched; a moment' : undefined;
  const runs = phase.at === 'running';
  useEffect(() => {
    if (!runs) return;
    const timer = setTimeout(onRunning, SHOWN);
    return () => clearTimeout(timer);
  }, [runs, onRunning]);
  useKeys([
    ...(phase.at === 'running' ? [{ keys: ['return'], label: 'open the dashboard', run: onRunning }] : []),
    ...(phase.at === 'failed' ? [{ keys: ['r', 'return'], label: 'try again', run: again }] : []),
    { keys: ['escape'], label: 'back', run: onBack, disabled: phase.at === 'running' ? RUNS : working },
    // A launch is never left half done: whoever surrounds this may offer to leave only when it is over.
    ...(phase.at === 'failed'
      ? []
      : [{ keys: ['ctrl+x'], label: 'leave', run: onBack, footer: false, disabled: working ?? RUNS }]),
  ]);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Checklist items={steps} selected={-1} rows={Math.max(3, rows - 10)} />
      <Text> </Text>
      {phase.at === 'running' && (
        <Notice kind="success" title="It is replicating.">
          {[phase.begun, 'The dashboard opens.'].filter((part) => part !== undefined).join(' ')}
        </Notice>
      )}
      {phase.at === 'failed' && (
        <>
          <Notice kind="danger" title="It could not be launched">
            {phase.text}
          </Notice>
          <Text> </Text>
          {phase.left.map((line) => (
            <Prose key={line} text={clean(line)} color={color.muted} />
          ))}
        </>
      )}
    </Box>
  );
}

const RUNS = 'it is running; the dashboard opens';

function useLaunch({ launch, left, begun }: LaunchViewProps) {
  const [phase, setPhase] = useState<Phase>({ at: 'working' });
  const [steps, setSteps] = useState<readonly ChecklistItem[]>([]);
  const [attempt, setAttempt] = useState(0);
  // A launch must not begin again because whoever shows it has drawn it anew.
  const [bound] = useState(() => ({ launch, left, begun }));
  useEffect(() => {
    let open = true;
    setPhase({ at: 'working' });
    setSteps([]);
    const report = (step: ChecklistItem) => {
      if (open) setSteps((before) => merged(before, step));
    };
    bound.launch(report).then(
      (replication) => open && setPhase({ at: 'running', begun: bound.begun(replication) }),
      (error: unknown) => open && setPhase({ at: 'failed', text: errorText(error), left: bound.left() }),
    );
    return () => {
      open = false;
    };
  }, [bound, attempt]);
  return { phase, steps, again: () => setAttempt((count) => count + 1) };
}

/** The steps with `step` in the place of the one that it is news of, or at the end. */
function merged(steps: readonly ChecklistItem[], step: ChecklistItem): readonly ChecklistItem[] {
  const at = steps.findIndex(({ id }) => id === step.id);
  return at < 0 ? [...steps, step] : steps.with(at, step);
}
