import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import { Prose } from './prose.tsx';
import { type Theme, useTheme } from './theme.ts';

export type NoticeKind = 'info' | 'success' | 'warning' | 'danger';

interface NoticeProps {
  readonly kind: NoticeKind;
  readonly title: string;
  readonly children?: ReactNode;
}

/** Sign, word and colour of a kind of notice: told by all three, so that none is needed. */
export function noticeStyle(kind: NoticeKind, { color, symbol }: Theme) {
  switch (kind) {
    case 'info':
      return { sign: symbol.info, word: 'Note', color: color.accent };
    case 'success':
      return { sign: symbol.passed, word: 'Done', color: color.success };
    case 'warning':
      return { sign: symbol.advisory, word: 'Warning', color: color.warning };
    case 'danger':
      return { sign: symbol.failed, word: 'Problem', color: color.danger };
  }
}

/** Something that the operator has to know, with what belongs to it below. */
export function Notice({ kind, title, children }: NoticeProps) {
  const theme = useTheme();
  const style = noticeStyle(kind, theme);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Text>
        <Text color={style.color} bold>
          {style.sign} {style.word}
        </Text>
        <Text>{'  '}</Text>
        <Text bold>{title}</Text>
      </Text>
      {children !== undefined && (
        <Box flexDirection="column" flexShrink={0} paddingLeft={2}>
          {typeof children === 'string' ? <Prose text={children} indent={2} /> : children}
        </Box>
      )}
    </Box>
  );
}
