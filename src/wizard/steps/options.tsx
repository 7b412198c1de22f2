import { Box, Text } from 'ink';
import { useState } from 'react';
import { useTheme } from '../../terminal/theme.ts';
import { OptionsEditor } from '../options-editor.tsx';
import { checkedScript } from '../checked-script.ts';
import type { StepProps } from '../setup-machine.ts';
import { setupOf } from '../source-setups.ts';

/** Sixth step: how the engine is to run. Everything has a default, so Enter is enough. */
export function OptionsStep({ session, onNext, onBack }: StepProps) {
  const { color } = useTheme();
  const { kind } = session.replication.answers;
  const [options, setOptions] = useState(session.replication.answers.options ?? {});
  const change = (changed: Readonly<Record<string, string>>) => {
    setOptions(changed);
    session.change({ options: changed });
  };
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Text color={color.muted} wrap="truncate">
        Everything has a default: Enter goes on. Type to change the selected value.
      </Text>
      <OptionsEditor
        kind={kind}
        options={options}
        locked={setupOf(kind).locked(session.replication.answers)}
        onChange={change}
        checkScript={(path) => checkedScript(session, path)}
        onSubmit={onNext}
        onCancel={onBack}
        labels={{ submit: 'next', cancel: 'back' }}
        taken={1}
      />
    </Box>
  );
}
