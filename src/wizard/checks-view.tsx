import { Box, Text } from 'ink';
import { useEffect, useRef, useState } from 'react';
import { errorText } from '../log/log-error.ts';
import type { Check, Fix } from '../preflight/check.ts';
import { Checklist } from '../terminal/checklist.tsx';
import { useCopy } from '../terminal/clipboard.ts';
import { Confirm } from '../terminal/confirm.tsx';
import { Dialog } from '../terminal/dialog.tsx';
import { padEnd } from '../terminal/format.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { foldWords, Prose } from '../terminal/prose.tsx';
import { useBodySize } from '../terminal/screen.tsx';
import { movedIn } from '../terminal/scroll-top.ts';
import { Scroll } from '../terminal/scroll.tsx';
import { Busy, Spinner } from '../terminal/spinner.tsx';
import { type Theme, useTheme } from '../terminal/theme.ts';
import { useToast } from '../terminal/toast.tsx';
import { type DetailLine, detailLines, LABEL_WIDTH } from './check-detail.ts';
import { lineState, type Tally, tallyOf, tallyText, worstLine } from './check-lines.ts';
import { type CheckLine, type RunChecks, useChecks } from './use-checks.ts';

export interface ChecksViewProps {
  readonly planned: readonly Check[];
  readonly run: RunChecks;
  /** Runs a fix on its server. */
  fix(fix: Fix): Promise<void>;
  /** A sentence above the list. */
  readonly intro?: string;
  onNext(): void;
  onBack(): void;
}

/** Checks as they are made: a list, and below it what is known of the one that the cursor is on. */
export function ChecksView({ planned, run, fix, intro, onNext, onBack }: ChecksViewProps) {
  const theme = useTheme();
  const size = useBodySize();
  const { lines, running, failure, again } = useChecks(planned, run);
  const [selected, setSelected] = useState<string>();
  const [asking, setAsking] = useState<'go on' | 'fix all'>();
  const [reading, setReading] = useState(false);
  const fixing = useFixes(fix, (failed) => {
    setSelected(failed);
    again();
  });
  const copy = useCopy();

  // What has to be put right is shown first, unless the operator has chosen a line.
  const chosen = lines.findIndex(({ check }) => check.id === selected);
  const before = useRef(0);
  const index =
    chosen >= 0 ? chosen : running ? Math.max(0, Math.min(before.current, lines.length - 1)) : worstLine(lines);
  before.current = index;
  const line: CheckLine | undefined = lines[index];
  const offered = line?.running === false ? line.result?.fix : undefined;
  const tally = tallyOf(lines);
  const mendable = lines.filter(canBeRun);

  const head = 1 + (intro === undefined ? 0 : foldWords(intro, size.columns).length);
  const room = Math.max(4, size.rows - head - 1);
  const detailRows = Math.max(Math.ceil(room / 2), room - lines.length);
  const listRows = room - detailRows;
  const problem = fixing.problem?.id === line?.check.id ? fixing.problem?.text : undefined;
  const detail = line === undefined ? [] : detailLines(line, size.columns, problem);

  const move = (name: string) => {
    const to = movedIn(index, name, listRows, lines.length);
    if (to !== undefined && lines[to] !== undefined) setSelected(lines[to].check.id);
  };
  const busy = fixing.label === undefined ? undefined : 'a fix is being run; a moment';
  const goOn = {
    keys: ['return'],
    label: tally.ready ? 'go on' : 'go on anyway',
    run: () => (tally.ready ? onNext() : setAsking('go on')),
    disabled:
      busy ?? (running && failure === undefined ? 'not everything has been looked at yet; a moment' : undefined),
  };
  useKeys([
    // What somebody who sees this for the first time should press stands first.
    ...(tally.ready ? [goOn] : []),
    {
      keys: ['f'],
      label: 'run fix',
      run: () => line && offered && void fixing.run([{ id: line.check.id, fix: offered }]),
      disabled: busy ?? whyNot(line, offered),
    },
    ...(mendable.length > 1
      ? [{ keys: ['F'], label: `run all ${mendable.length}`, run: () => setAsking('fix all'), disabled: busy }]
      : []),
    ...(tally.ready ? [] : [goOn]),
    {
      keys: ['c'],
      label: 'copy',
      run: () => offered && copy(offered.text),
      disabled: offered === undefined ? 'there is nothing to copy' : undefined,
    },
    { keys: ['r'], label: 'again', run: again, disabled: busy },
    { keys: ['v'], label: 'whole text', run: () => setReading(true), footer: detail.length > detailRows },
    { keys: ['escape'], label: 'back', run: onBack },
    ...['up', 'down', 'pageup', 'pagedown', 'home', 'end'].map((name) => ({
      keys: [name],
      label: 'move',
      footer: false,
      run: () => move(name),
    })),
  ]);

  return (
    <Box flexDirection="column" flexShrink={0}>
      {fixing.label === undefined ? <Summary tally={tally} failure={failure} /> : <Busy label={fixing.label} />}
      {intro !== undefined && <Prose text={intro} color={theme.color.muted} />}
      <Checklist
        items={lines.map((each) => ({
          id: each.check.id,
          title: each.check.title,
          state: lineState(each),
          found: each.result?.found.split('\n', 1)[0],
        }))}
        selected={index}
        rows={listRows}
      />
      {line !== undefined && <Rule title={line.check.title} columns={size.columns} theme={theme} />}
      <Detail lines={detail} rows={detailRows} theme={theme} />
      {asking === 'go on' && (
        <Confirm
          question="Go on although not everything is as it has to be?"
          detail={`${blockers(lines)}. Nothing is created before the launch, but it will fail until this is put right. You can come back here at any time.`}
          yes="Go on"
          no="Stay here"
          onAnswer={(answer) => {
            setAsking(undefined);
            if (answer) onNext();
          }}
        />
      )}
      {asking === 'fix all' && (
        <Confirm
          question={`Run ${mendable.length} fixes?`}
          detail={`For ${mendable.map(({ check }) => check.title).join(', ')}. They run one after the other; the first that fails ends it.`}
          yes="Run them"
          no="Not now"
          onAnswer={(answer) => {
            setAsking(undefined);
            if (answer) void fixing.run(mendable.map(({ check, result }) => ({ id: check.id, fix: result!.fix! })));
          }}
        />
      )}
      {reading && line !== undefined && (
        <Dialog title={line.check.title}>
          <WholeText line={line} problem={problem} onClose={() => setReading(false)} />
        </Dialog>
      )}
    </Box>
  );
}

function Summary({ tally, failure }: { tally: Tally; failure: unknown }) {
  const { color, symbol } = useTheme();
  if (failure !== undefined) {
    return (
      <Line color={color.danger}>
        {`${symbol.failed} The checks could not be made: ${errorText(failure).split('\n', 1)[0]}; r tries again`}
      </Line>
    );
  }
  if (tally.running > 0) {
    return (
      <Line>
        <Spinner />
        <Text bold> Looking</Text>
        <Text color={color.muted}>{`  ${tallyText(tally)}`}</Text>
      </Line>
    );
  }
  const [sign, words, tone] = !tally.ready
    ? [symbol.failed, 'Not ready', color.danger]
    : tally.advisory > 0
      ? [symbol.advisory, 'Ready, with advice', color.warning]
      : [symbol.passed, 'Ready', color.success];
  return (
    <Line>
      <Text bold color={tone}>{`${sign} ${words}`}</Text>
      <Text color={color.muted}>{`  ${tallyText(tally)}`}</Text>
    </Line>
  );
}

function Rule({ title, columns, theme }: { title: string; columns: number; theme: Theme }) {
  const { color, symbol } = theme;
  return (
    <Line>
      <Text color={color.muted}>{`${symbol.rule.repeat(2)} `}</Text>
      <Text bold>{title}</Text>
      <Text color={color.muted}>{` ${symbol.rule.repeat(Math.max(0, columns - title.length - 4))}`}</Text>
    </Line>
  );
}

function Detail({ lines, rows, theme }: { lines: readonly DetailLine[]; rows: number; theme: Theme }) {
  const { color, symbol } = theme;
  const whole = lines.length <= rows;
  const shown = whole ? lines : lines.slice(0, rows - 1);
  const tones = { plain: undefined, muted: color.muted, danger: color.danger, code: color.accent };
  return (
    <Box flexDirection="column" flexShrink={0}>
      {shown.map(({ label, text, tone }, index) => (
        <Line key={index}>
          <Text color={color.muted}>{padEnd(label, LABEL_WIDTH)}</Text>
          <Text color={tones[tone]}>{` ${text}`}</Text>
        </Line>
      ))}
      {!whole && (
        <Line
          color={color.muted}
        >{`${' '.repeat(LABEL_WIDTH + 1)}${symbol.ellipsis} ${lines.length - shown.length} more lines: v`}</Line>
      )}
    </Box>
  );
}

/** All that is known of a check, to be scrolled. */
function WholeText({ line, problem, onClose }: { line: CheckLine; problem: string | undefined; onClose(): void }) {
  const { columns, rows } = useBodySize();
  const lines = detailLines(line, columns, problem).map(({ label, text }) => `${padEnd(label, LABEL_WIDTH)} ${text}`);
  useKeys([{ keys: ['escape', 'q', 'v', 'return'], label: 'close', run: onClose }], { scope: 'modal' });
  return <Scroll text={lines} rows={rows} focus />;
}

/** Runs fixes one after the other. `onEnd` is told which one failed, if any. */
function useFixes(fix: (fix: Fix) => Promise<void>, onEnd: (failed: string | undefined) => void) {
  const tell = useToast();
  const [label, setLabel] = useState<string>();
  const [problem, setProblem] = useState<{ id: string; text: string }>();
  const [open] = useState(() => ({ shown: true }));
  useEffect(() => {
    open.shown = true;
    return () => {
      open.shown = false;
    };
  }, [open]);
  const run = async (fixes: readonly { id: string; fix: Fix }[]) => {
    setProblem(undefined);
    let at = fixes[0];
    try {
      for (at of fixes) {
        setLabel(`running ${at.fix.statements?.[0]?.split('\n', 1)[0] ?? 'the fix'}`);
        await fix(at.fix);
        if (!open.shown) return;
      }
      const restart = fixes.some((each) => each.fix.restart);
      tell(restart ? 'done; it counts once the server has been restarted' : 'done', restart ? 'warning' : 'success');
      setLabel(undefined);
      onEnd(undefined);
    } catch (error) {
      if (!open.shown) return;
      setProblem({ id: at.id, text: errorText(error) });
      tell('the fix did not work; see below', 'danger');
      setLabel(undefined);
      onEnd(at.id);
    }
  };
  return { label, problem, run };
}

function canBeRun({ result, running }: CheckLine): boolean {
  return !running && result?.state === 'failed' && result.fix?.statements !== undefined;
}

function whyNot(line: CheckLine | undefined, fix: Fix | undefined): string | undefined {
  if (line?.running) return 'it is being looked at; a moment';
  if (fix === undefined) return 'there is nothing to fix here';
  return fix.statements === undefined ? 'this has to be done by hand; c copies what to do' : undefined;
}

/** What stands in the way of a start, by name. */
function blockers(lines: readonly CheckLine[]): string {
  const names = lines
    .filter(({ check, result }) => check.severity === 'blocking' && result?.state !== 'passed')
    .map(({ check }) => check.title);
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
