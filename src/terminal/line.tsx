import { Box, Text, type TextProps } from 'ink';
import type { ReactNode } from 'react';
import { useTheme } from './theme.ts';

interface LineProps {
  readonly children?: ReactNode;
  readonly color?: TextProps['color'];
  readonly bold?: boolean;
  readonly inverse?: boolean;
}

/** One line of text, never more and never less: what does not fit is cut off, and a crowded column does not swallow it. */
export function Line({ children, ...style }: LineProps) {
  const { ascii, screenReader } = useTheme();
  if (screenReader) return <Text {...style}>{children}</Text>;
  // Ink marks the cut with an ellipsis, which is no character of ASCII; there the line just ends.
  return (
    <Box height={1} flexShrink={0} overflow="hidden">
      <Text wrap={ascii ? 'hard' : 'truncate'} {...style}>
        {children}
      </Text>
    </Box>
  );
}
