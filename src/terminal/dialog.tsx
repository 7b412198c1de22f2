import { Box, Text } from 'ink';
import { createContext, type ReactNode, useContext, useLayoutEffect, useState } from 'react';
import { BodySizeContext, useBodySize } from './body-size.ts';
import { DialogKeys } from './key-bindings.tsx';
import { useTheme } from './theme.ts';

/** Where dialogs are drawn: above the body of the screen. */
export interface DialogHost {
  show(owner: object, dialog: ReactNode): void;
  hide(owner: object): void;
}

export const DialogHostContext = createContext<DialogHost | undefined>(undefined);

/**
 * Shows its content in a frame in front of the screen's body, wherever in the tree it is mounted, and keeps all keys to itself.
 * Without a screen around it, it is drawn where it stands.
 */
export function Dialog({ title, children }: { title?: string; children: ReactNode }) {
  const host = useContext(DialogHostContext);
  const [own] = useState(() => ({}));
  const dialog = (
    <DialogKeys>
      <Frame title={title}>{children}</Frame>
    </DialogKeys>
  );
  useLayoutEffect(() => host?.show(own, dialog));
  useLayoutEffect(() => () => host?.hide(own), [host, own]);
  return host === undefined ? dialog : null;
}

/** The widest that a dialog gets, in columns. */
const WIDEST = 76;

function Frame({ title, children }: { title?: string; children: ReactNode }) {
  const { color, border, screenReader } = useTheme();
  const body = useBodySize();
  const width = Math.min(WIDEST, body.columns);
  const inside = { columns: width - 4, rows: Math.max(1, body.rows - 2) };
  if (screenReader) {
    return (
      <Box flexDirection="column">
        {title !== undefined && <Text>{title}</Text>}
        {children}
      </Box>
    );
  }
  return (
    <Box
      flexDirection="column"
      flexShrink={0}
      width={width}
      borderStyle={border}
      borderColor={color.accent}
      paddingX={1}
      overflow="hidden"
    >
      <BodySizeContext value={inside}>
        {title !== undefined && (
          <Box height={0} marginTop={-1} flexShrink={0}>
            <Text color={color.accent} bold>{` ${title} `}</Text>
          </Box>
        )}
        {children}
      </BodySizeContext>
    </Box>
  );
}
