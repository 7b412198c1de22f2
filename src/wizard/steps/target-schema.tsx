import { Box, Text } from 'ink';
import { useState } from 'react';
import { flagNamed } from '../../config/flags.ts';
import { Field } from '../../terminal/field.tsx';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { Select } from '../../terminal/select.tsx';
import { useTheme } from '../../terminal/theme.ts';
import type { SchemaSummary } from '../../target/schemas.ts';
import { Loading } from '../loading.tsx';
import { optionProblem } from '../option-list.ts';
import { ANOTHER, schemaItems, schemaProblem } from '../schema-choice.ts';
import type { StepProps } from '../setup-machine.ts';
import { stagingSchemaOf } from '../things.ts';

const FORM = 'target schema';

/** Columns of the labels. */
const LABELS = 'Staging schema'.length;

/** Fifth step, second page: the schema that rows go to, and the one that keeps the progress. */
export function TargetSchemaStep(props: StepProps) {
  const { session, onBack } = props;
  return (
    <Loading
      load={() => session.servers.readSchemas(session.connection('target'))}
      label="reading the schemas of the target"
      onBack={onBack}
    >
      {(schemas) => <Schemas {...props} schemas={schemas} />}
    </Loading>
  );
}

type Focus = 'list' | 'name' | 'staging';

function Schemas({ session, onNext, onBack, schemas }: StepProps & { readonly schemas: readonly SchemaSummary[] }) {
  const { color } = useTheme();
  const { rows } = useBodySize();
  const { answers } = session.replication;
  const draft = session.draft(FORM);
  const [items] = useState(() => schemaItems(session.connection('target'), schemas));
  const answered = answers.targetSchema;
  const listed = items.some(({ value }) => value === answered);
  const [name, setName] = useState(draft?.name ?? (listed ? '' : (answered ?? '')));
  const [staging, setStaging] = useState(draft?.staging ?? stagingSchemaOf(answers));
  const [chosen, setChosen] = useState(listed || answered === undefined ? (answered ?? items[0].value) : ANOTHER);
  const [focus, setFocus] = useState<Focus>('list');
  const [tried, setTried] = useState(false);
  const typed = chosen === ANOTHER;
  const nameError = typed ? schemaProblem(name) : undefined;
  const stagingError = staging === '' ? 'enter a schema' : optionProblem('stagingSchema', staging);

  const type = (changed: { name: string; staging: string }) => {
    setName(changed.name);
    setStaging(changed.staging);
    setTried(false);
    session.keepDraft(FORM, changed);
  };
  const choose = (value: string) => {
    setChosen(value);
    if (value !== ANOTHER) session.change({ targetSchema: value });
    setFocus(value === ANOTHER ? 'name' : 'staging');
  };
  const submit = () => {
    setTried(true);
    if (nameError !== undefined) return setFocus('name');
    if (stagingError !== undefined) return setFocus('staging');
    const { stagingSchema: _, ...options } = session.replication.answers.options ?? {};
    const usual = staging === flagNamed('stagingSchema').default;
    session.change({
      targetSchema: typed ? name.trim() : chosen,
      options: usual ? options : { ...options, stagingSchema: staging },
    });
    onNext();
  };
  const order: readonly Focus[] = typed ? ['list', 'name', 'staging'] : ['list', 'staging'];
  const turn = (by: number) => setFocus(order[(order.indexOf(focus) + by + order.length) % order.length]);
  useKeys([
    { keys: ['tab'], label: 'next field', run: () => turn(1) },
    { keys: ['shift+tab'], label: 'previous field', footer: false, run: () => turn(-1) },
    { keys: ['up'], label: 'previous field', footer: false, run: () => turn(-1) },
    { keys: ['down'], label: 'next field', footer: false, run: () => turn(1) },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line bold>Which schema of the target do the rows go to?</Line>
      <Text> </Text>
      <Select
        items={items}
        initial={chosen}
        onSelect={choose}
        onHighlight={setChosen}
        focus={focus === 'list'}
        limit={Math.max(2, rows - 9)}
      />
      {typed && (
        <Field
          label="Schema"
          labelWidth={LABELS}
          value={name}
          onChange={(value) => type({ name: value, staging })}
          onSubmit={() => (nameError === undefined ? setFocus('staging') : setTried(true))}
          focus={focus === 'name'}
          placeholder="database.schema"
          error={tried ? nameError : undefined}
          hint="If it is not there yet, the checks offer to make it."
        />
      )}
      <Text> </Text>
      <Field
        label="Staging schema"
        labelWidth={LABELS}
        value={staging}
        onChange={(value) => type({ name, staging: value })}
        onSubmit={submit}
        focus={focus === 'staging'}
        error={staging === '' && !tried ? undefined : stagingError}
        hint="Keeps the progress, next to the rows; made at the launch unless it is there."
      />
      {focus !== 'staging' && (
        <Line color={color.muted}>{'  The staging schema keeps the progress of the replication.'}</Line>
      )}
    </Box>
  );
}
