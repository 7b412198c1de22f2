import { Box, Text } from 'ink';
import { useRef } from 'react';
import { useBodySize } from './body-size.ts';
import { cut, padEnd } from './format.ts';
import { Line } from './line.tsx';
import { scrollTop } from './scroll-top.ts';
import { Spinner } from './spinner.tsx';
import { type Theme, useTheme } from './theme.ts';
import { textWidth } from './width.ts';

export type CheckState = 'running' | 'passed' | 'failed' | 'advisory' | 'skipped' | 'waiting';

export interface ChecklistItem {
  readonly id: string;
  readonly title: string;
  readonly state: CheckState;
  readonly found?: string;
}

export interface ChecklistProps {
  readonly items: readonly ChecklistItem[];
  /** Index of the item that the cursor is on. */
  readonly selected: number;
  /** Lines at most. */
  readonly rows: number;
}

/** What is looked at, a line each: its state as sign, colour and word, and what was found. */
export function Checklist({ items, selected, rows }: ChecklistProps) {
  const theme = useTheme();
  const { columns } = useBodySize();
  const top = useRef(0);
  top.current = scrollTop(top.current, selected, rows, items.length);
  const widest = Math.max(0, ...items.map(({ title }) => textWidth(title)));
  const width = Math.min(widest, Math.max(12, Math.floor(columns / 2)));
  return (
    <Box flexDirection="column" flexShrink={0}>
      {items.slice(top.current, top.current + rows).map((item, index) => {
        const lit = top.current + index === selected;
        const style = stateStyle(item.state, theme);
        return (
          <Line key={item.id}>
            <Text color={theme.color.accent} bold>
              {lit ? theme.symbol.selected : ' '}{' '}
            </Text>
            {item.state === 'running' ? <Spinner /> : <Text color={style.color}>{style.sign}</Text>}
            <Text bold={lit}>{` ${padEnd(cut(item.title, width, theme.symbol.ellipsis), width)}  `}</Text>
            <Text color={style.color}>{style.word}</Text>
            {item.found !== undefined && (
              <Text color={item.state === 'passed' ? theme.color.muted : undefined}>{item.found}</Text>
            )}
          </Line>
        );
      })}
    </Box>
  );
}

/** The word is for those who see no colour: of what passed, the sign says enough. */
function stateStyle(
  state: CheckState,
  { color, symbol, screenReader }: Theme,
): { sign: string; word: string; color: string | undefined } {
  switch (state) {
    case 'passed':
      return { sign: symbol.passed, word: screenReader ? 'passed ' : '', color: color.success };
    case 'failed':
      return { sign: symbol.failed, word: 'failed  ', color: color.danger };
    case 'advisory':
      return { sign: symbol.advisory, word: 'advice  ', color: color.warning };
    case 'skipped':
      return { sign: symbol.skipped, word: 'skipped  ', color: color.muted };
    case 'running':
      return { sign: symbol.running, word: 'looking  ', color: color.muted };
    case 'waiting':
      return { sign: symbol.waiting, word: '', color: color.muted };
  }
}
