import { Box, Text } from 'ink';
import { useState } from 'react';
import type { Answers } from '../../sessions/replication.ts';
import { Choice } from '../../terminal/confirm.tsx';
import { clean } from '../../terminal/format.ts';
import { Form, type FormField } from '../../terminal/form.tsx';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { Table, type TableColumn } from '../../terminal/table.tsx';
import { useTheme } from '../../terminal/theme.ts';
import { Loading } from '../loading.tsx';
import type { SourceChoices } from '../servers.ts';
import type { StepProps } from '../setup-machine.ts';
import {
  type Existing,
  type Names,
  namesFrom,
  publicationNameProblem,
  slotLine,
  slotNameProblem,
  takenNames,
} from '../slot-choice.ts';

/** What the setup keeps of this page before it is answered. */
const FORM = 'slot';

const COLUMNS: readonly TableColumn[] = [
  { title: 'slots of this server', width: 20 },
  { title: 'database', width: 12, priority: 2 },
  { title: 'plugin', width: 10, priority: 3 },
  { title: 'state', width: 15, priority: 1 },
  { title: 'log kept', width: 9, align: 'right', priority: 1 },
];

/** Fourth step, second page: what publication and slot are called, or which existing ones are used. */
export function SlotStep(props: StepProps) {
  const { session, onBack } = props;
  return (
    <Loading
      load={async () => session.servers.readChoices(session.connection('source'), {})}
      label="reading the slots of the source"
      onBack={onBack}
    >
      {(choices) => <SlotForm {...props} choices={choices} />}
    </Loading>
  );
}

function SlotForm({ session, onNext, onBack, choices }: StepProps & { readonly choices: SourceChoices }) {
  const { color } = useTheme();
  const size = useBodySize();
  const { answers, made } = session.replication;
  // What a launch that was broken off has made is ours already.
  const ours = (what: Existing['what'], name: string) =>
    made.some((thing) => thing.what === what && thing.name === name);
  const publications = choices.publications.filter(({ name }) => !ours('publication', name));
  const slots = choices.slots.filter(({ name }) => !ours('slot', name));
  const creates = answers.publication?.create !== false;
  const [names, setNames] = useState<Names>(() => namesFrom(answers, session.draft(FORM)));
  const [focus, setFocus] = useState<keyof Names>('slot');
  const [asking, setAsking] = useState<Existing>();
  /** Names that the operator has agreed to use as they are. */
  const [agreed, setAgreed] = useState<readonly string[]>(answers.slot?.create === false ? ['slot'] : []);

  const taken = takenNames(names, creates, publications, slots);
  const of = (what: Existing['what']) => taken.find((existing) => existing.what === what);
  const problems = {
    publication: creates ? publicationNameProblem(names.publication) : undefined,
    slot: of('slot')?.problem ?? slotNameProblem(names.slot),
  };
  const change = (id: string, value: string) => {
    const changed = { ...names, [id]: value };
    setNames(changed);
    setAgreed([]);
    session.keepDraft(FORM, { ...changed });
  };
  const finish = (using: readonly string[]) => {
    const next: Partial<Answers> = { slot: { name: names.slot, create: !using.includes('slot') } };
    const existing = publications.find(({ name }) => name === names.publication);
    if (creates && using.includes('publication') && existing !== undefined) {
      next.publication = { name: existing.name, create: false };
      next.tables = existing.allTables ? 'all' : existing.tables;
    } else if (creates) next.publication = { name: names.publication, create: true };
    session.change(next);
    onNext();
  };
  const submit = (using: readonly string[]) => {
    // A publication that is used as it is may make an older slot usable: it is asked about first.
    const open = taken.find(({ what }) => !using.includes(what));
    if (open?.what === 'publication') return setAsking(open);
    for (const field of ['publication', 'slot'] as const) if (problems[field] !== undefined) return setFocus(field);
    if (open !== undefined) return setAsking(open);
    finish(using);
  };
  useKeys([{ keys: ['escape'], label: 'back', run: onBack }]);

  const fields: FormField[] = [
    ...(creates
      ? [
          {
            id: 'publication',
            label: 'Publication',
            value: names.publication,
            hint: hintOf(of('publication'), 'Made at the launch. It says which tables are sent.'),
            error: problems.publication,
          },
        ]
      : []),
    {
      id: 'slot',
      label: 'Slot',
      value: names.slot,
      hint: hintOf(of('slot'), 'Made at the launch. It keeps the log until the target has the changes.'),
      error: problems.slot,
    },
  ];
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line bold>What shall they be called at the source?</Line>
      <Line color={color.muted}>
        {creates
          ? 'A name that exists is taken as an offer to use it.'
          : `Publication ${answers.publication?.name} exists and is used as it is.`}
      </Line>
      <Text> </Text>
      <Form
        fields={fields}
        onChange={change}
        onSubmit={() => submit(agreed)}
        current={focus}
        onMove={(id) => setFocus(id as keyof Names)}
      />
      <Text> </Text>
      {slots.length === 0 ? (
        <Line color={color.muted}>This server has no slots yet.</Line>
      ) : (
        <Table columns={COLUMNS} rows={slots.map(slotLine)} height={Math.max(2, size.rows - 5 - 2 * fields.length)} />
      )}
      {asking !== undefined && (
        <Choice
          question={`The source has a ${asking.what === 'slot' ? 'slot' : 'publication'} ${asking.name} already.`}
          detail={`If it is used: ${asking.meaning}.`}
          items={[
            { value: 'use', label: `use ${asking.name} as it is` },
            { value: 'other', label: 'take another name' },
          ]}
          onAnswer={(answer) => {
            setAsking(undefined);
            if (answer !== 'use') return setFocus(asking.what);
            setAgreed([...agreed, asking.what]);
            submit([...agreed, asking.what]);
          }}
        />
      )}
    </Box>
  );
}

function hintOf(existing: Existing | undefined, otherwise: string): string {
  return existing === undefined ? otherwise : `It exists already; if it is used, ${clean(existing.meaning)}.`;
}
