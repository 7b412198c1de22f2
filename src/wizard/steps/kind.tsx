import { Box, Text } from 'ink';
import { useState } from 'react';
import { errorText } from '../../log/log-error.ts';
import type { SourceKind } from '../../sessions/replication.ts';
import { kitOf } from '../../sessions/source-kits.ts';
import { Field } from '../../terminal/field.tsx';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Select, type SelectItem } from '../../terminal/select.tsx';
import { useTheme } from '../../terminal/theme.ts';
import type { StepProps } from '../setup-machine.ts';
import { SOURCE_SETUPS } from '../source-setups.ts';

const KINDS: readonly SelectItem[] = SOURCE_SETUPS.map(({ kind, hint }) => ({
  value: kind,
  label: kitOf(kind).name,
  hint,
}));

/** First step: what the replication is called, and what it reads from. */
export function KindStep({ session, onNext, onBack }: StepProps) {
  const { color } = useTheme();
  const [name, setName] = useState(session.draft('kind')?.name ?? session.replication.name);
  const [problem, setProblem] = useState<string>();
  const [focus, setFocus] = useState<'name' | 'kind'>('name');
  const turn = () => setFocus(focus === 'name' ? 'kind' : 'name');
  const choose = async (kind: string) => {
    try {
      await session.rename(name.trim());
    } catch (error) {
      setProblem(errorText(error));
      setFocus('name');
      return;
    }
    session.choose(kind as SourceKind);
    onNext();
  };
  useKeys([
    { keys: ['tab', 'shift+tab'], label: focus === 'name' ? 'to the source' : 'to the name', run: turn },
    { keys: ['down'], label: 'to the source', footer: false, run: turn },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  return (
    <Box flexDirection="column" flexShrink={0} rowGap={1}>
      <Text bold>What do you replicate from, and what shall it be called?</Text>
      <Field
        label="Name"
        value={name}
        onChange={(value) => {
          setName(value);
          setProblem(undefined);
          session.keepDraft('kind', { name: value });
        }}
        onSubmit={() => setFocus('kind')}
        focus={focus === 'name'}
        error={problem}
        hint="It is resumed by this name. Letters, digits, - _ and ."
      />
      <Box flexDirection="column" flexShrink={0}>
        <Text color={focus === 'kind' ? color.accent : undefined} bold={focus === 'kind'}>
          {'  Source'}
        </Text>
        <Box flexShrink={0} paddingLeft={2}>
          <Select
            items={KINDS}
            initial={session.replication.answers.kind}
            onSelect={(kind) => void choose(kind)}
            focus={focus === 'kind'}
          />
        </Box>
      </Box>
    </Box>
  );
}
