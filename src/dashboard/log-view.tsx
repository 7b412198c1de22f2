import { Box, Text } from 'ink';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { clean, formatBytes } from '../terminal/format.ts';
import { Field } from '../terminal/field.tsx';
import { type Binding, useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { useBodySize } from '../terminal/screen.tsx';
import { type Theme, useTheme } from '../terminal/theme.ts';
import { graphemes } from '../terminal/width.ts';
import { LogFile } from './log-file.ts';
import { type LogPage, LogPager } from './log-pager.ts';

/** Columns that the text is shifted by at once. */
const SHIFT = 20;

/** The log of the engine from its end, followed while it grows, and searched. */
export function LogView({ path }: { path: string }) {
  const theme = useTheme();
  const { rows } = useBodySize();
  const [pager] = useState(() => new LogPager(new LogFile(path)));
  const page = useSyncExternalStore(pager.subscribe, pager.getPage);
  const [shift, setShift] = useState(0);
  const [typing, setTyping] = useState(false);
  const [words, setWords] = useState('');
  const room = Math.max(1, rows - 1);
  useEffect(() => void pager.resize(room), [pager, room]);
  const scroll: [key: string, run: () => Promise<void>][] = [
    ['up', () => pager.move(-1)],
    ['down', () => pager.move(1)],
    ['pageup', () => pager.page(-1)],
    ['pagedown', () => pager.page(1)],
    ['home', () => pager.top()],
    ['end', () => pager.follow()],
  ];
  const found: Binding[] =
    page.words === ''
      ? []
      : [
          { keys: ['n'], label: 'older match', run: () => void pager.next('up') },
          { keys: ['N'], label: 'newer match', run: () => void pager.next('down') },
        ];
  useKeys([
    ...found,
    { keys: ['/'], label: 'search', run: () => setTyping(true) },
    {
      keys: ['f'],
      label: page.following ? 'hold' : 'follow',
      run: () => void (page.following ? pager.hold() : pager.follow()),
    },
    ...scroll.map(([key, run]) => ({ keys: [key], label: 'scroll', run: () => void run() })),
    { keys: ['left'], label: 'sideways', footer: false, run: () => setShift(Math.max(0, shift - SHIFT)) },
    { keys: ['right'], label: 'sideways', footer: false, run: () => setShift(shift + SHIFT) },
  ]);
  return (
    <Box flexDirection="column" flexShrink={0}>
      {Array.from({ length: room }, (_, index) => {
        const line = page.lines[index];
        if (line === undefined) return <Line key={index}> </Line>;
        const text = shifted(clean(line.text), shift);
        return (
          <Line key={index} color={levelColor(line.text, theme)}>
            {line.at === page.found ? <Marked text={text} words={page.words} /> : text || ' '}
          </Line>
        );
      })}
      {typing ? (
        <Search
          words={words}
          onChange={setWords}
          onDone={(wanted) => {
            setTyping(false);
            setWords(wanted);
            void pager.find(wanted);
          }}
        />
      ) : (
        <Line color={theme.color.muted}>{describePage(page)}</Line>
      )}
    </Box>
  );
}

function Search({
  words,
  onChange,
  onDone,
}: {
  words: string;
  onChange(words: string): void;
  onDone(words: string): void;
}) {
  useKeys([{ keys: ['escape'], label: 'no search', run: () => onDone('') }], { scope: 'control' });
  return <Field label="search" value={words} onChange={onChange} onSubmit={onDone} focus />;
}

function describePage({ lines, extent: { begin, end }, following, words, message }: LogPage): string {
  const last = lines.at(-1);
  const size = end - begin;
  const place = size === 0 || last === undefined ? '' : ` of ${formatBytes(size)}`;
  const where = following
    ? `follows the end${place}`
    : `held at ${Math.floor((100 * ((last?.end ?? begin) - begin)) / Math.max(1, size))}%${place}`;
  return [where, ...(words === '' ? [] : [`/${words}`]), ...(message === undefined ? [] : [message])].join('   ');
}

function Marked({ text, words }: { text: string; words: string }) {
  const at = words === '' ? -1 : text.toLowerCase().indexOf(words.toLowerCase());
  if (at < 0) return <Text bold>{text}</Text>;
  return (
    <Text bold>
      {text.slice(0, at)}
      <Text inverse>{text.slice(at, at + words.length)}</Text>
      {text.slice(at + words.length)}
    </Text>
  );
}

function shifted(text: string, by: number): string {
  return by === 0 ? text : graphemes(text).slice(by).join('');
}

/** The level stands in the line as a word, too. */
function levelColor(text: string, { color }: Theme): string | undefined {
  const [, level] = /^(?:\[[^\]]*\] |\{"severity":")(ERROR|FATAL|WARN|DEBUG|TRACE)/.exec(text) ?? [];
  if (level === undefined) return undefined;
  return level === 'WARN' ? color.warning : level === 'ERROR' || level === 'FATAL' ? color.danger : color.muted;
}
