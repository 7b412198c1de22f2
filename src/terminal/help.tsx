import { Text } from 'ink';
import { useState } from 'react';
import { useBodySize } from './body-size.ts';
import { Dialog } from './dialog.tsx';
import { padEnd } from './format.ts';
import { merged } from './hints.ts';
import { useKeyRegistry, useKeys } from './key-bindings.tsx';
import { keyLabel } from './keys.ts';
import { Line } from './line.tsx';
import { useTheme } from './theme.ts';
import { textWidth } from './width.ts';

interface HelpProps {
  readonly title: string;
  onClose(): void;
}

const GAP = 3;
/** Columns of a dialog's border and padding. */
const FRAME = 4;

/** All keys of what was on the screen when it was opened. */
export function Help({ title, onClose }: HelpProps) {
  const registry = useKeyRegistry();
  const { ascii } = useTheme();
  const [keys] = useState(() =>
    registry.reachable().flatMap(({ bindings }) =>
      merged(bindings).map(({ keys, label, disabled }) => ({
        keys: keys.map((key) => keyLabel(key, ascii)).join(' '),
        label: disabled === undefined ? label : `${label} (${disabled})`,
      })),
    ),
  );
  const widest =
    Math.max(textWidth(title) + 10, ...keys.map(({ label }) => textWidth(label))) + keysWidth(keys) + GAP + FRAME;
  return (
    <Dialog title={`Keys: ${title}`} width={widest}>
      <List keys={keys} onClose={onClose} />
    </Dialog>
  );
}

function List({ keys, onClose }: { keys: readonly { keys: string; label: string }[]; onClose(): void }) {
  const { color } = useTheme();
  const { rows } = useBodySize();
  const [top, setTop] = useState(0);
  const last = Math.max(0, keys.length - rows);
  const move = (to: number) => setTop(Math.max(0, Math.min(last, to)));
  useKeys([
    { keys: ['escape', '?', 'q', 'return'], label: 'close', run: onClose },
    { keys: ['up'], label: 'scroll', footer: last > 0, run: () => move(top - 1) },
    { keys: ['down'], label: 'scroll', footer: last > 0, run: () => move(top + 1) },
    { keys: ['pageup'], label: 'page up', footer: false, run: () => move(top - rows) },
    { keys: ['pagedown'], label: 'page down', footer: false, run: () => move(top + rows) },
  ]);
  const width = keysWidth(keys);
  return (
    <>
      {keys.slice(top, top + rows).map(({ keys, label }) => (
        <Line key={keys + label}>
          <Text bold>{padEnd(keys, width)}</Text>
          <Text color={color.text}>{' '.repeat(GAP) + label}</Text>
        </Line>
      ))}
    </>
  );
}

function keysWidth(keys: readonly { keys: string }[]): number {
  return Math.max(0, ...keys.map(({ keys }) => textWidth(keys)));
}
