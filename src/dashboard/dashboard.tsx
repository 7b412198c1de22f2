import { Box, Text } from 'ink';
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react';
import { useCopy } from '../terminal/clipboard.ts';
import { Choice, Confirm } from '../terminal/confirm.tsx';
import { type Binding, useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { BodySizeContext } from '../terminal/body-size.ts';
import { Screen, useBodySize } from '../terminal/screen.tsx';
import { Busy } from '../terminal/spinner.tsx';
import { useTheme } from '../terminal/theme.ts';
import { Ended } from './ended.tsx';
import { type Control, type EngineState, useEngine } from './engine.ts';
import { lagSign } from './lag-sign.ts';
import { LinearView } from './linear-view.tsx';
import { LogView } from './log-view.tsx';
import { Overview, overviewHeight } from './overview.tsx';
import type { PollerState, ReadingSource } from './poller.ts';
import type { Reading } from './reading.ts';
import { FIRST_VIEW, TablesPanel, type TableView } from './tables-panel.tsx';
import { TroublesView } from './troubles-view.tsx';
import { clockTime, keeperOf, staleness, troubleLine } from './words.ts';
import { clean } from '../terminal/format.ts';

export type { Control } from './engine.ts';

export interface DashboardProps {
  /** Started and stopped with the dashboard. */
  readonly poller: ReadingSource;
  readonly title: string;
  /** One line above the numbers. */
  readonly heading?: ReactNode;
  /** Where the engine writes its log; without it there is no view of the log. */
  readonly logFile?: string;
  /** Without it the dashboard only looks: no pause, stop or resume. */
  readonly control?: Control;
  onLeave(): void;
}

type View = 'overview' | 'tables' | 'troubles' | 'log';

/** From this width of the body on, numbers and tables stand beside each other. */
const WIDE = 118;
const LEFT = 68;
/** From this height of the body on, there is more to see. */
const ROOMY = 28;
/** Lines that the tables get below the numbers, at least. */
const FEWEST_TABLE_ROWS = 5;

/** A replication as it goes: live numbers, tables, problems and the log, and what can be done with the engine. */
export function Dashboard({ poller, title, heading, logFile, control, onLeave }: DashboardProps) {
  const theme = useTheme();
  const state = useSyncExternalStore(poller.subscribe, poller.getState);
  const engine = useEngine(control, poller, state);
  const [view, setView] = useState<View>('overview');
  const [tables, setTables] = useState<TableView>(FIRST_VIEW);
  const [asked, setAsked] = useState<'stop' | 'leave'>();
  useEffect(() => {
    poller.start();
    return () => poller.stop();
  }, [poller]);
  const copy = useCopy();
  const { reading } = state;
  const { ending, working } = engine;
  const viewKey = (key: string, to: View, label: string, disabled?: string): Binding[] =>
    view === 'overview' ? [{ keys: [key], label, run: () => setView(to), disabled }] : [];
  const fix = engine.failure?.fix ?? ending?.fix;
  useKeys([
    ...(view === 'overview' ? [] : [{ keys: ['escape'], label: 'back', run: () => setView('overview') }]),
    ...(ending === undefined ? [] : [{ keys: ['r'], label: 'resume', run: engine.resume, disabled: working }]),
    ...(ending === undefined || fix === undefined || view === 'troubles'
      ? []
      : [{ keys: ['c'], label: 'copy the fix', run: () => copy(fix) }]),
    ...viewKey('t', 'tables', 'tables'),
    ...viewKey('e', 'troubles', 'errors'),
    ...viewKey(
      'l',
      'log',
      'log',
      logFile === undefined ? 'the log is where the replicator was told to write it' : undefined,
    ),
    ...engineKeys(control, engine, reading, () => setAsked('stop')),
    {
      keys: ['q'],
      label: 'leave',
      run: () => (control === undefined || ending !== undefined ? onLeave() : setAsked('leave')),
    },
  ]);
  const sign = lagSign(reading, theme);
  const status =
    ending === undefined ? (
      <Text color={sign.color}>{`${sign.sign} ${sign.word}`}</Text>
    ) : (
      <Text color={theme.color.danger}>{`${theme.symbol.failed} not running`}</Text>
    );
  return (
    <Screen title={title} status={status}>
      {working !== undefined && <Busy label={working} />}
      {heading}
      <Body
        view={view}
        state={state}
        engine={engine}
        tables={tables}
        onTables={setTables}
        logFile={logFile}
        above={(working === undefined ? 0 : 1) + (heading === undefined ? 0 : 1)}
      />
      {asked === 'stop' && (
        <Confirm
          question="Stop the engine?"
          detail={`It applies what is in hand and ends. ${keeperOf(reading ?? { kind: undefined }).cost}`}
          yes="Stop it"
          no="Leave it running"
          onAnswer={(yes) => {
            setAsked(undefined);
            if (yes) engine.stop();
          }}
        />
      )}
      {asked === 'leave' && (
        <Choice
          question="Leave the dashboard?"
          items={[
            { value: 'leave', label: 'Leave it running', hint: 'replication goes on in the background' },
            { value: 'stop', label: 'Stop the engine, then leave', hint: 'a resume goes on from the checkpoint' },
            { value: 'stay', label: 'Stay here' },
          ]}
          onAnswer={(answer) => {
            setAsked(undefined);
            if (answer === 'leave') onLeave();
            if (answer === 'stop') engine.stop(onLeave);
          }}
        />
      )}
    </Screen>
  );
}

/** Pausing and stopping, as long as there is an engine to do it with. */
function engineKeys(
  control: Control | undefined,
  engine: EngineState,
  reading: Reading | undefined,
  onStop: () => void,
): Binding[] {
  if (control === undefined || engine.ending !== undefined) return [];
  const disabled = engine.working ?? (reading?.silence === undefined ? undefined : 'the engine does not answer');
  return [
    reading?.paused
      ? { keys: ['p'], label: 'continue', run: engine.proceed, disabled }
      : { keys: ['p'], label: 'pause', run: engine.pause, disabled },
    { keys: ['s'], label: 'stop', run: onStop, disabled: engine.working },
  ];
}

interface BodyProps {
  readonly view: View;
  readonly state: PollerState;
  readonly engine: EngineState;
  readonly tables: TableView;
  onTables(view: TableView): void;
  readonly logFile: string | undefined;
  /** Lines that stand above it. */
  readonly above: number;
}

function Body({ view, state, engine, tables, onTables, logFile, above }: BodyProps) {
  const theme = useTheme();
  const size = useBodySize();
  const rows = size.rows - above;
  const { reading } = state;
  const room = { columns: size.columns, rows };
  if (view === 'log' && logFile !== undefined) {
    return (
      <BodySizeContext value={room}>
        <LogView path={logFile} />
      </BodySizeContext>
    );
  }
  if (engine.ending !== undefined && view === 'overview') {
    const now = reading === undefined ? Date.now() : reading.at + reading.staleFor;
    return <Ended ending={engine.ending} reading={reading} failure={engine.failure} now={now} />;
  }
  if (reading === undefined) return <Connecting state={state} />;
  if (view === 'troubles') return <TroublesView reading={reading} />;
  if (view === 'tables')
    return (
      <TablesPanel tables={reading.tables} view={tables} onView={onTables} rows={rows} staleness={staleness(reading)} />
    );
  if (theme.screenReader) return <LinearView reading={reading} />;
  if (size.columns >= WIDE) return <Beside reading={reading} tables={tables} onTables={onTables} rows={rows} />;
  const wanted = overviewHeight(reading, size.columns, theme, rows >= ROOMY);
  const upper = Math.min(wanted, Math.max(3, rows - FEWEST_TABLE_ROWS - 1));
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Overview reading={reading} rows={upper} roomy={rows >= ROOMY} />
      <Line> </Line>
      <TablesPanel
        tables={reading.tables}
        view={tables}
        onView={onTables}
        rows={rows - upper - 1}
        staleness={staleness(reading)}
        brief
      />
    </Box>
  );
}

/** Two columns: the numbers and the newest problems, and the tables. */
function Beside({
  reading,
  tables,
  onTables,
  rows,
}: {
  reading: Reading;
  tables: TableView;
  onTables(view: TableView): void;
  rows: number;
}) {
  const theme = useTheme();
  const { columns } = useBodySize();
  const roomy = rows >= ROOMY;
  const right = columns - LEFT - 3;
  const upper = Math.min(rows, overviewHeight(reading, LEFT, theme, roomy));
  return (
    <Box flexShrink={0} columnGap={3}>
      <Box flexDirection="column" flexShrink={0} width={LEFT} height={rows} overflow="hidden">
        <BodySizeContext value={{ columns: LEFT, rows }}>
          <Overview reading={reading} rows={rows} roomy={roomy} />
          <Newest reading={reading} rows={rows - upper - 1} />
        </BodySizeContext>
      </Box>
      <Box flexDirection="column" flexShrink={0} width={right} height={rows} overflow="hidden">
        <BodySizeContext value={{ columns: right, rows }}>
          <TablesPanel
            tables={reading.tables}
            view={tables}
            onView={onTables}
            rows={rows}
            staleness={staleness(reading)}
            brief
          />
        </BodySizeContext>
      </Box>
    </Box>
  );
}

function Newest({ reading, rows }: { reading: Reading; rows: number }) {
  const { color } = useTheme();
  if (rows < 3) return null;
  return (
    <>
      <Line> </Line>
      <Line>
        <Text bold>Problems</Text>
        <Text color={color.muted}>
          {reading.troubles.length === 0 ? ' none told of' : ` ${reading.troubles.length} newest`}
        </Text>
      </Line>
      {reading.troubles.slice(0, rows - 2).map((trouble, index) => (
        <Line key={index} color={color.warning}>
          {`${clockTime(trouble.at)}  ${clean(troubleLine(trouble))}`}
        </Line>
      ))}
    </>
  );
}

function Connecting({ state }: { state: PollerState }) {
  const { color, symbol } = useTheme();
  if (state.problem === undefined) return <Busy label={`asking ${state.endpoint}`} />;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line color={color.warning} bold>{`${symbol.advisory} no answer from ${state.endpoint} yet`}</Line>
      <Line>{`  ${clean(state.problem)}`}</Line>
      <Line color={color.muted}>{'  It is asked again all the time.'}</Line>
    </Box>
  );
}
