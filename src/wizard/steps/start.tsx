import { Box, Text } from 'ink';
import { useState } from 'react';
import type { OperatorError } from '../../errors.ts';
import { errorText } from '../../log/log-error.ts';
import type { MysqlStart } from '../../preflight/mysql-start.ts';
import type { ListedTable } from '../../preflight/source-choices.ts';
import { kitOf } from '../../sessions/source-kits.ts';
import type { StartSetVerdict } from '../../sources/mysql/setup.ts';
import { Dialog } from '../../terminal/dialog.tsx';
import { Field } from '../../terminal/field.tsx';
import { clean, padEnd } from '../../terminal/format.ts';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { foldWords, Prose } from '../../terminal/prose.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { Scroll } from '../../terminal/scroll.tsx';
import { Busy } from '../../terminal/spinner.tsx';
import { useTheme } from '../../terminal/theme.ts';
import { Loading } from '../loading.tsx';
import type { StepProps } from '../setup-machine.ts';
import { existingRowsText, goodText, statusLines } from '../start-choice.ts';

/** What the setup keeps of this page before it is answered. */
const FORM = 'start';

interface Found extends MysqlStart {
  readonly tables: readonly ListedTable[];
}

/** Fourth step, second page of a MySQL source: the GTID set to begin with. */
export function StartStep(props: StepProps) {
  const { session, onBack } = props;
  const { answers } = session.replication;
  return (
    <Loading<Found>
      load={async () => {
        const source = session.connection('source');
        const { servers } = session;
        const wishes = kitOf(answers.kind).wishes(answers, false);
        const [start, choices] = await Promise.all([servers.readStart(source), servers.readChoices(source, wishes)]);
        const wanted = answers.tables ?? 'all';
        const tables = choices.tables.filter(({ name }) => wanted === 'all' || wanted.includes(name));
        return { ...start, tables };
      }}
      label="reading where the binary log stands"
      onBack={onBack}
    >
      {(found, again) => <Start {...props} found={found} again={again} />}
    </Loading>
  );
}

type Verdict =
  | { readonly at: 'asking' }
  | { readonly at: 'told'; readonly verdict: StartSetVerdict }
  | { readonly at: 'failed'; readonly text: string };

function Start({ session, onNext, onBack, found, again }: StepProps & { readonly found: Found; again(): void }) {
  const { color } = useTheme();
  const { rows } = useBodySize();
  const { answers } = session.replication;
  const [text, setText] = useState(session.draft(FORM)?.set ?? answers.startSet ?? found.position.set);
  const [verdict, setVerdict] = useState<Verdict>();
  const [reading, setReading] = useState(false);
  const { title, lines } = statusLines(found.position);
  const width = Math.max(...lines.map(({ name }) => name.length));
  // The set is the last of them.
  const shown = lines.slice(-Math.max(2, rows - 13));
  const existing = existingRowsText(found.tables);
  const refusal = verdict?.at === 'told' && verdict.verdict.state === 'refused' ? verdict.verdict.error : undefined;

  const newest = text === found.position.set;
  const type = (value: string) => {
    setText(value);
    setVerdict(undefined);
    session.keepDraft(FORM, { set: value });
  };
  const accept = (set: string) => {
    session.change({ startSet: set, options: { ...found.options, ...session.replication.answers.options } });
    onNext();
  };
  const check = async () => {
    setVerdict({ at: 'asking' });
    try {
      const all = answers.options?.allDatabases === 'true';
      const told = await session.servers.checkStart(session.connection('source'), text, all);
      const asExpected = newest || (told.state === 'good' && told.pending === '');
      if (told.state === 'good' && told.warnings.length === 0 && asExpected) return accept(told.set);
      setVerdict({ at: 'told', verdict: told });
    } catch (error) {
      setVerdict({ at: 'failed', text: errorText(error) });
    }
  };
  const submit = () => {
    if (verdict?.at === 'asking') return;
    // What there is to say of it has been read.
    if (verdict?.at === 'told' && verdict.verdict.state === 'good') return accept(verdict.verdict.set);
    void check();
  };
  useKeys([
    { keys: ['ctrl+r'], label: 'read again', run: again },
    ...(newest ? [] : [{ keys: ['ctrl+n'], label: 'the newest', run: () => type(found.position.set) }]),
    ...(refusal === undefined ? [] : [{ keys: ['ctrl+o'], label: 'whole text', run: () => setReading(true) }]),
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line bold>After which transactions does the replication begin?</Line>
      <Line color={color.muted}>{`${title}:`}</Line>
      {shown.map(({ name, value }) => (
        <Line key={name}>
          <Text color={color.muted}>{`  ${padEnd(name, width)}  `}</Text>
          <Text>{clean(value)}</Text>
        </Line>
      ))}
      {rows > 12 && <Text> </Text>}
      <Field
        label="GTID set"
        value={text}
        onChange={type}
        onSubmit={submit}
        focus
        placeholder="from the beginning"
        hint={newest ? 'An older one may be typed in instead.' : 'Enter asks the source about it.'}
      />
      {rows > 12 && <Text> </Text>}
      {refusal === undefined ? (
        <Told verdict={verdict} existing={existing} />
      ) : (
        <Refusal error={refusal} rows={rows - shown.length - (rows > 12 ? 6 : 4)} />
      )}
      {reading && refusal !== undefined && (
        <Dialog title="It cannot begin there">
          <Whole text={`${refusal.message}\n\n${refusal.fix ?? ''}`} onClose={() => setReading(false)} />
        </Dialog>
      )}
    </Box>
  );
}

/** What the source says of the set; before it was asked, what becomes of rows that are there already. */
function Told({ verdict, existing }: { verdict: Verdict | undefined; existing: string | undefined }) {
  const { color, symbol } = useTheme();
  if (verdict === undefined) {
    return existing === undefined ? (
      <Line color={color.muted}>The tables hold no rows yet.</Line>
    ) : (
      <Prose text={`${symbol.advisory} ${existing}`} color={color.warning} />
    );
  }
  if (verdict.at === 'asking') return <Busy label="asking the source about it" />;
  if (verdict.at === 'failed') return <Prose text={`${symbol.failed} ${clean(verdict.text)}`} color={color.danger} />;
  const told = verdict.verdict;
  if (told.state === 'refused') return null;
  return (
    <Box flexDirection="column" flexShrink={0}>
      {told.warnings.map(({ code, message }) => (
        <Prose key={code} text={`${symbol.advisory} ${clean(message)}`} color={color.warning} />
      ))}
      <Prose text={`${symbol.passed} ${clean(goodText(told))} Enter goes on.`} color={color.success} />
    </Box>
  );
}

/** Why it cannot begin there and what can be done, as far as there is room. */
function Refusal({ error, rows }: { error: OperatorError; rows: number }) {
  const { color, symbol } = useTheme();
  const { columns } = useBodySize();
  const why = foldWords(`${symbol.failed} ${clean(error.message)}`, columns).map((text) => ({ text, bad: true }));
  const ways = (error.fix ?? '').split('\n').flatMap((line) => foldWords(`  ${clean(line)}`, columns));
  const all = [...why, ...ways.map((text) => ({ text, bad: false }))];
  const cut = all.length > rows;
  return (
    <Box flexDirection="column" flexShrink={0}>
      {(cut ? all.slice(0, Math.max(1, rows - 1)) : all).map(({ text, bad }, at) => (
        <Line key={`${at} ${text}`} color={bad ? color.danger : color.accent}>
          {text}
        </Line>
      ))}
      {cut && <Line color={color.muted}>{`  ${symbol.ellipsis} ^O shows all of it`}</Line>}
    </Box>
  );
}

function Whole({ text, onClose }: { text: string; onClose(): void }) {
  const { rows } = useBodySize();
  useKeys([{ keys: ['escape', 'return', 'ctrl+o'], label: 'close', run: onClose }]);
  return <Scroll text={text} rows={rows} focus />;
}
