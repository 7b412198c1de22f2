import { Text } from 'ink';
import { useState } from 'react';
import { useBodySize } from './body-size.ts';
import { Dialog } from './dialog.tsx';
import { padEnd } from './format.ts';
import { useKeyRegistry, useKeys } from './key-bindings.tsx';
import { keyLabel } from './keys.ts';
import { Line } from './line.tsx';
import { useTheme } from './theme.ts';
import { textWidth } from './width.ts';

interface HelpProps {
  readonly title: string;
  onClose(): void;
}

/** All keys of what was on the screen when it was opened. */
export function Help({ title, onClose }: HelpProps) {
  const registry = useKeyRegistry();
  const { ascii } = useTheme();
  const [keys] = useState(() =>
    registry.reachable().flatMap(({ bindings }) =>
      bindings.map(({ keys, label, disabled }) => ({
        keys: keys.map((key) => keyLabel(key, ascii)).join(' '),
        label: disabled === undefined ? label : `${label} (${disabled})`,
      })),
    ),
  );
  return (
    <Dialog title={`Keys: ${title}`}>
      <List keys={keys} onClose={onClose} />
    </Dialog>
  );
}

function List({ keys, onClose }: { keys: readonly { keys: string; label: string }[]; onClose(): void }) {
  const { color } = useTheme();
  const { rows } = useBodySize();
  const [top, setTop] = useState(0);
  const last = Math.max(0, keys.length - rows);
  const move = (by: number) => setTop((now) => Math.min(last, Math.max(0, now + by)));
  useKeys(
    [
      { keys: ['escape', '?', 'q', 'return'], label: 'close', run: onClose },
      { keys: ['up', 'down'], label: 'scroll', footer: last > 0, run: () => {} },
    ],
    {
      onOther: (key) => {
        if (key.name === 'up') move(-1);
        if (key.name === 'down') move(1);
        return true;
      },
    },
  );
  const width = Math.max(...keys.map(({ keys }) => textWidth(keys)));
  return (
    <>
      {keys.slice(top, top + rows).map(({ keys, label }) => (
        <Line key={keys + label}>
          <Text bold>{padEnd(keys, width)}</Text>
          <Text color={color.text}>{`   ${label}`}</Text>
        </Line>
      ))}
    </>
  );
}
