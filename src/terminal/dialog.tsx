import { Box, Text } from 'ink';
import { createContext, type ReactNode, useContext, useLayoutEffect, useState } from 'react';
import { BodySizeContext, useBodySize } from './body-size.ts';
import { cut } from './format.ts';
import { DialogKeys } from './key-bindings.tsx';
import { useTheme } from './theme.ts';

/** Where dialogs are drawn: above the body of the screen. */
export interface DialogHost {
  show(owner: object, dialog: ReactNode): void;
  hide(owner: object): void;
}

export const DialogHostContext = createContext<DialogHost | undefined>(undefined);

interface DialogProps {
  readonly title?: string;
  /** Columns, where it need not be as wide as it can. */
  readonly width?: number;
  readonly children: ReactNode;
}

/** The widest that a dialog gets, in columns. */
const WIDEST = 76;
/** No colour that Ink knows: it fills the box with blanks of the terminal's own background, over what lies below. */
const EMPTY = 'none';

/**
 * Shows its content in a frame in front of the screen's body, wherever in the tree it is mounted, and keeps all keys to itself.
 * Without a screen around it, it is drawn where it stands.
 */
export function Dialog({ title, width, children }: DialogProps) {
  const host = useContext(DialogHostContext);
  const [own] = useState(() => ({}));
  const dialog = (
    <DialogKeys>
      <Frame title={title} width={width}>
        {children}
      </Frame>
    </DialogKeys>
  );
  useLayoutEffect(() => host?.show(own, dialog));
  useLayoutEffect(() => () => host?.hide(own), [host, own]);
  return host === undefined ? dialog : null;
}

function Frame({ title, width = WIDEST, children }: DialogProps) {
  const { color, border, screenReader } = useTheme();
  const body = useBodySize();
  if (screenReader) {
    return (
      <Box flexDirection="column">
        {title !== undefined && <Text>{title}</Text>}
        {children}
      </Box>
    );
  }
  const outside = Math.min(width, body.columns);
  const inside = { columns: outside - 4, rows: Math.max(1, body.rows - 2) };
  return (
    <Box width={outside} maxHeight={body.rows} flexDirection="column" flexShrink={0}>
      <Box
        flexDirection="column"
        flexShrink={1}
        borderStyle={border}
        borderColor={color.accent}
        backgroundColor={EMPTY}
        paddingX={1}
        overflow="hidden"
      >
        <BodySizeContext value={inside}>{children}</BodySizeContext>
      </Box>
      {title !== undefined && (
        <Box position="absolute" top={0} left={2}>
          <Text color={color.accent} bold>
            {` ${cut(title, outside - 6)} `}
          </Text>
        </Box>
      )}
    </Box>
  );
}
