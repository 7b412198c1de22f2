import { Box, Text } from 'ink';
import { useMemo, useState } from 'react';
import { clean, formatCount } from '../terminal/format.ts';
import { Field } from '../terminal/field.tsx';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { movedIn } from '../terminal/scroll-top.ts';
import { Table, type TableColumn } from '../terminal/table.tsx';
import { useTheme } from '../terminal/theme.ts';
import type { TableReading } from './reading.ts';
import { arrangeTables, commonPrefix, SORT_KEYS, tableCells, type TableOrder } from './table-rows.ts';

const COLUMNS: readonly TableColumn[] = [
  { title: 'table', width: 14 },
  { title: 'upserts', width: 8, align: 'right' },
  { title: 'deletes', width: 8, align: 'right', priority: 3 },
  { title: 'errors', width: 7, align: 'right' },
  { title: 'rows', width: 9, align: 'right', priority: 1 },
  { title: 'lag', width: 11, align: 'right', priority: 2 },
];

/** How the tables are shown; kept by the dashboard, so that it is the same in all its views. */
export interface TableView {
  readonly order: TableOrder;
  readonly filter: string;
}

export const FIRST_VIEW: TableView = { order: { key: 'errors', reversed: false }, filter: '' };

interface TablesPanelProps {
  readonly tables: readonly TableReading[];
  readonly view: TableView;
  onView(view: TableView): void;
  readonly rows: number;
  /** Shown beside other things, whose keys the footer has to tell of as well. */
  readonly brief?: boolean;
  /** How old the numbers are, when they are not of now. */
  readonly staleness: string | undefined;
}

const NAVIGATION = ['up', 'down', 'pageup', 'pagedown', 'home', 'end'];

/** The tables with their counts, sorted and filtered; a heading says how. */
export function TablesPanel({ tables, view, onView, rows, brief = false, staleness }: TablesPanelProps) {
  const { color } = useTheme();
  const [at, setAt] = useState(0);
  const [typing, setTyping] = useState(false);
  const { order, filter } = view;
  const shown = useMemo(() => arrangeTables(tables, filter, order), [tables, filter, order]);
  const prefix = useMemo(() => commonPrefix(tables), [tables]);
  const room = Math.max(1, rows - 2);
  const selected = Math.max(0, Math.min(at, shown.length - 1));
  const nextKey = SORT_KEYS[(SORT_KEYS.indexOf(order.key) + 1) % SORT_KEYS.length];
  useKeys([
    ...NAVIGATION.map((name) => ({
      keys: [name],
      label: 'scroll',
      footer: !brief && shown.length > room,
      run: () => setAt(movedIn(selected, name, room, shown.length) ?? selected),
    })),
    {
      keys: ['o'],
      label: brief ? 'sort' : `sort by ${nextKey}`,
      run: () => onView({ ...view, order: { key: nextKey, reversed: false } }),
    },
    {
      keys: ['O'],
      label: 'turn around',
      footer: !brief,
      run: () => onView({ ...view, order: { ...order, reversed: !order.reversed } }),
    },
    { keys: ['/'], label: 'filter', footer: !brief, run: () => setTyping(true) },
  ]);
  return (
    <Box flexDirection="column" flexShrink={0}>
      {typing ? (
        <Filter value={filter} onChange={(text) => onView({ ...view, filter: text })} onDone={() => setTyping(false)} />
      ) : (
        <Line>
          <Text bold>Tables</Text>
          <Text color={color.muted}>
            {` ${countOf(shown.length, tables.length)}${prefix === '' ? '' : ` in ${clean(prefix.slice(0, -1))}`}, by ${order.key}${order.reversed ? ' reversed' : ''}`}
            {filter !== '' && `, only ${filter}`}
          </Text>
          {staleness !== undefined && <Text color={color.danger}>{`, ${staleness}`}</Text>}
        </Line>
      )}
      <Table
        columns={COLUMNS}
        rows={shown.map((table) => tableCells(table, prefix).map(clean))}
        height={Math.max(2, rows - 1)}
        selected={shown.length > room ? selected : undefined}
      />
    </Box>
  );
}

function Filter({ value, onChange, onDone }: { value: string; onChange(text: string): void; onDone(): void }) {
  useKeys(
    [
      {
        keys: ['escape'],
        label: 'no filter',
        run: () => {
          onChange('');
          onDone();
        },
      },
    ],
    { scope: 'control' },
  );
  return (
    <Field
      label="filter"
      value={value}
      onChange={onChange}
      onSubmit={onDone}
      focus
      placeholder="words in the name, !word for without"
    />
  );
}

function countOf(shown: number, all: number): string {
  return shown === all ? formatCount(all) : `${formatCount(shown)} of ${formatCount(all)}`;
}
