import { Box, Text } from 'ink';
import { useState } from 'react';
import { counted } from '../../preflight/look.ts';
import { applicationUsers } from '../../sessions/oracle-kit.ts';
import type { StartScn } from '../../sources/oracle/start-scn.ts';
import { Field } from '../../terminal/field.tsx';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { Prose } from '../../terminal/prose.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { useTheme } from '../../terminal/theme.ts';
import { Loading } from '../loading.tsx';
import { existingRows, openLines, scnProblem } from '../scn-choice.ts';
import type { StepProps } from '../setup-machine.ts';

const FORM = 'scn';

/** The flag that says whose transactions count. */
const USERS = 'oracle-application-users';

/** Columns of the labels. */
const LABELS = 'Oldest open transaction'.length;

const FIELDS = ['scn', 'backfill', 'users'] as const;
type FieldName = (typeof FIELDS)[number];

/** Fourth step, second page of an Oracle source: the SCNs to begin with, and whose open transactions count for them. */
export function ScnStep(props: StepProps) {
  const { session, onBack } = props;
  const [narrowed, setNarrowed] = useState(0);
  return (
    <Loading
      key={narrowed}
      load={() => session.servers.readScn(session.connection('source'), applicationUsers(session.replication.answers))}
      label="reading the newest SCN and the open transactions"
      onBack={onBack}
    >
      {(start, again) => (
        <Scns
          key={String(start.scn)}
          {...props}
          start={start}
          again={again}
          first={narrowed === 0 ? 'scn' : 'backfill'}
          onNarrowed={() => setNarrowed(narrowed + 1)}
        />
      )}
    </Loading>
  );
}

interface ScnsProps extends StepProps {
  readonly start: StartScn;
  again(): void;
  readonly first: FieldName;
  /** Other users count now: the SCNs have to be read anew. */
  onNarrowed(): void;
}

function Scns({ session, onNext, onBack, start, again, first, onNarrowed }: ScnsProps) {
  const { color, symbol } = useTheme();
  const { rows } = useBodySize();
  const { answers } = session.replication;
  const draft = session.draft(FORM);
  const counting = answers.options?.[USERS] ?? '';
  const [scn, setScn] = useState(draft?.scn ?? answers.startScn ?? String(start.scn));
  const [backfill, setBackfill] = useState(draft?.backfill ?? answers.backfillScn ?? String(start.backfillFrom));
  const [users, setUsers] = useState(counting);
  const [focus, setFocus] = useState<FieldName>(first);
  const [tried, setTried] = useState(false);
  const problem = scnProblem(scn, backfill, start.scn);
  const type = (changed: { scn: string; backfill: string }) => {
    setScn(changed.scn);
    setBackfill(changed.backfill);
    setTried(false);
    session.keepDraft(FORM, changed);
  };
  const newest = () => {
    type({ scn: String(start.scn), backfill: String(start.backfillFrom) });
  };
  /** True when other users count from now on. */
  const narrows = () => {
    if (users.trim() === counting) return false;
    const { [USERS]: _, ...others } = answers.options ?? {};
    const named: Record<string, string> = users.trim() === '' ? {} : { [USERS]: users.trim() };
    session.change({ options: { ...others, ...named }, startScn: undefined, backfillScn: undefined });
    // What was typed stays; the newest SCN has grown older, and goes together with what is open at it.
    session.keepDraft(FORM, scn === String(start.scn) ? {} : { scn });
    onNarrowed();
    return true;
  };
  const turn = (by: number) => {
    if (focus === 'users' && narrows()) return;
    setFocus(FIELDS[(FIELDS.indexOf(focus) + by + FIELDS.length) % FIELDS.length]);
  };
  const submit = () => {
    setTried(true);
    if (problem !== undefined) return setFocus(problem.field);
    session.change({ startScn: scn.trim(), backfillScn: backfill.trim() });
    onNext();
  };
  useKeys([
    { keys: ['tab', 'down'], label: 'next field', run: () => turn(1) },
    { keys: ['shift+tab', 'up'], label: 'field before', run: () => turn(-1), footer: false },
    { keys: ['ctrl+n'], label: 'the newest', run: newest },
    { keys: ['ctrl+r'], label: 'read again', run: again },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  const error = (field: 'scn' | 'backfill') => (tried && problem?.field === field ? problem.text : undefined);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line bold>From which SCN does the replication begin?</Line>
      <Line color={color.muted}>{`The newest one is ${start.scn}.`}</Line>
      {openLines(start, applicationUsers(answers)).map((line) => (
        <Prose key={line} text={line} color={color.muted} />
      ))}
      {start.unknown > 0 && (
        <Prose
          text={`${symbol.advisory} The server does not tell when ${counted(start.unknown, 'open transaction')} began: read again once none is open.`}
          color={color.warning}
        />
      )}
      {rows > 12 && <Text> </Text>}
      <Field
        label="SCN of the copy"
        labelWidth={LABELS}
        value={scn}
        onChange={(value) => type({ scn: value, backfill })}
        onSubmit={() => setFocus('backfill')}
        focus={focus === 'scn'}
        error={error('scn')}
        hint="As of which the existing rows were copied: --scn"
      />
      <Field
        label="Oldest open transaction"
        labelWidth={LABELS}
        value={backfill}
        onChange={(value) => type({ scn, backfill: value })}
        onSubmit={submit}
        focus={focus === 'backfill'}
        error={error('backfill')}
        hint="Where it began: --backfillFromSCN"
      />
      <Field
        label="Users that count"
        labelWidth={LABELS}
        value={users}
        onChange={setUsers}
        onSubmit={() => turn(1)}
        focus={focus === 'users'}
        placeholder="everybody"
        hint="As in APP,BATCH: --oracle-application-users"
      />
      {rows > 12 && <Text> </Text>}
      <Prose text={existingRows(scn, start.scn)} color={color.muted} />
    </Box>
  );
}
