import { Box } from 'ink';
import { useState } from 'react';
import { VERSION } from '../config/build.ts';
import type { Replication } from '../sessions/replication.ts';
import { Prose } from '../terminal/prose.tsx';
import { Screen } from '../terminal/screen.tsx';
import { useTheme } from '../terminal/theme.ts';
import { lockedOptions } from './option-list.ts';
import { OptionsEditor } from './options-editor.tsx';
import type { CheckScript } from './use-script.ts';
import { whenItCounts } from './when-it-counts.ts';

type Options = Readonly<Record<string, string>>;

export interface EditOptionsProps {
  readonly replication: Replication;
  /** True while its engine runs: what is changed counts from its next start on. */
  readonly running: boolean;
  readonly checkScript?: CheckScript;
  save(options: Options): void;
  /** `news` says what was saved, if anything. */
  onLeave(news?: string): void;
}

/** The options of a replication that has been launched, saved together when Enter is pressed. */
export function EditOptions({ replication, running, checkScript, save, onLeave }: EditOptionsProps) {
  const { color } = useTheme();
  const before = replication.answers.options ?? {};
  const [options, setOptions] = useState<Options>(before);
  const changed = differences(before, options);
  const submit = () => {
    if (changed.length === 0) return onLeave();
    save(options);
    onLeave(`${replication.name}: ${changed.join(', ')} saved; counts ${whenItCounts(running)}`);
  };
  return (
    <Screen title={`Options of ${replication.name}`} status={`Instar ${VERSION}`}>
      <Box flexDirection="column" flexShrink={0}>
        <Prose
          text={`${running ? 'It is running: changes count from its next start on.' : 'Changes count from its next start on.'} Enter saves them, Escape leaves everything as it was.`}
          color={color.muted}
        />
        <OptionsEditor
          kind={replication.answers.kind}
          options={options}
          locked={lockedOptions(replication.answers)}
          onChange={setOptions}
          checkScript={checkScript}
          onSubmit={submit}
          onCancel={() => onLeave()}
          labels={{ submit: 'save', cancel: 'leave as it was' }}
          taken={2}
        />
      </Box>
    </Screen>
  );
}

/** The options whose values differ, by name. */
function differences(before: Options, after: Options): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => before[name] !== after[name]);
}
