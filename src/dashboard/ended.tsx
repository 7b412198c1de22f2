import { Box, Text } from 'ink';
import { explanationOf, plain } from '../explanations/table.ts';
import type { Ending } from '../sessions/replication.ts';
import { clean, padEnd } from '../terminal/format.ts';
import { Line } from '../terminal/line.tsx';
import { foldWords } from '../terminal/prose.tsx';
import { useBodySize } from '../terminal/screen.tsx';
import { useTheme } from '../terminal/theme.ts';
import type { Failure } from './engine.ts';
import { shortPosition } from './position.ts';
import type { Reading } from './reading.ts';
import { ago, clockTime, keeperOf, lagAmount } from './words.ts';

interface EndedProps {
  readonly ending: Ending;
  /** What was known of the engine last. */
  readonly reading: Reading | undefined;
  /** What a resume has failed with. */
  readonly failure: Failure | undefined;
  readonly now: number;
}

const LABEL = 11;

/** That the engine has ended: why, what is safe, how to mend it, and what to do now. */
export function Ended({ ending, reading, failure, now }: EndedProps) {
  const { color, symbol } = useTheme();
  const { columns, rows } = useBodySize();
  const asked = ending.how === 'stopped';
  const when = Date.parse(ending.at);
  const texts: [label: string, text: string | undefined][] = [
    ['why', whyText(ending)],
    ['when', Number.isNaN(when) ? undefined : `${clockTime(when)}, ${ago(now - when)}`],
    ['safe', safeText(reading, ending)],
    ['fix', ending.fix],
    ['more', explanationOf(ending.code) && `instar explain ${ending.code}`],
    ['last seen', reading === undefined ? undefined : `${lagAmount(reading)} behind at ${clockTime(reading.at)}`],
    [
      'not done',
      failure && `${failure.what} failed: ${failure.message}${failure.code === undefined ? '' : ` (${failure.code})`}`,
    ],
    ['fix', failure?.fix],
    [
      'now',
      `r resumes, l shows the log, q leaves${ending.fix === undefined && failure?.fix === undefined ? '' : ', c copies the fix'}`,
    ],
  ];
  const lines = texts.flatMap(([label, text]) =>
    text === undefined
      ? []
      : text
          .split('\n')
          .flatMap((line) => foldWords(clean(line), Math.max(20, columns - LABEL)))
          .map((line, index) => ({ label: index === 0 ? label : '', line })),
  );
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line color={asked ? color.warning : color.danger} bold>
        {asked ? `${symbol.waiting} The engine was stopped` : `${symbol.failed} The engine has ended`}
      </Line>
      <Line> </Line>
      {lines.slice(0, Math.max(1, rows - 2)).map(({ label, line }, index) => (
        <Line key={index}>
          <Text color={color.muted}>{padEnd(label, LABEL)}</Text>
          {line}
        </Line>
      ))}
    </Box>
  );
}

function whyText({ how, code, message }: Ending): string {
  if (how === 'stopped') return 'it was asked to stop, and has applied what was in hand';
  if (how === 'killed') {
    return 'it vanished without a word: killed, out of memory, or the machine was restarted';
  }
  const told = message ?? 'it gave up without a reason';
  return code === undefined ? told : `${code}: ${told}`;
}

/** What is on the target, which is true of every end; and what the error means for the rest, as far as it is known. */
function safeText(reading: Reading | undefined, { code }: Ending): string {
  const applied = reading?.position.applied;
  const upTo = applied === undefined ? 'what was committed' : `everything up to ${shortPosition(applied, 60)}`;
  const known = explanationOf(code);
  if (known !== undefined) return `${upTo} is on the target and stays there. ${plain(known.data)}`;
  const { who } = keeperOf(reading ?? { kind: undefined });
  return `${upTo} is on the target and stays there; ${who}, and a resume goes on from the checkpoint with nothing left out or applied twice`;
}
