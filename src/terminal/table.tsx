import { Box, Text } from 'ink';
import { useMemo, useRef } from 'react';
import { useBodySize } from './body-size.ts';
import { cut, padEnd, padStart } from './format.ts';
import { Line } from './line.tsx';
import { scrollTop } from './scroll-top.ts';
import { useTheme } from './theme.ts';
import { textWidth } from './width.ts';

export interface TableColumn {
  readonly title: string;
  /** Columns of the terminal. The first column of the table takes what is left over as well, as far as its texts need it. */
  readonly width: number;
  readonly align?: 'left' | 'right';
  /** Columns with the greatest number are dropped first where the room is narrow; default 0, never dropped. */
  readonly priority?: number;
}

export interface TableProps {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly string[])[];
  /** Lines in all, the one with the titles included. */
  readonly height: number;
  readonly selected?: number;
}

const GAP = 2;

/** Which columns fit in `room`, by index, and how wide the first of them is whose texts need `widest`. */
export function fitColumns(
  columns: readonly TableColumn[],
  room: number,
  widest: number,
): { shown: number[]; firstWidth: number } {
  const shown = columns.map((_, index) => index);
  const needed = () => shown.reduce((sum, index) => sum + columns[index].width + GAP, -GAP);
  while (needed() > room) {
    const worst = Math.max(...shown.map((index) => columns[index].priority ?? 0));
    if (worst === 0) break;
    shown.splice(
      shown.findLastIndex((index) => (columns[index].priority ?? 0) === worst),
      1,
    );
  }
  const first = columns[shown[0]]?.width ?? 0;
  const most = Math.max(4, first + room - needed());
  return { shown, firstWidth: Math.min(most, Math.max(first, widest)) };
}

/** Rows below their titles; of many rows, those around the selected one. */
export function Table({ columns, rows, height, selected }: TableProps) {
  const { color, symbol } = useTheme();
  const body = useBodySize();
  const top = useRef(0);
  const room = Math.max(1, height - 1);
  const marked = selected !== undefined;
  top.current = scrollTop(top.current, selected ?? 0, room, rows.length);
  const widest = useMemo(() => Math.max(0, ...rows.map(([name = '']) => textWidth(name))), [rows]);
  const { shown, firstWidth } = fitColumns(columns, body.columns - (marked ? 2 : 0), widest);
  const cells = (texts: readonly string[]) =>
    shown
      .map((index, place) => {
        const width = place === 0 ? firstWidth : columns[index].width;
        const text = cut(texts[index] ?? '', width, symbol.ellipsis);
        return columns[index].align === 'right' ? padStart(text, width) : padEnd(text, width);
      })
      .join(' '.repeat(GAP));
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line color={color.muted} bold>
        {(marked ? '  ' : '') + cells(columns.map(({ title }) => title))}
      </Line>
      {rows.slice(top.current, top.current + room).map((row, index) => {
        const lit = top.current + index === selected;
        return (
          <Line key={top.current + index} color={lit ? color.accent : undefined} bold={lit}>
            {marked && <Text>{lit ? `${symbol.selected} ` : '  '}</Text>}
            {cells(row)}
          </Line>
        );
      })}
    </Box>
  );
}
