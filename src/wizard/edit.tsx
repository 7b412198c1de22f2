import { Box } from 'ink';
import { VERSION } from '../config/build.ts';
import type { Replication } from '../sessions/replication.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Prose } from '../terminal/prose.tsx';
import { Screen } from '../terminal/screen.tsx';
import { Select, type SelectItem } from '../terminal/select.tsx';
import { useTheme } from '../terminal/theme.ts';

/** What of a replication can be changed once it has been launched. */
export type Editable = 'options' | 'source' | 'target';

export interface EditProps {
  readonly replication: Replication;
  /** What was changed last, if anything. */
  readonly initial?: Editable;
  onChoose(what: Editable): void;
  onLeave(): void;
}

/** Asks what of a launched replication is to be changed. */
export function Edit({ replication, initial, onChoose, onLeave }: EditProps) {
  const { color } = useTheme();
  const { name, answers } = replication;
  const items: (SelectItem & { readonly value: Editable })[] = [
    { value: 'options', label: 'Options', hint: 'userscript, metrics address, memory, batches' },
    { value: 'source', label: 'Connection to the source', hint: answers.source?.display },
    { value: 'target', label: 'Connection to the target', hint: answers.target?.display },
  ];
  useKeys([{ keys: ['escape', 'q'], label: 'back', run: onLeave }]);
  return (
    <Screen title={`Edit ${name}`} status={`Instar ${VERSION}`}>
      <Box flexDirection="column" flexShrink={0} rowGap={1}>
        <Select items={items} initial={initial} onSelect={(value) => onChoose(value as Editable)} focus />
        <Prose
          text="Tables, the target schema, and what was created at the source stay as they were launched: other ones are another replication."
          color={color.muted}
        />
      </Box>
    </Screen>
  );
}
