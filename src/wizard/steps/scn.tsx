import { Box, Text } from 'ink';
import { useState } from 'react';
import { applicationUsers } from '../../sessions/oracle-kit.ts';
import type { StartScn } from '../../sources/oracle/start-scn.ts';
import { Field } from '../../terminal/field.tsx';
import { clean } from '../../terminal/format.ts';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { Prose } from '../../terminal/prose.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { useTheme } from '../../terminal/theme.ts';
import { Loading } from '../loading.tsx';
import { existingRows, scnProblem } from '../scn-choice.ts';
import type { StepProps } from '../setup-machine.ts';

const FORM = 'scn';

/** Columns of the labels. */
const LABELS = 'Oldest open transaction'.length;

/** Fourth step of an Oracle source: the SCNs to begin with. */
export function ScnStep(props: StepProps) {
  const { session, onBack } = props;
  const { options } = session.replication.answers;
  return (
    <Loading
      load={() => session.servers.readScn(session.connection('source'), applicationUsers(options))}
      label="reading the newest SCN and the open transactions"
      onBack={onBack}
    >
      {(start, again) => <Scns key={String(start.scn)} {...props} start={start} again={again} />}
    </Loading>
  );
}

function Scns({ session, onNext, onBack, start, again }: StepProps & { readonly start: StartScn; again(): void }) {
  const { color, symbol } = useTheme();
  const { rows } = useBodySize();
  const { answers } = session.replication;
  const draft = session.draft(FORM);
  const [scn, setScn] = useState(draft?.scn ?? answers.startScn ?? String(start.scn));
  const [backfill, setBackfill] = useState(draft?.backfill ?? answers.backfillScn ?? String(start.backfillFrom));
  const [focus, setFocus] = useState<'scn' | 'backfill'>('scn');
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
  const submit = () => {
    setTried(true);
    if (problem !== undefined) return setFocus(problem.field);
    session.change({ startScn: scn.trim(), backfillScn: backfill.trim() });
    onNext();
  };
  const turn = () => setFocus(focus === 'scn' ? 'backfill' : 'scn');
  useKeys([
    { keys: ['tab', 'shift+tab', 'up', 'down'], label: 'other field', run: turn },
    { keys: ['ctrl+n'], label: 'the newest', run: newest },
    { keys: ['ctrl+r'], label: 'read again', run: again },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  const error = (field: 'scn' | 'backfill') => (tried && problem?.field === field ? problem.text : undefined);
  const { oldest, unknown } = start;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line bold>From which SCN does the replication begin?</Line>
      <Line color={color.muted}>{`The newest one is ${start.scn}.`}</Line>
      <Line color={color.muted}>
        {oldest === undefined
          ? 'No transaction is open.'
          : `The oldest open transaction is of ${clean(oldest.user) || 'an unknown user'}, since ${clean(oldest.since)} (SCN ${oldest.scn}).`}
      </Line>
      {unknown > 0 && (
        <Prose
          text={`${symbol.advisory} Of ${unknown} open transactions the server does not tell when they began.`}
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
        hint="As of which the existing rows were copied (--scn)."
      />
      <Field
        label="Oldest open transaction"
        labelWidth={LABELS}
        value={backfill}
        onChange={(value) => type({ scn, backfill: value })}
        onSubmit={submit}
        focus={focus === 'backfill'}
        error={error('backfill')}
        hint="Where the oldest transaction began that was open then (--backfillFromSCN)."
      />
      {rows > 12 && <Text> </Text>}
      <Prose text={existingRows(scn, start.scn)} color={color.muted} />
    </Box>
  );
}
