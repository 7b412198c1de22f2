import { Box, Text } from 'ink';
import { useMemo, useRef, useState } from 'react';
import { useBodySize } from './body-size.ts';
import { cut, formatCount, padEnd, padStart } from './format.ts';
import { type Binding, useKeys } from './key-bindings.tsx';
import type { Key } from './keys.ts';
import { Line } from './line.tsx';
import { movedIn, scrollTop } from './scroll-top.ts';
import { editField, emptyField, fieldValue } from './text-field.ts';
import { useTheme } from './theme.ts';
import { textWidth } from './width.ts';

export interface MultiSelectItem {
  readonly value: string;
  readonly label: string;
  /** Said behind the label, aligned to the right. */
  readonly columns?: readonly string[];
  readonly warning?: string;
}

export interface MultiSelectProps {
  readonly items: readonly MultiSelectItem[];
  readonly selected: ReadonlySet<string>;
  onChange(selected: ReadonlySet<string>): void;
  onSubmit(): void;
  onHighlight?(value: string): void;
  readonly focus: boolean;
  /** Lines in all, the line with the count included. */
  readonly rows: number;
}

/** Several of many. Typing after `/` leaves only those that hold every word typed; `!` before the words leaves the others. */
export function MultiSelect({ items, selected, onChange, onSubmit, onHighlight, focus, rows }: MultiSelectProps) {
  const theme = useTheme();
  const { color, symbol } = theme;
  const { columns } = useBodySize();
  const [filter, setFilter] = useState(emptyField());
  const [typing, setTyping] = useState(false);
  const [at, setAt] = useState(0);
  const top = useRef(0);
  const words = fieldValue(filter);
  const found = useMemo(() => items.filter(matching(words)), [items, words]);
  const widths = useMemo(() => columnWidths(items, columns), [items, columns]);
  const shownRows = Math.max(1, rows - 1);
  const current = Math.max(0, Math.min(at, found.length - 1));
  top.current = scrollTop(top.current, current, shownRows, found.length);

  const move = (to: number) => {
    setAt(to);
    if (found[to] !== undefined) onHighlight?.(found[to].value);
  };
  const change = (values: readonly string[], chosen: boolean) => {
    const next = new Set(selected);
    for (const value of values) {
      if (chosen) next.add(value);
      else next.delete(value);
    }
    onChange(next);
  };
  const all = found.length > 0 && found.every(({ value }) => selected.has(value));
  const stopTyping = () => setTyping(false);
  const clear = () => {
    setFilter(emptyField());
    stopTyping();
  };
  const toggle = () => {
    const item = found[current];
    if (item !== undefined) change([item.value], !selected.has(item.value));
  };
  const moves = ['up', 'down', 'pageup', 'pagedown', ...(typing ? [] : ['home', 'end'])].map(
    (name): Binding => ({
      keys: [name],
      label: 'move',
      footer: false,
      run: () => move(movedIn(current, name, shownRows, found.length) ?? current),
    }),
  );
  const bindings: Binding[] = typing
    ? [
        { keys: ['return'], label: 'keep filter', run: stopTyping },
        { keys: ['escape'], label: 'clear filter', run: clear },
      ]
    : [
        { keys: [' '], label: 'choose', run: toggle },
        {
          keys: ['a'],
          label: all ? 'none' : 'all',
          run: () =>
            change(
              found.map(({ value }) => value),
              !all,
            ),
        },
        { keys: ['/'], label: 'filter', run: () => setTyping(true) },
        { keys: ['return'], label: 'go on', run: onSubmit },
        ...(words === '' ? [] : [{ keys: ['escape'], label: 'clear filter', run: clear }]),
      ];
  const type = (key: Key): boolean => {
    const next = editField(filter, key);
    if (next === undefined) return false;
    setFilter(next);
    setAt(0);
    return true;
  };
  useKeys([...bindings, ...moves], { scope: 'control', active: focus, onOther: typing ? type : undefined });

  const chosen = selected.size;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line>
        <Text bold>{`${formatCount(chosen)} of ${formatCount(items.length)}`}</Text>
        <Text color={color.muted}> chosen</Text>
        {(typing || words !== '') && (
          <Text>
            {'   '}
            <Text color={color.accent}>/{words}</Text>
            {typing && <Text inverse> </Text>}
            <Text color={color.muted}>{`  ${formatCount(found.length)} found`}</Text>
          </Text>
        )}
      </Line>
      {found.slice(top.current, top.current + shownRows).map((item, index) => {
        const lit = focus && top.current + index === current;
        const ticked = selected.has(item.value);
        return (
          <Line key={item.value}>
            <Text color={color.accent} bold>
              {lit ? symbol.selected : ' '}{' '}
            </Text>
            <Text color={ticked ? color.success : color.muted}>{ticked ? symbol.checked : symbol.unchecked}</Text>
            <Text color={lit ? color.accent : undefined} bold={lit}>
              {` ${padEnd(cut(item.label, widths.label, symbol.ellipsis), widths.label)}`}
            </Text>
            {(item.columns ?? []).slice(0, widths.columns.length).map((column, place) => (
              <Text key={place} color={color.muted}>{`  ${padStart(column, widths.columns[place])}`}</Text>
            ))}
            {item.warning !== undefined && <Text color={color.warning}>{`  ${symbol.advisory} ${item.warning}`}</Text>}
          </Line>
        );
      })}
      {found.length === 0 && (
        <Line color={color.muted}>{items.length === 0 ? '  there is nothing to choose' : '  nothing is found'}</Line>
      )}
    </Box>
  );
}

function matching(typed: string): (item: MultiSelectItem) => boolean {
  const inverse = typed.startsWith('!');
  const words = typed
    .slice(inverse ? 1 : 0)
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return () => true;
  return ({ label }) => {
    const name = label.toLowerCase();
    return words.every((word) => name.includes(word)) !== inverse;
  };
}

/** Columns of the cursor and the box before a label. */
const MARKS = 6;
const GAP = 2;
/** A name cut shorter than this is no name. */
const LEGIBLE = 24;

/** Widths that hold every item; columns that would leave too little for the label are dropped. */
function columnWidths(items: readonly MultiSelectItem[], columns: number): { label: number; columns: number[] } {
  const behind: number[] = [];
  let label = 0;
  for (const item of items) {
    label = Math.max(label, textWidth(item.label));
    for (const [place, text] of (item.columns ?? []).entries())
      behind[place] = Math.max(behind[place] ?? 0, textWidth(text));
  }
  const wanted = Math.min(label, LEGIBLE);
  let left = columns - MARKS;
  const shown: number[] = [];
  for (const width of behind) {
    if (left - width - GAP < wanted) break;
    left -= width + GAP;
    shown.push(width);
  }
  return { label: Math.min(label, left), columns: shown };
}
