import { Box, Text } from 'ink';
import { useEffect, useMemo, useState } from 'react';
import type { SourceConnection } from '../../config/source-connection.ts';
import { errorText } from '../../log/log-error.ts';
import type { CheckSide } from '../../preflight/check.ts';
import { Form } from '../../terminal/form.tsx';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { Notice } from '../../terminal/notice.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { useTheme } from '../../terminal/theme.ts';
import { draftConnection, draftText, isComplete, withField, withUrl } from '../connection-draft.ts';
import { acceptEntry, type Entry, keepEntry, openEntry, variableProblem } from '../connection-entry.ts';
import { connectionFields, KEEP, type FieldId } from '../connection-fields.ts';
import type { FieldName } from '../connection-form.ts';
import type { ConnectionKeeper } from '../connection-keeper.ts';
import { ConnectionStatus } from '../connection-status.tsx';
import type { StepProps } from '../setup-machine.ts';
import { unfitness } from '../source-setups.ts';
import { useConnectionTest } from '../use-connection-test.ts';

/** Milliseconds without a key after which a connection is tested: after a paste, and while fields are being changed. */
const REST = { pasted: 300, typed: 700 };

/** More characters than one key brings. */
const PASTE = 3;

/** Lines for how the test went, and for the question above the form. */
const STATUS_ROWS = 5;

/** Fields in which a password may be half typed: what is in them is not sent anywhere before they are left. */
const SECRET: readonly FieldId[] = ['url', 'password'];

/** What is asked for each side. */
const QUESTIONS: Readonly<Record<CheckSide, string>> = {
  source: 'Where are the changes read from?',
  target: 'Where are the changes written to? To CockroachDB, or to PostgreSQL.',
};

/** Second step: the connection to the source. */
export function SourceStep({ session, onNext, onBack }: StepProps) {
  return <ConnectionPage keeper={session} onNext={onNext} onBack={onBack} side="source" />;
}

/** Fifth step, first page: the connection to the target. */
export function TargetStep({ session, onNext, onBack }: StepProps) {
  return <ConnectionPage keeper={session} onNext={onNext} onBack={onBack} side="target" />;
}

export interface ConnectionPageProps extends Omit<StepProps, 'session'> {
  readonly keeper: ConnectionKeeper;
  readonly side: CheckSide;
}

/** The form of a connection: tested as soon as it is whole, and kept once it works. */
export function ConnectionPage({ keeper, onNext, onBack, side }: ConnectionPageProps) {
  const { symbol } = useTheme();
  const { rows } = useBodySize();
  const [entry, setEntry] = useState<Entry>(() => openEntry(keeper, side));
  const [focus, setFocus] = useState<FieldId>('url');
  const [pasted, setPasted] = useState(true);
  const [submitted, setSubmitted] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const { draft } = entry;

  const subject = isComplete(draft) ? draftText(draft) : undefined;
  const connection = () => draftConnection(draft, `the ${side} connection`, keeper.env);
  const { state, now } = useConnectionTest(subject, restBefore(focus, pasted, submitted !== undefined), async () =>
    keeper.servers.testConnection(connection(), side),
  );
  const unfit = state.at === 'passed' ? unfitness(side, keeper.replication.answers.kind, state.facts) : undefined;
  const passed = state.at === 'passed';
  const warning = useMemo(
    () => (side === 'target' && passed && isSource(keeper, connection()) ? SAME_DATABASE : undefined),
    [side, passed, subject, keeper],
  );
  const variableError = variableProblem(entry, keeper.env);

  const put = (next: Entry, field: FieldId, isPaste: boolean) => {
    setEntry(next);
    setPasted(isPaste);
    setSubmitted(undefined);
    setProblem(undefined);
    keepEntry(keeper, side, next, field === 'url' && !isPaste);
  };
  const change = (id: string, value: string) => {
    const isPaste = Math.abs(value.length - textOf(entry, id).length) > PASTE;
    switch (id) {
      case 'keep':
        return put({ ...entry, keep: value === KEEP.variable ? 'variable' : 'file' }, id, pasted);
      case 'variable':
        return put({ ...entry, variable: value }, id, pasted);
      case 'url':
        return put({ ...entry, draft: withUrl(draft, value) }, id, isPaste);
      default:
        return put({ ...entry, draft: withField(draft, id as FieldName, value) }, id as FieldId, isPaste);
    }
  };
  const move = (id: string) => {
    // The URL is whole once its field is left.
    if (focus === 'url') keepEntry(keeper, side, entry, false);
    setFocus(id as FieldId);
  };
  const accept = () => {
    try {
      acceptEntry(keeper, side, entry);
    } catch (error) {
      setProblem(errorText(error));
      return;
    }
    onNext();
  };
  const submit = () => {
    if (subject === undefined) return setProblem('Enter a URL, or at least a host.');
    if (variableError !== undefined) return setFocus('variable');
    setSubmitted(subject);
    if (state.at === 'idle' || state.at === 'failed') void now();
  };
  const fits = passed && unfit === undefined;
  const goesOn = submitted !== undefined && submitted === subject && state.at !== 'testing';
  useEffect(() => {
    if (!goesOn) return;
    setSubmitted(undefined);
    if (fits) accept();
  }, [goesOn, fits]);

  useKeys([
    {
      keys: ['ctrl+t'],
      label: 'test again',
      run: () => void now(),
      disabled: subject === undefined ? 'nothing is entered yet' : undefined,
    },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  const fields = connectionFields(entry, { side, focus, env: keeper.env, dot: symbol.mask, variableError });
  const formRows = Math.max(4, Math.min(fields.length + 2, rows - STATUS_ROWS - (rows > 14 ? 2 : 1)));
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line bold>{QUESTIONS[side]}</Line>
      {rows > 14 && <Text> </Text>}
      <Box flexDirection="column" flexShrink={0} height={formRows}>
        <Form fields={fields} onChange={change} onSubmit={submit} current={focus} onMove={move} rows={formRows} />
      </Box>
      <UrlEntered
        active={focus === 'url' && subject !== undefined}
        onEnter={() => (fields.length === 1 ? submit() : move('keep'))}
      />
      {problem !== undefined ? (
        <Notice kind="danger" title="Not yet">
          {problem}
        </Notice>
      ) : (
        <ConnectionStatus test={state} problem={unfit} note={noteOf(entry, connection)} warning={warning} />
      )}
    </Box>
  );
}

/** Enter behind a URL that is whole needs no other field: it leads to the last question. */
function UrlEntered({ active, onEnter }: { active: boolean; onEnter(): void }) {
  useKeys([{ keys: ['return'], label: 'go on', run: onEnter }], { scope: 'control', active });
  return null;
}

/** Milliseconds to wait before a test; undefined while a password may be half typed, or too little is known to make sense. */
function restBefore(focus: FieldId, pasted: boolean, submitted: boolean): number | undefined {
  if (submitted) return undefined;
  if (pasted) return REST.pasted;
  if (SECRET.includes(focus)) return undefined;
  return ['sslmode', 'sslrootcert', 'keep', 'variable'].includes(focus) ? REST.typed : undefined;
}

function textOf({ draft, variable }: Entry, id: string): string {
  if (id === 'url') return draft.url;
  return id === 'variable' || id === 'keep' ? variable : draft.fields[id as FieldName];
}

const SAME_DATABASE = 'This is the database that the changes are read from.';

function isSource(keeper: ConnectionKeeper, { host, port, database }: SourceConnection): boolean {
  try {
    const source = keeper.connection('source');
    return source.host === host && source.port === port && source.database === database;
  } catch {
    return false;
  }
}

/** What to know of what was entered, besides whether it works. */
function noteOf({ draft }: Entry, connection: () => SourceConnection): string | undefined {
  if (draft.encoded) return 'The special characters of the password were encoded.';
  if (!draft.url.trim().startsWith('$')) return undefined;
  try {
    return `${draft.url.trim()} is ${connection().display}`;
  } catch {
    return undefined;
  }
}
