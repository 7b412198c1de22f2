import { Box, Text } from 'ink';
import { useRef, useState } from 'react';
import { cut, padEnd } from './format.ts';
import { type Binding, useKeys } from './key-bindings.tsx';
import { Line } from './line.tsx';
import { useBodySize } from './body-size.ts';
import { editField, emptyField, type FieldState, fieldValue } from './text-field.ts';
import { useTheme } from './theme.ts';
import { graphemes, graphemeWidth, textWidth } from './width.ts';

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  onChange(value: string): void;
  /** Called by Enter; without it, Enter is left to whoever surrounds the field. */
  onSubmit?(value: string): void;
  readonly focus: boolean;
  /** True shows a row of dots whose length tells nothing; a function shows what it makes of the value. */
  readonly mask?: boolean | ((value: string) => string);
  readonly placeholder?: string;
  readonly error?: string;
  readonly hint?: string;
  /** Columns of the label, for several fields below each other. */
  readonly labelWidth?: number;
}

/** Dots shown for a masked value, whatever its length. */
const DOTS = 8;

/** A line of text to be edited. The value is the caller's; the cursor is its own. */
export function Field(props: FieldProps) {
  const { label, value, onChange, onSubmit, focus, mask, placeholder, error, hint } = props;
  const theme = useTheme();
  const { columns } = useBodySize();
  const state = useRef<FieldState>(emptyField(value));
  const [, redraw] = useState(0);
  if (fieldValue(state.current) !== value) state.current = emptyField(value);

  const bindings: Binding[] =
    onSubmit === undefined
      ? []
      : [{ keys: ['return'], label: 'accept', run: () => onSubmit(fieldValue(state.current)) }];
  useKeys(bindings, {
    scope: 'control',
    active: focus,
    onOther: (key) => {
      const next = editField(state.current, key);
      if (next === undefined) return false;
      const before = fieldValue(state.current);
      state.current = next;
      redraw((count) => count + 1);
      if (fieldValue(next) !== before) onChange(fieldValue(next));
      return true;
    },
  });

  const labelWidth = props.labelWidth ?? textWidth(label);
  const room = Math.max(8, columns - labelWidth - 4);
  const shown = view(state.current, mask, theme.symbol.mask);
  return (
    <Box flexDirection="column" flexShrink={0} aria-role="textbox">
      <Line>
        <Text color={focus ? theme.color.accent : undefined} bold={focus}>
          {focus ? theme.symbol.selected : ' '} {padEnd(cut(label, labelWidth, theme.symbol.ellipsis), labelWidth)}
        </Text>
        <Text>{'  '}</Text>
        {value === '' && !focus ? (
          <Text color={theme.color.muted}>{placeholder ?? theme.symbol.skipped}</Text>
        ) : (
          <Content shown={shown} focus={focus} room={room} placeholder={value === '' ? placeholder : undefined} />
        )}
      </Line>
      {error !== undefined && (
        <Below labelWidth={labelWidth} color={theme.color.danger} text={`${theme.symbol.failed} ${error}`} />
      )}
      {error === undefined && focus && hint !== undefined && (
        <Below labelWidth={labelWidth} color={theme.color.muted} text={hint} />
      )}
    </Box>
  );
}

function Below({ labelWidth, color, text }: { labelWidth: number; color: string | undefined; text: string }) {
  return (
    <Box flexShrink={0} paddingLeft={labelWidth + 4}>
      <Text color={color}>{text}</Text>
    </Box>
  );
}

interface Shown {
  readonly characters: readonly string[];
  readonly cursor: number;
}

function view(state: FieldState, mask: FieldProps['mask'], dot: string): Shown {
  if (mask === undefined || mask === false) return state;
  if (mask === true) {
    const characters = state.characters.length === 0 ? [] : Array<string>(DOTS).fill(dot);
    return { characters, cursor: characters.length };
  }
  const characters = graphemes(mask(fieldValue(state)));
  return { characters, cursor: masked(state, characters) };
}

/** Where the cursor is in the masked text: as far from the beginning, or from the end, as long as that part is the same. */
function masked({ characters, cursor }: FieldState, shown: readonly string[]): number {
  let same = 0;
  while (same < characters.length && characters[same] === shown[same]) same++;
  if (cursor <= same) return cursor;
  const behind = characters.length - cursor;
  let sameBehind = 0;
  while (sameBehind < shown.length - same && characters.at(-1 - sameBehind) === shown.at(-1 - sameBehind)) sameBehind++;
  return shown.length - Math.min(behind, sameBehind);
}

interface ContentProps {
  readonly shown: Shown;
  readonly focus: boolean;
  readonly room: number;
  readonly placeholder: string | undefined;
}

function Content({ shown, focus, room, placeholder }: ContentProps) {
  const { color, symbol } = useTheme();
  if (!focus) return <Text>{cut(shown.characters.join(''), room, symbol.ellipsis)}</Text>;
  if (placeholder !== undefined) {
    // The cursor stands on the first character, so that nothing moves when the field gets the focus.
    const [first = ' ', ...rest] = graphemes(cut(placeholder, room, symbol.ellipsis));
    return (
      <>
        <Text inverse>{first}</Text>
        <Text color={color.muted}>{rest.join('')}</Text>
      </>
    );
  }
  const [before, at, after] = window(shown, room);
  return (
    <>
      {before}
      <Text inverse>{at}</Text>
      {after}
    </>
  );
}

/** The part around the cursor that fits in `room` columns: before it, at it, after it. */
function window({ characters, cursor }: Shown, room: number): [string, string, string] {
  const at = characters[cursor] ?? ' ';
  let left = room - graphemeWidth(at);
  let from = cursor;
  // Some of what follows stays visible while the cursor is moved to the left.
  const keep = Math.min(Math.floor(room / 4), textWidth(characters.slice(cursor + 1).join('')));
  while (from > 0 && left - graphemeWidth(characters[from - 1]) >= keep) left -= graphemeWidth(characters[--from]);
  let to = cursor + 1;
  while (to < characters.length && left - graphemeWidth(characters[to]) >= 0) left -= graphemeWidth(characters[to++]);
  return [characters.slice(from, cursor).join(''), at, characters.slice(cursor + 1, to).join('')];
}
