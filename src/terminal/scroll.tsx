import { Box, Text } from 'ink';
import { useMemo, useState } from 'react';
import { useBodySize } from './body-size.ts';
import { clean, formatCount } from './format.ts';
import { type Binding, useKeys } from './key-bindings.tsx';
import type { Key } from './keys.ts';
import { Line } from './line.tsx';
import { movedIn } from './scroll-top.ts';
import { editField, emptyField, fieldValue } from './text-field.ts';
import { useTheme } from './theme.ts';
import { fitting, textWidth } from './width.ts';

export interface ScrollProps {
  /** One text or its lines; made harmless before it is shown. */
  readonly text: string | readonly string[];
  /** Lines in all, the one that says where one is included. */
  readonly rows: number;
  readonly focus: boolean;
  /** Stay at the end while lines are added, until somebody scrolls up. */
  readonly follow?: boolean;
}

/** Longer lines are cut before they are looked at. */
const LONGEST = 4096;

/** Text to be read: longer lines are folded, `/` searches in it. */
export function Scroll({ text, rows, focus, follow = false }: ScrollProps) {
  const { color } = useTheme();
  const { columns } = useBodySize();
  const lines = useMemo(() => folded(text, columns), [text, columns]);
  const room = Math.max(1, lines.length > rows ? rows - 1 : rows);
  const last = Math.max(0, lines.length - room);
  const [top, setTop] = useState<number | 'end'>(follow ? 'end' : 0);
  const [sought, setSought] = useState(emptyField());
  const [typing, setTyping] = useState(false);
  const words = fieldValue(sought).toLowerCase();
  const at = top === 'end' ? last : Math.min(top, last);
  const hits = useMemo(
    () => (words === '' ? [] : lines.flatMap((line, index) => (line.toLowerCase().includes(words) ? [index] : []))),
    [lines, words],
  );
  const go = (to: number) => setTop(follow && to >= last ? 'end' : Math.max(0, Math.min(last, to)));
  const next = (from: number) => {
    const hit = hits.find((line) => line > from) ?? hits[0];
    if (hit !== undefined) go(hit);
  };
  const previous = () => {
    const hit = hits.findLast((line) => line < at) ?? hits.at(-1);
    if (hit !== undefined) go(hit);
  };
  const stop = (keep: boolean) => {
    setTyping(false);
    if (!keep) setSought(emptyField());
  };
  const bindings: Binding[] = typing
    ? [
        {
          keys: ['return'],
          label: 'search',
          run: () => {
            stop(true);
            next(at - 1);
          },
        },
        { keys: ['escape'], label: 'no search', run: () => stop(false) },
      ]
    : [
        ...['up', 'down', 'pageup', 'pagedown', 'home', 'end'].map((name) => ({
          keys: [name],
          label: 'scroll',
          footer: last > 0,
          run: () => go(name === 'end' ? last : (movedIn(at, name, room, lines.length) ?? at)),
        })),
        { keys: ['/'], label: 'search', run: () => setTyping(true) },
        ...(words === ''
          ? []
          : [
              { keys: ['n'], label: 'next', run: () => next(at) },
              { keys: ['N'], label: 'previous', run: previous },
              { keys: ['escape'], label: 'no search', run: () => stop(false) },
            ]),
      ];
  const type = (key: Key): boolean => {
    const edited = editField(sought, key);
    if (edited !== undefined) setSought(edited);
    return edited !== undefined;
  };
  useKeys(bindings, { scope: 'control', active: focus, onOther: typing ? type : undefined });

  return (
    <Box flexDirection="column" flexShrink={0}>
      {lines.slice(at, at + room).map((line, index) => (
        <Line key={at + index}>{words === '' ? line : <Marked line={line} words={words} />}</Line>
      ))}
      {(lines.length > rows || typing || words !== '') && (
        <Line color={color.muted}>
          {`${formatCount(at + 1)}-${formatCount(Math.min(lines.length, at + room))} of ${formatCount(lines.length)}`}
          {(typing || words !== '') && (
            <Text>
              {'   '}
              <Text color={color.accent}>/{fieldValue(sought)}</Text>
              {typing ? <Text inverse> </Text> : `  ${formatCount(hits.length)} found`}
            </Text>
          )}
        </Line>
      )}
    </Box>
  );
}

function Marked({ line, words }: { line: string; words: string }) {
  const at = line.toLowerCase().indexOf(words);
  if (at < 0) return <Text>{line}</Text>;
  return (
    <Text>
      {line.slice(0, at)}
      <Text inverse>{line.slice(at, at + words.length)}</Text>
      {line.slice(at + words.length)}
    </Text>
  );
}

function folded(text: string | readonly string[], columns: number): string[] {
  const lines = typeof text === 'string' ? text.replace(/\n$/, '').split('\n') : text;
  return lines.flatMap((line) => {
    const parts: string[] = [];
    let rest = clean(line.slice(0, LONGEST).replaceAll('\t', '    '));
    while (textWidth(rest) > columns) {
      const part = fitting(rest, columns) || rest.slice(0, 1);
      parts.push(part);
      rest = rest.slice(part.length);
    }
    return [...parts, rest];
  });
}
