import { Box } from 'ink';
import { useMemo } from 'react';
import { cancelled } from '../../sessions/launch.ts';
import { useCopy } from '../../terminal/clipboard.ts';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { foldWords } from '../../terminal/prose.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { Scroll } from '../../terminal/scroll.tsx';
import { useTheme } from '../../terminal/theme.ts';
import { commandText, launchPlan, planText, undoText } from '../plan.ts';
import { checkedScript } from '../checked-script.ts';
import type { StepProps } from '../setup-machine.ts';
import { useScript } from '../use-script.ts';

/** Seventh step: everything that the launch will do, how to undo it, and how to do the same by hand. */
export function ReviewStep({ session, onNext, onBack }: StepProps) {
  const { answers } = session.replication;
  const made = cancelled(session.replication);
  const { rows, columns } = useBodySize();
  const { color } = useTheme();
  const copy = useCopy();
  const plan = useMemo(() => launchPlan(answers), [answers]);
  const { verdict } = useScript(answers.options?.userscript, (path) => checkedScript(session, path));
  const lines = useMemo(
    () =>
      planText(answers, verdict && [verdict.problem ?? verdict.effects].flat()).flatMap((line) =>
        hanging(line, columns),
      ),
    [answers, verdict, columns],
  );
  useKeys([
    { keys: ['return'], label: 'launch', run: onNext },
    { keys: ['c'], label: 'copy commands', run: () => copy(commandText(plan)) },
    { keys: ['u'], label: 'copy undo script', run: () => copy(undoText(plan)) },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line bold>
        {made.length === 0
          ? 'Nothing has been created yet. Enter launches.'
          : `There already: ${made.join('; ')}. Enter launches.`}
      </Line>
      <Line color={color.muted}>There is no secret in what follows.</Line>
      <Scroll text={lines} rows={Math.max(3, rows - 2)} focus />
    </Box>
  );
}

/** A line folded between words, with what follows set in under it. */
function hanging(line: string, columns: number): string[] {
  const text = line.trimStart();
  const lead = line.slice(0, line.length - text.length);
  const [first] = foldWords(text, columns - lead.length);
  const rest = text.slice(first.length).trimStart();
  if (rest === '') return [lead + first];
  const indent = `${lead}    `;
  return [lead + first, ...foldWords(rest, columns - indent.length).map((part) => indent + part)];
}
