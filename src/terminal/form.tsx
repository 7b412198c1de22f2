import { Box, Text } from 'ink';
import { useState } from 'react';
import { cut, padEnd } from './format.ts';
import { useBodySize } from './body-size.ts';
import { Field } from './field.tsx';
import { type Binding, useKeys } from './key-bindings.tsx';
import { Line } from './line.tsx';
import { scrollTop } from './scroll-top.ts';
import { useTheme } from './theme.ts';
import { textWidth } from './width.ts';

export interface FormField {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly mask?: boolean | ((value: string) => string);
  readonly placeholder?: string;
  readonly hint?: string;
  readonly error?: string;
  /** The only values there are; Left and Right go through them. */
  readonly choices?: readonly string[];
}

export interface FormProps {
  readonly fields: readonly FormField[];
  onChange(id: string, value: string): void;
  /** Called by Enter in the last field. */
  onSubmit(): void;
  /** Default true. */
  readonly focus?: boolean;
  /** The field that has the cursor first. */
  readonly initial?: string;
  /** The field that has the cursor, where the caller keeps it; it is told by `onMove` where the cursor wants to go. */
  readonly current?: string;
  onMove?(id: string): void;
  /** Lines at most; of more fields, those around the cursor are shown. */
  readonly rows?: number;
}

/** Several fields below each other. */
export function Form(props: FormProps) {
  const { fields, onChange, onSubmit, focus = true, initial, onMove, rows } = props;
  const body = useBodySize();
  const [at, setAt] = useState(() =>
    Math.max(
      0,
      fields.findIndex(({ id }) => id === initial),
    ),
  );
  const [top, setTop] = useState(0);
  const given = fields.findIndex(({ id }) => id === props.current);
  const current = given < 0 ? Math.min(at, fields.length - 1) : given;
  const room = Math.max(1, (rows ?? fields.length + 2) - 2);
  const from = scrollTop(top, current, room, fields.length);
  if (from !== top) setTop(from);

  const go = (to: number) => {
    const next = (to + fields.length) % fields.length;
    setAt(next);
    onMove?.(fields[next].id);
  };
  const last = current === fields.length - 1;
  const bindings: Binding[] = [
    { keys: ['tab', 'down'], label: 'next field', run: () => go(current + 1) },
    { keys: ['shift+tab', 'up'], label: 'previous field', footer: false, run: () => go(current - 1) },
    { keys: ['return'], label: last ? 'go on' : 'next', run: () => (last ? onSubmit() : go(current + 1)) },
  ];
  useKeys(bindings, { scope: 'control', active: focus });

  const widest = Math.max(0, ...fields.map(({ label }) => textWidth(label)));
  const labelWidth = Math.min(widest, Math.max(8, Math.floor(body.columns / 2) - 4));
  return (
    <Box flexDirection="column" flexShrink={0}>
      {fields.slice(from, from + room).map((field, index) => {
        const shared = { focus: focus && from + index === current, labelWidth };
        const change = (value: string) => onChange(field.id, value);
        if (field.choices !== undefined) {
          return <ChoiceField key={field.id} {...shared} field={field} choices={field.choices} onChange={change} />;
        }
        const { id, label, value, mask, placeholder, hint, error } = field;
        return <Field key={id} {...shared} {...{ label, value, mask, placeholder, hint, error }} onChange={change} />;
      })}
    </Box>
  );
}

interface ChoiceFieldProps {
  readonly field: FormField;
  readonly choices: readonly string[];
  readonly focus: boolean;
  readonly labelWidth: number;
  onChange(value: string): void;
}

function ChoiceField({ field, choices, focus, labelWidth, onChange }: ChoiceFieldProps) {
  const { color, symbol } = useTheme();
  const { label, value, hint, error } = field;
  const turn = (by: number) => {
    const at = Math.max(0, choices.indexOf(value));
    onChange(choices[(at + by + choices.length) % choices.length]);
  };
  useKeys(
    [
      { keys: ['right', ' '], label: 'change', run: () => turn(1) },
      { keys: ['left'], label: 'change', footer: false, run: () => turn(-1) },
    ],
    { scope: 'control', active: focus },
  );
  const below = error ?? (focus ? hint : undefined);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line>
        <Text color={focus ? color.accent : undefined} bold={focus}>
          {focus ? symbol.selected : ' '} {padEnd(cut(label, labelWidth, symbol.ellipsis), labelWidth)}
        </Text>
        <Text color={color.muted}>{focus ? ` ${symbol.left}` : '  '}</Text>
        <Text bold={focus}>{value}</Text>
        <Text color={color.muted}>{focus ? symbol.right : ' '}</Text>
      </Line>
      {below !== undefined && (
        <Box flexShrink={0} paddingLeft={labelWidth + 4}>
          <Text color={error === undefined ? color.muted : color.danger}>
            {error === undefined ? below : `${symbol.failed} ${below}`}
          </Text>
        </Box>
      )}
    </Box>
  );
}
