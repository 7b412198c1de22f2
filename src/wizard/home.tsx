import { Box, Text } from 'ink';
import { useEffect, useState } from 'react';
import { VERSION } from '../config/build.ts';
import type { Reading } from '../dashboard/reading.ts';
import { clean, cut, padEnd } from '../terminal/format.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { Notice } from '../terminal/notice.tsx';
import { Screen, useBodySize } from '../terminal/screen.tsx';
import { type Theme, useTheme } from '../terminal/theme.ts';
import { type Answer, type HomeRow, homeRow, type Known, type News } from './home-rows.ts';

/** Milliseconds between two looks at the saved replications and at what their engines say. */
const REFRESH = 2000;

export interface HomeProps {
  /** Every saved replication and how it is, the one used last in front. */
  look(): readonly Known[];
  /** What was found damaged among the saved replications. */
  problem(): string | undefined;
  /** What has just happened elsewhere. */
  readonly news?: News;
  onResume(name: string): void;
  onNew(): void;
  onWatch(name: string): void;
  onEdit(name: string): void;
  onRemove(name: string): void;
  onLeave(): void;
  /** What an engine says of itself at its endpoints. */
  read(endpoint: string): Promise<Reading>;
}

/** The saved replications with how each of them is doing; one key resumes or attaches. */
export function Home(props: HomeProps) {
  const { news } = props;
  const problem = props.problem();
  const rows = useRows(props);
  const [selected, setSelected] = useState(rows[0]?.name);
  const index = Math.max(
    0,
    rows.findIndex(({ name }) => name === selected),
  );
  const row: HomeRow | undefined = rows[index];
  const move = (by: number) => setSelected(rows[Math.min(rows.length - 1, Math.max(0, index + by))]?.name);
  const none = row === undefined ? 'there is none yet' : undefined;
  useKeys([
    { keys: ['up', 'k'], label: 'up', run: () => move(-1), footer: false },
    { keys: ['down', 'j'], label: 'down', run: () => move(1), footer: false },
    {
      keys: ['return', 'r'],
      label: row?.action ?? 'resume',
      run: () => row && props.onResume(row.name),
      disabled: none,
    },
    { keys: ['n'], label: 'new', run: props.onNew },
    {
      keys: ['w'],
      label: 'watch',
      run: () => row && props.onWatch(row.name),
      disabled: none ?? (row?.state === 'running' ? undefined : 'nothing to watch: it does not run'),
    },
    {
      keys: ['e'],
      label: 'edit',
      run: () => row && props.onEdit(row.name),
      disabled: none ?? (row?.state === 'unfinished' ? 'its setup asks for everything' : undefined),
    },
    { keys: ['x'], label: 'remove', run: () => row && props.onRemove(row.name), disabled: none },
    { keys: ['q', 'escape'], label: 'leave', run: props.onLeave },
  ]);
  return (
    <Screen title="Saved replications" status={`Instar ${VERSION}`}>
      <Told problem={problem} news={news} />
      <Rows rows={rows} index={index} taken={(problem === undefined ? 0 : 5) + (news === undefined ? 0 : 5)} />
    </Screen>
  );
}

/** What is to be known before anything else. */
function Told({ problem, news }: { problem: string | undefined; news: News | undefined }) {
  return (
    <>
      {problem !== undefined && (
        <Box flexDirection="column" flexShrink={0} marginBottom={1}>
          <Notice kind="warning" title="Some of what was saved cannot be used">
            {problem}
          </Notice>
        </Box>
      )}
      {news !== undefined && (
        <Box flexDirection="column" flexShrink={0} marginBottom={1}>
          <Notice kind={news.kind} title={news.title}>
            {news.text}
          </Notice>
        </Box>
      )}
    </>
  );
}

/** As many rows as fit, around the selected one. */
function Rows({ rows, index, taken }: { rows: readonly HomeRow[]; index: number; taken: number }) {
  const size = useBodySize();
  const theme = useTheme();
  const space = Math.max(4, size.rows - taken);
  const [from, to] = around(
    rows.map((row) => height(row)),
    index,
    space,
  );
  return (
    <Box flexDirection="column" flexShrink={0}>
      {rows.slice(from, to).map((row, at) => (
        <Row key={row.name} row={row} selected={from + at === index} width={size.columns} theme={theme} />
      ))}
    </Box>
  );
}

function Row({ row, selected, width, theme }: { row: HomeRow; selected: boolean; width: number; theme: Theme }) {
  const { color, symbol } = theme;
  const sign = signOf(row, theme);
  const mark = selected ? symbol.selected : ' ';
  const state = `${sign.symbol} ${row.word}${row.when === '' ? '' : `, ${row.when}`}`;
  const room = Math.max(12, width - 34);
  return (
    <Box flexDirection="column" flexShrink={0} marginBottom={1}>
      <Line>
        <Text color={selected ? color.accent : undefined} bold={selected}>
          {`${mark} ${padEnd(cut(row.name, room - 1, symbol.ellipsis), room)}`}
        </Text>
        <Text color={sign.color} bold>
          {state}
        </Text>
      </Line>
      <Line color={color.muted}>{`  ${place(row.source)} ${symbol.arrow} ${place(row.target)}`}</Line>
      <Line>{`  ${row.progress}`}</Line>
      {row.trouble !== undefined && <Line color={color.danger}>{`  ${clean(row.trouble)}`}</Line>}
    </Box>
  );
}

function height(row: HomeRow): number {
  return row.trouble === undefined ? 4 : 5;
}

/** The first and the last-but-one of the neighbours of `index` whose heights fit in `space` together. */
export function around(heights: readonly number[], index: number, space: number): [number, number] {
  let from = index;
  let to = Math.min(heights.length, index + 1);
  let left = space - (heights[index] ?? 0);
  for (;;) {
    if (to < heights.length && heights[to] <= left) left -= heights[to++];
    else if (from > 0 && heights[from - 1] <= left) left -= heights[--from];
    else return [from, to];
  }
}

/** A connection in short: who, where, which database. */
function place(display: string): string {
  return display
    .replace(/^[a-z]+:\/\//, '')
    .replace(/(:\*+)?@/, '@')
    .replace(/\?.*$/, '');
}

function signOf({ state, word }: HomeRow, { color, symbol }: Theme): { symbol: string; color: string | undefined } {
  switch (state) {
    case 'running':
      return word === 'paused'
        ? { symbol: symbol.advisory, color: color.warning }
        : { symbol: symbol.running, color: color.success };
    case 'stopped':
      return { symbol: symbol.waiting, color: color.muted };
    case 'crashed':
      return { symbol: symbol.failed, color: color.danger };
    case 'unfinished':
      return { symbol: symbol.advisory, color: color.warning };
  }
}

/** The rows, read anew at intervals while the screen is open. */
function useRows({ look, read }: HomeProps): readonly HomeRow[] {
  const [bound] = useState(() => ({ look, read }));
  const [known, setKnown] = useState(look);
  const [answers, setAnswers] = useState<ReadonlyMap<string, Answer>>(new Map());
  useEffect(() => {
    let open = true;
    let timer: NodeJS.Timeout | undefined;
    const ask = async ({ replication: { name, run } }: Known): Promise<[string, Answer]> => {
      const answer = await bound.read(`http://${run?.metricsAddr}`).catch((): Answer => 'silent');
      return [name, answer];
    };
    const refresh = async () => {
      const found = bound.look();
      if (open) setKnown(found);
      const heard = await Promise.all(found.filter(({ state }) => state === 'running').map(ask));
      if (!open) return;
      setAnswers(new Map(heard));
      timer = setTimeout(() => void refresh(), REFRESH);
    };
    void refresh();
    return () => {
      open = false;
      clearTimeout(timer);
    };
  }, [bound]);
  return known.map(({ replication, state }) => homeRow(replication, state, answers.get(replication.name), Date.now()));
}
