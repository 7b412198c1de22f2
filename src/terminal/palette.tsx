import { Text } from 'ink';
import { useState } from 'react';
import { useBodySize } from './body-size.ts';
import { Dialog } from './dialog.tsx';
import { Field } from './field.tsx';
import { padEnd } from './format.ts';
import { isNavigation } from './hints.ts';
import { useKeyRegistry, useKeys } from './key-bindings.tsx';
import { keyLabel } from './keys.ts';
import { Line } from './line.tsx';
import { useTheme } from './theme.ts';
import { textWidth } from './width.ts';

interface Action {
  readonly order: number;
  readonly label: string;
  readonly key: string;
  readonly disabled: string | undefined;
}

/** A menu of everything that can be done, found by typing. */
export function Palette({ onClose }: { onClose(): void }) {
  const registry = useKeyRegistry();
  const { ascii } = useTheme();
  const [actions] = useState(() =>
    registry
      .reachable()
      .flatMap(({ order, bindings }) =>
        bindings
          .filter(({ keys, label }) => label !== 'menu' && !isNavigation(keys[0]))
          .map(({ keys, label, disabled }): Action => ({ order, label, key: keyLabel(keys[0], ascii), disabled })),
      ),
  );
  const choose = ({ order, label }: Action) => {
    onClose();
    registry.perform(order, label);
  };
  return (
    <Dialog title="Menu">
      <Menu actions={actions} onChoose={choose} onClose={onClose} />
    </Dialog>
  );
}

interface MenuProps {
  readonly actions: readonly Action[];
  onChoose(action: Action): void;
  onClose(): void;
}

function Menu({ actions, onChoose, onClose }: MenuProps) {
  const { color, symbol } = useTheme();
  const { rows } = useBodySize();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const found = actions.filter(({ label }) => label.toLowerCase().includes(typed.trim().toLowerCase()));
  const selected = Math.min(at, found.length - 1);
  const room = Math.max(1, rows - 1);
  const top = Math.max(0, Math.min(selected - Math.floor(room / 2), found.length - room));
  useKeys([
    { keys: ['escape'], label: 'close', run: onClose },
    { keys: ['up'], label: 'up', footer: false, run: () => setAt(Math.max(0, selected - 1)) },
    { keys: ['down'], label: 'down', footer: false, run: () => setAt(Math.min(found.length - 1, selected + 1)) },
    { keys: ['return'], label: 'run', run: () => found[selected] !== undefined && onChoose(found[selected]) },
  ]);
  const search = (value: string) => {
    setTyped(value);
    setAt(0);
  };
  const width = Math.max(...actions.map(({ label }) => textWidth(label)));
  return (
    <>
      <Field label=":" value={typed} onChange={search} focus />
      {found.slice(top, top + room).map((action, index) => {
        const chosen = top + index === selected;
        return (
          <Line key={`${action.order} ${action.label}`} color={chosen ? color.accent : undefined} bold={chosen}>
            {`${chosen ? symbol.selected : ' '} ${padEnd(action.label, width)}   `}
            <Text color={color.muted}>{action.disabled ?? action.key}</Text>
          </Line>
        );
      })}
      {found.length === 0 && <Line color={color.muted}>{'  nothing of that name'}</Line>}
    </>
  );
}
