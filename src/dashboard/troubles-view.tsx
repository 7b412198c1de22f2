import { Box, Text } from 'ink';
import { useState } from 'react';
import { explanationOf, plain } from '../explanations/table.ts';
import { useCopy } from '../terminal/clipboard.ts';
import { clean, formatCount, padEnd } from '../terminal/format.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { foldWords } from '../terminal/prose.tsx';
import { useBodySize } from '../terminal/screen.tsx';
import { movedIn, scrollTop } from '../terminal/scroll-top.ts';
import { useTheme } from '../terminal/theme.ts';
import type { Reading, Trouble } from './reading.ts';
import { clockTime, troubleLine } from './words.ts';

/** Problems that the engine has told of, newest first, the selected one whole; and how many dead letters there are. */
export function TroublesView({ reading }: { reading: Reading }) {
  const { color, symbol } = useTheme();
  const { rows } = useBodySize();
  const copy = useCopy();
  const [at, setAt] = useState(0);
  const [top, setTop] = useState(0);
  const { troubles } = reading;
  const selected = Math.max(0, Math.min(at, troubles.length - 1));
  const trouble: Trouble | undefined = troubles[selected];
  const listed = Math.max(1, Math.min(troubles.length, Math.floor((rows - 4) / 2)));
  const first = scrollTop(top, selected, listed, troubles.length);
  useKeys([
    ...['up', 'down', 'pageup', 'pagedown', 'home', 'end'].map((name) => ({
      keys: [name],
      label: 'select',
      footer: troubles.length > 1,
      run: () => {
        const to = movedIn(selected, name, listed, troubles.length) ?? selected;
        setAt(to);
        setTop(scrollTop(first, to, listed, troubles.length));
      },
    })),
    {
      keys: ['c'],
      label: 'copy the fix',
      run: () => copy(trouble?.fix ?? ''),
      disabled: trouble?.fix === undefined ? 'there is no fix to copy' : undefined,
    },
  ]);
  const errors = reading.tables.filter(({ errors }) => errors > 0);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line>
        <Text bold>Dead letters</Text> {deadLetterText(reading)}
      </Line>
      <Line>
        <Text bold>Errors</Text>{' '}
        {errors.length === 0
          ? 'no table has any'
          : errors.map(({ name, errors }) => `${clean(name)} ${formatCount(errors)}`).join(', ')}
      </Line>
      <Line> </Line>
      {trouble === undefined ? (
        <Line color={color.muted}>
          {reading.engineState === undefined
            ? 'This endpoint does not tell of problems; see the log of the replicator.'
            : `${symbol.passed} The engine has told of no problem since it started.`}
        </Line>
      ) : (
        troubles.slice(first, first + listed).map((one, index) => {
          const lit = first + index === selected;
          return (
            <Line key={`${one.at} ${one.code} ${first + index}`} color={lit ? color.accent : undefined} bold={lit}>
              {`${lit ? symbol.selected : ' '} ${clockTime(one.at)}  ${clean(troubleLine(one))}`}
            </Line>
          );
        })
      )}
      {trouble !== undefined && <Whole trouble={trouble} rows={rows - 4 - listed} />}
    </Box>
  );
}

function Whole({ trouble, rows }: { trouble: Trouble; rows: number }) {
  const { color } = useTheme();
  const { columns } = useBodySize();
  const { code, message, table, fix } = trouble;
  const lines = [
    ...foldWords(clean(message), columns - 10).map((text, index) => ({ label: index === 0 ? 'what' : '', text })),
    ...foldWords(plain(explanationOf(code)?.data ?? ''), columns - 10).flatMap((text, index) =>
      text === '' ? [] : [{ label: index === 0 ? 'data' : '', text }],
    ),
    ...(table === undefined ? [] : [{ label: 'table', text: clean(table) }]),
    ...(code === '' ? [] : [{ label: 'code', text: code }]),
    ...(fix ?? '')
      .split('\n')
      .flatMap((line, index) => (line === '' ? [] : [{ label: index === 0 ? 'fix' : '', text: clean(line) }])),
  ];
  return (
    <>
      <Line> </Line>
      {lines.slice(0, Math.max(0, rows)).map(({ label, text }, index) => (
        <Line key={index}>
          <Text color={color.muted}>{padEnd(label, 10)}</Text>
          {text}
        </Line>
      ))}
    </>
  );
}

function deadLetterText({ deadLetters, deadLetterTable }: Reading): string {
  if (deadLetters === undefined) return 'not told by this endpoint';
  if (deadLetters === 0) return 'none';
  const what = deadLetters === 1 ? '1 source transaction' : `${formatCount(deadLetters)} source transactions`;
  return `${what}, with rows and error text in table ${deadLetterTable === undefined ? '' : clean(deadLetterTable)} of the target`;
}
