import { Box, Text, type TextProps } from 'ink';
import { useBodySize } from './body-size.ts';
import { Line } from './line.tsx';
import { useTheme } from './theme.ts';
import { fitting, textWidth } from './width.ts';

interface ProseProps {
  readonly text: string;
  /** Columns that are taken by what surrounds it. */
  readonly indent?: number;
  /** Lines at most; what is missing is told of. */
  readonly rows?: number;
  readonly color?: TextProps['color'];
  readonly bold?: boolean;
}

const MORE = '(more in a larger window)';

/** Sentences, folded between words at the width of the body. */
export function Prose({ text, indent = 0, rows, ...style }: ProseProps) {
  const { columns } = useBodySize();
  const { screenReader } = useTheme();
  if (screenReader) return <Text {...style}>{text}</Text>;
  const lines = foldWords(text, Math.max(1, columns - indent));
  const shown = rows === undefined || lines.length <= rows ? lines : [...lines.slice(0, Math.max(0, rows - 1)), MORE];
  return (
    <Box flexDirection="column" flexShrink={0}>
      {shown.map((line, index) => (
        <Line key={index} {...style}>
          {line}
        </Line>
      ))}
    </Box>
  );
}

/** The lines of `text`, broken between words so that none is wider than `columns`; a longer word is cut. */
export function foldWords(text: string, columns: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (let word of paragraph.split(' ')) {
      const joined = line === '' ? word : `${line} ${word}`;
      if (textWidth(joined) <= columns) {
        line = joined;
        continue;
      }
      if (line !== '') lines.push(line);
      while (textWidth(word) > columns) {
        const part = fitting(word, columns) || word.slice(0, 1);
        lines.push(part);
        word = word.slice(part.length);
      }
      line = word;
    }
    return [...lines, line];
  });
}
