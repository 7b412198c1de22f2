import { Box, Text, useWindowSize } from 'ink';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import { type BodySize, BodySizeContext, useBodySize } from './body-size.ts';
import { DialogHostContext } from './dialog.tsx';
import { Footer } from './footer.tsx';
import { Help } from './help.tsx';
import { useKeys } from './key-bindings.tsx';
import { Line } from './line.tsx';
import { Palette } from './palette.tsx';
import { type Theme, useTheme } from './theme.ts';
import { Trail } from './trail.tsx';

export { type BodySize, useBodySize } from './body-size.ts';

export interface ScreenProps {
  readonly title: string;
  /** The steps of a longer way, of which `current` is the index of the one shown. */
  readonly trail?: readonly string[];
  readonly current?: number;
  /** A few words at the right of the header. */
  readonly status?: ReactNode;
  readonly children?: ReactNode;
}

/** Nothing sensible fits in less. */
const SMALLEST = { columns: 40, rows: 10 };
/** From this height on, a line parts header and footer from the body; from the next, a blank line leads to it. */
const ROOMY = 16;
const AIRY = 20;

/**
 * The whole window: a header, the body in what is left, and a footer made of the keys that can be pressed. `?` shows all keys,
 * `:` a menu of them. Dialogs of what is inside appear in front of the body.
 */
export function Screen({ title, trail, current = 0, status, children }: ScreenProps) {
  const theme = useTheme();
  const window = useWindowSize();
  const roomy = window.rows >= ROOMY;
  const footerRows = window.rows >= 30 ? 2 : 1;
  const columns = window.columns - 2;
  const air = window.rows >= AIRY ? 1 : 0;
  const rows = window.rows - 1 - footerRows - (roomy ? 2 : 0) - air;
  const size = useMemo(() => ({ columns, rows }), [columns, rows]);
  const [overlay, setOverlay] = useState<'help' | 'palette'>();
  const { host, dialog } = useDialogs();
  useKeys(
    [
      { keys: ['?'], label: 'help', run: () => setOverlay('help') },
      { keys: [':', 'ctrl+p'], label: 'menu', run: () => setOverlay('palette') },
    ],
    { scope: 'global' },
  );
  const close = () => setOverlay(undefined);
  const small = window.columns < SMALLEST.columns || window.rows < SMALLEST.rows;

  const content = (
    <DialogHostContext value={host}>
      <BodySizeContext value={size}>{children}</BodySizeContext>
    </DialogHostContext>
  );
  const front = (
    <BodySizeContext value={size}>
      {dialog}
      {overlay === 'help' && <Help title={title} onClose={close} />}
      {overlay === 'palette' && <Palette onClose={close} />}
    </BodySizeContext>
  );

  if (theme.screenReader)
    return <Linear title={title} trail={trail} current={current} status={status} body={content} front={front} />;
  return (
    <Box width={window.columns} height={window.rows} flexDirection="column" overflow="hidden">
      {small && <TooSmall {...window} />}
      <Box
        display={small ? 'none' : 'flex'}
        width={window.columns}
        height={window.rows}
        flexDirection="column"
        paddingX={1}
      >
        <Header title={title} trail={roomy ? undefined : trail} current={current} status={status} />
        {roomy &&
          (trail === undefined ? (
            <Rule columns={columns} theme={theme} />
          ) : (
            <Trail steps={trail} current={current} columns={columns} />
          ))}
        <Box width={columns} height={rows} marginTop={air} flexShrink={0} flexDirection="column" overflow="hidden">
          {content}
          <Front size={size} shown={dialog !== undefined || overlay !== undefined}>
            {front}
          </Front>
        </Box>
        <Footer columns={columns} rows={footerRows} rule={roomy} />
      </Box>
    </Box>
  );
}

interface HeaderProps {
  readonly title: string;
  readonly trail: readonly string[] | undefined;
  readonly current: number;
  readonly status: ReactNode;
}

function Header({ title, trail, current, status }: HeaderProps) {
  const { color } = useTheme();
  return (
    <Box height={1} flexShrink={0} justifyContent="space-between" overflow="hidden">
      <Box flexShrink={1} overflow="hidden">
        <Line>
          <Text bold color={color.accent}>
            {title}
          </Text>
          {trail !== undefined && (
            <Text color={color.muted}>{`  ${current + 1}/${trail.length} ${trail[current] ?? ''}`}</Text>
          )}
        </Line>
      </Box>
      {status !== undefined && (
        <Box flexShrink={0} paddingLeft={2}>
          {typeof status === 'string' ? <Text color={color.muted}>{status}</Text> : status}
        </Box>
      )}
    </Box>
  );
}

function Rule({ columns, theme }: { columns: number; theme: Theme }) {
  return <Line color={theme.color.muted}>{theme.symbol.rule.repeat(columns)}</Line>;
}

/** In front of the body, in its middle; what it does not cover stays readable. */
function Front({ size, shown, children }: { size: BodySize; shown: boolean; children: ReactNode }) {
  if (!shown) return null;
  return (
    <Box
      position="absolute"
      top={0}
      left={0}
      width={size.columns}
      height={size.rows}
      alignItems="center"
      justifyContent="center"
    >
      {children}
    </Box>
  );
}

function TooSmall({ columns, rows }: BodySize) {
  const { color } = useTheme();
  return (
    <Box width={columns} height={rows} flexDirection="column" alignItems="center" justifyContent="center">
      <Line color={color.warning}>terminal too small</Line>
      <Line>{`${columns}x${rows}, needs ${SMALLEST.columns}x${SMALLEST.rows}`}</Line>
    </Box>
  );
}

interface LinearProps extends HeaderProps {
  readonly body: ReactNode;
  readonly front: ReactNode;
}

function Linear({ title, trail, current, status, body, front }: LinearProps) {
  const { columns } = useBodySize();
  return (
    <Box flexDirection="column">
      <Text>{title}</Text>
      {trail !== undefined && <Text>{`step ${current + 1} of ${trail.length}: ${trail[current] ?? ''}`}</Text>}
      {status !== undefined && (typeof status === 'string' ? <Text>{status}</Text> : status)}
      {body}
      {front}
      <Footer columns={columns} rows={1} rule={false} />
    </Box>
  );
}

/** The dialogs that components inside of the screen have opened; the last one is shown. */
function useDialogs() {
  const [dialogs, setDialogs] = useState<ReadonlyMap<object, ReactNode>>(new Map());
  const show = useCallback(
    (owner: object, dialog: ReactNode) => setDialogs((now) => new Map(now).set(owner, dialog)),
    [],
  );
  const hide = useCallback(
    (owner: object) =>
      setDialogs((now) => {
        const next = new Map(now);
        next.delete(owner);
        return next;
      }),
    [],
  );
  const host = useMemo(() => ({ show, hide }), [show, hide]);
  return { host, dialog: [...dialogs.values()].at(-1) };
}
