import { Box, Text } from 'ink';
import { useEffect, useState } from 'react';
import { VERSION } from '../config/build.ts';
import { errorText } from '../log/log-error.ts';
import type { CheckResult } from '../preflight/check.ts';
import type { Verdict } from '../preflight/resume.ts';
import type { Replication } from '../sessions/replication.ts';
import type { ResumeResult } from '../sessions/resume.ts';
import { useCopy } from '../terminal/clipboard.ts';
import { clean } from '../terminal/format.ts';
import { Confirm } from '../terminal/confirm.tsx';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { Notice } from '../terminal/notice.tsx';
import { foldWords, Prose } from '../terminal/prose.tsx';
import { Screen, useBodySize } from '../terminal/screen.tsx';
import { Scroll } from '../terminal/scroll.tsx';
import { Select } from '../terminal/select.tsx';
import { Busy } from '../terminal/spinner.tsx';
import { useTheme } from '../terminal/theme.ts';

export interface ResumeOptions {
  /** Told what is being looked at. */
  report(line: string): void;
  /** Goes on without tables that are published no more. */
  readonly acceptTables: boolean;
}

export interface ResumeProps {
  readonly name: string;
  /** Reads the verdict from live facts; starts nothing. Undefined when the engine runs and there is nothing to judge. */
  judge(options: ResumeOptions): Promise<Verdict | undefined>;
  /** Starts the engine, or attaches to the one that runs; resolves without it when it is not safe any more. */
  start(options: ResumeOptions): Promise<ResumeResult>;
  onRunning(replication: Replication): void;
  /** Options or connections have to be others. */
  onEdit(): void;
  onRemove(): void;
  onLeave(): void;
}

type Phase =
  | { readonly at: 'judging' }
  | { readonly at: 'starting'; readonly verdict: Verdict | undefined }
  | { readonly at: 'refused'; readonly verdict: Verdict }
  | { readonly at: 'failed'; readonly verdict: Verdict | undefined; readonly text: string };

/** Resumes without a question when that is safe; stops, says what would be lost and offers ways out when it is not. */
export function ResumeScreen(props: ResumeProps) {
  const { name, onEdit, onRemove, onLeave } = props;
  const { phase, said, again } = useResume(props);
  const busy = phase.at === 'judging' || phase.at === 'starting';
  useKeys([
    ...(busy
      ? []
      : [
          { keys: ['r'], label: 'check again', run: () => again() },
          { keys: ['e'], label: 'edit', run: onEdit },
          { keys: ['x'], label: 'remove', run: onRemove },
        ]),
    { keys: ['escape', 'q'], label: 'back', run: onLeave, disabled: phase.at === 'starting' ? STARTING : undefined },
  ]);
  return (
    <Screen title={`Resume ${name}`} status={`Instar ${VERSION}`}>
      {phase.at === 'refused' ? (
        <Refused verdict={phase.verdict} onAcceptTables={() => again(true)} />
      ) : (
        <Box flexDirection="column" flexShrink={0}>
          {phase.at !== 'judging' && phase.verdict !== undefined && <Lines verdict={phase.verdict} />}
          {phase.at === 'failed' && (
            <Notice kind="danger" title="It does not run">
              {phase.text}
            </Notice>
          )}
          {phase.at === 'judging' && <Busy label={said ?? 'looking at source and target'} />}
          {phase.at === 'starting' && <Busy label={said ?? 'starting the engine'} />}
        </Box>
      )}
    </Screen>
  );
}

/** The flag by which a way out is known that can be gone from here. */
const WITHOUT_TABLES = '--acceptTables';

const STARTING = 'the engine is being started; a moment';

/** Judges, then starts when that is safe. */
function useResume({ judge, start, onRunning }: ResumeProps) {
  const [phase, setPhase] = useState<Phase>({ at: 'judging' });
  const [said, setSaid] = useState<string>();
  const [attempt, setAttempt] = useState({ acceptTables: false });
  // An attempt must not begin again because whoever shows this screen has drawn it anew.
  const [bound] = useState(() => ({ judge, start, onRunning }));
  useEffect(() => {
    let open = true;
    const options: ResumeOptions = {
      report: (line) => open && setSaid(clean(line)),
      acceptTables: attempt.acceptTables,
    };
    const go = (next: Phase) => {
      if (!open) return;
      setSaid(undefined);
      setPhase(next);
    };
    const run = async () => {
      let verdict: Verdict | undefined;
      try {
        go({ at: 'judging' });
        verdict = await bound.judge(options);
        if (!open) return;
        if (verdict?.safe === false) return go({ at: 'refused', verdict });
        go({ at: 'starting', verdict });
        const result = await bound.start(options);
        if (result.replication !== undefined) bound.onRunning(result.replication);
        else if (result.verdict !== undefined) go({ at: 'refused', verdict: result.verdict });
      } catch (error) {
        go({ at: 'failed', verdict, text: errorText(error) });
      }
    };
    void run();
    return () => {
      open = false;
    };
  }, [bound, attempt]);
  const again = (acceptTables = false) => setAttempt({ acceptTables });
  return { phase, said, again };
}

/** The verdict in two lines, and what is to be known though it does not stand in the way. */
function Lines({ verdict }: { verdict: Verdict }) {
  const { color, symbol } = useTheme();
  const advice = verdict.findings.filter(({ state, severity }) => state === 'failed' && severity === 'advisory');
  return (
    <Box flexDirection="column" flexShrink={0} marginBottom={1}>
      <Prose text={clean(verdict.lines[0])} />
      <Prose
        text={`${verdict.safe ? symbol.passed : symbol.failed} ${clean(verdict.lines[1])}`}
        color={verdict.safe ? color.success : color.danger}
        bold
      />
      {advice.map(({ id, title, found }) => (
        <Prose key={id} text={`${symbol.advisory} ${title}: ${clean(found)}`} color={color.warning} />
      ))}
    </Box>
  );
}

function Refused({ verdict, onAcceptTables }: { verdict: Verdict; onAcceptTables(): void }) {
  const { rows, columns } = useBodySize();
  const { color } = useTheme();
  const copy = useCopy();
  const { waysOut, findings } = verdict;
  const [highlighted, setHighlighted] = useState(0);
  const [opened, setOpened] = useState(false);
  const [asking, setAsking] = useState(false);
  const way = waysOut[highlighted];
  useKeys(
    [
      { keys: ['c'], label: 'copy this way out', run: () => copy(`${way.text}\n`) },
      ...(opened ? [{ keys: ['escape', 'return'], label: 'back to the list', run: () => setOpened(false) }] : []),
    ],
    { active: way !== undefined },
  );
  if (opened && way !== undefined) {
    return (
      <Box flexDirection="column" flexShrink={0}>
        <Line bold>{way.label}</Line>
        <Scroll text={way.text} rows={Math.max(3, rows - 1)} focus />
      </Box>
    );
  }
  const room = Math.max(3, rows - waysOut.length - 6);
  const told = findingLines(findings, columns, room);
  const free = rows - waysOut.length - 6 - told.length;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Notice kind="danger" title="Not resumed; nothing was started or changed." />
      <Prose text={clean(verdict.lines[0])} />
      <Text> </Text>
      {told.map(({ text, bad }, at) => (
        <Line key={`${at} ${text}`} color={bad ? color.danger : color.muted}>
          {text}
        </Line>
      ))}
      {waysOut.length > 0 && (
        <Box flexDirection="column" flexShrink={0} marginTop={1}>
          <Line color={color.muted}>Ways out (Enter shows one in full):</Line>
          <Select
            items={waysOut.map(({ label, text }, index) => ({
              value: String(index),
              label,
              hint: text.includes(WITHOUT_TABLES) ? 'can be done from here' : undefined,
            }))}
            onSelect={() => (way.text.includes(WITHOUT_TABLES) ? setAsking(true) : setOpened(true))}
            onHighlight={(value) => setHighlighted(Number(value))}
            focus
          />
          <Preview text={way.text} rows={free} />
        </Box>
      )}
      {asking && (
        <Confirm
          question="Go on without the tables that are not published any more?"
          detail="Their rows stay on the target as they are now; what changes in them at the source no longer arrives."
          yes="Go on without them"
          no="Stay here"
          onAnswer={(yes) => (yes ? onAcceptTables() : setAsking(false))}
        />
      )}
    </Box>
  );
}

/** The beginning of the highlighted way out, where there is room for it. */
function Preview({ text, rows }: { text: string; rows: number }) {
  const { color } = useTheme();
  if (rows < 1) return null;
  const shown = text.split('\n').slice(0, rows);
  return (
    <Box flexDirection="column" flexShrink={0} marginTop={1}>
      {shown.map((line, at) => (
        <Line key={`${at} ${line}`} color={color.muted}>{`  ${clean(line)}`}</Line>
      ))}
    </Box>
  );
}

/** What stands in the way, with why that matters as long as there is room for it. */
function findingLines(
  findings: readonly CheckResult[],
  columns: number,
  room: number,
): readonly { text: string; bad: boolean }[] {
  const blocking = findings.filter(({ state, severity }) => state === 'failed' && severity === 'blocking');
  const lines = (withWhy: boolean) =>
    blocking.flatMap(({ title, found, why }) => [
      ...foldWords(`${title}: ${clean(found)}`, columns).map((text) => ({ text, bad: true })),
      ...(withWhy && why !== '' ? foldWords(why, columns - 2).map((text) => ({ text: `  ${text}`, bad: false })) : []),
    ]);
  const full = lines(true);
  return full.length <= room ? full : lines(false).slice(0, room);
}
