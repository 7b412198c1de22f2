import { Box, Text } from 'ink';
import SelectInput from 'ink-select-input';
import { useMemo, useRef } from 'react';
import { padEnd } from './format.ts';
import { useKeyRegistry, useKeys, useKeysBlocked } from './key-bindings.tsx';
import { useTheme } from './theme.ts';
import { useToast } from './toast.tsx';
import { textWidth } from './width.ts';

export interface SelectItem {
  readonly value: string;
  readonly label: string;
  /** Said behind the label. */
  readonly hint?: string;
  /** Why it cannot be chosen. */
  readonly disabled?: string;
}

export interface SelectProps {
  readonly items: readonly SelectItem[];
  /** The value of the item that is highlighted first. */
  readonly initial?: string;
  onSelect(value: string): void;
  onHighlight?(value: string): void;
  readonly focus: boolean;
  /** Lines at most; the list turns round under the cursor. */
  readonly limit?: number;
}

interface Row extends SelectItem {
  readonly key: string;
  readonly labelWidth: number;
  readonly focus: boolean;
}

/** One of several. Items that cannot be chosen are shown with the reason. */
export function Select({ items, initial, onSelect, onHighlight, focus, limit }: SelectProps) {
  const registry = useKeyRegistry();
  const blocked = useKeysBlocked();
  const tell = useToast();
  const active = focus && !blocked;
  const routed = useRef(false);
  const rows = useMemo(() => {
    const labelWidth = Math.max(0, ...items.map(({ label }) => textWidth(label)));
    return items.map((item): Row => ({ ...item, key: item.value, labelWidth, focus }));
  }, [items, focus]);

  // ink-select-input listens by itself, and submits on digits: only what has been routed here counts.
  const take = () => {
    routed.current = true;
    queueMicrotask(() => {
      routed.current = false;
    });
  };
  useKeys(
    [
      { keys: ['up', 'down', 'k', 'j'], label: 'move', run: take },
      { keys: ['return'], label: 'choose', run: take },
    ],
    { scope: 'control', active: focus },
  );
  const choose = (row: { readonly value: string } | undefined) => {
    if (!routed.current || row === undefined) return;
    const item = items.find(({ value }) => value === row.value);
    if (item === undefined) return;
    if (item.disabled === undefined) onSelect(item.value);
    else tell(`${item.label}: ${item.disabled}`, 'warning');
  };
  return (
    <Box flexDirection="column" flexShrink={0}>
      <SelectInput
        items={rows}
        initialIndex={Math.max(
          0,
          items.findIndex(({ value }) => value === initial),
        )}
        isFocused={active}
        limit={limit}
        indicatorComponent={Indicator}
        itemComponent={ItemView}
        onSelect={(row) => registry.guard(() => choose(row))}
        onHighlight={(row) => registry.guard(() => onHighlight?.(row.value))}
      />
    </Box>
  );
}

function Indicator({ isSelected = false }: { isSelected?: boolean }) {
  const { color, symbol } = useTheme();
  return (
    <Box width={2} flexShrink={0}>
      <Text color={color.accent}>{isSelected ? symbol.selected : ' '}</Text>
    </Box>
  );
}

type ItemViewProps = { readonly isSelected?: boolean; readonly label: string } & Partial<Row>;

function ItemView({ isSelected = false, label, hint, disabled, labelWidth = 0, focus = false }: ItemViewProps) {
  const { color, symbol, ascii } = useTheme();
  const lit = isSelected && focus;
  const behind = disabled === undefined ? hint : `${symbol.skipped} ${disabled}`;
  return (
    <Box height={1} flexShrink={1} overflow="hidden">
      <Text wrap={ascii ? 'hard' : 'truncate'}>
        <Text color={disabled !== undefined ? color.muted : lit ? color.accent : undefined} bold={lit}>
          {behind === undefined ? label : padEnd(label, labelWidth)}
        </Text>
        {behind !== undefined && <Text color={color.muted}>{`   ${behind}`}</Text>}
      </Text>
    </Box>
  );
}
