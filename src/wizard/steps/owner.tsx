import { Box, Text } from 'ink';
import type { TableOwner } from '../../preflight/oracle-start.ts';
import { counted } from '../../preflight/look.ts';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { Prose } from '../../terminal/prose.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { Select } from '../../terminal/select.tsx';
import { useTheme } from '../../terminal/theme.ts';
import { Loading } from '../loading.tsx';
import type { StepProps } from '../setup-machine.ts';

/** Second step, second page of an Oracle source: whose tables are replicated. */
export function OwnerStep(props: StepProps) {
  const { session, onBack } = props;
  return (
    <Loading
      load={() => session.servers.readOwners(session.connection('source'))}
      label="reading who has tables"
      onBack={onBack}
    >
      {(owners, again) => <Owners {...props} owners={owners} again={again} />}
    </Loading>
  );
}

function Owners({
  session,
  onNext,
  onBack,
  owners,
  again,
}: StepProps & { readonly owners: readonly TableOwner[]; again(): void }) {
  const { color } = useTheme();
  const { rows } = useBodySize();
  useKeys([
    { keys: ['ctrl+r'], label: 'read again', run: again },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  const choose = (owner: string) => {
    // Tables that were chosen of another owner are none of this one.
    const other = owner !== session.replication.answers.sourceSchema;
    session.change({ sourceSchema: owner, ...(other && { tables: undefined, script: undefined }) });
    onNext();
  };
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line bold>Whose tables are replicated?</Line>
      <Text> </Text>
      {owners.length === 0 ? (
        <Prose
          text="This user can see no tables of anybody. Grant it SELECT on those that are to be replicated, then ^R. Where the source has pluggable databases, the URL has to name one: ?pdb=SERVICE"
          color={color.warning}
        />
      ) : (
        <Select
          items={owners.map(({ name, tables }) => ({ value: name, label: name, hint: counted(tables, 'table') }))}
          initial={session.replication.answers.sourceSchema}
          onSelect={choose}
          focus
          limit={Math.max(3, rows - 5)}
        />
      )}
      <Text> </Text>
      <Line color={color.muted}>Which of them is asked after the checks.</Line>
    </Box>
  );
}
