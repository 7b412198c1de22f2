import { Box, Text } from 'ink';
import { useMemo, useReducer } from 'react';
import { type FlagName, flagNamed } from '../config/flags.ts';
import type { SourceKind } from '../sessions/replication.ts';
import { padEnd } from '../terminal/format.ts';
import type { Key } from '../terminal/keys.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { Prose } from '../terminal/prose.tsx';
import { useBodySize } from '../terminal/screen.tsx';
import { editField, emptyField, type FieldState, fieldValue } from '../terminal/text-field.ts';
import { useTheme } from '../terminal/theme.ts';
import { useToast } from '../terminal/toast.tsx';
import { choicesOf, defaultText, optionNames, optionProblem } from './option-list.ts';
import { type CheckScript, useScript } from './use-script.ts';

type Options = Readonly<Record<string, string>>;

export interface OptionsEditorProps {
  /** What is replicated from: some options are only for some kinds. */
  readonly kind?: SourceKind;
  /** Only what differs from the defaults. */
  readonly options: Options;
  /** Options that cannot be changed now, with the reason. */
  readonly locked?: Readonly<Partial<Record<FlagName, string>>>;
  /** Told of each change that leaves a fitting value. */
  onChange(options: Options): void;
  /** Looks at the userscript; without it only its file is looked at. */
  readonly checkScript?: CheckScript;
  /** Enter, when every value fits. */
  onSubmit(): void;
  onCancel(): void;
  /** What Enter and Escape do, for the footer. */
  readonly labels: { readonly submit: string; readonly cancel: string };
  /** Lines of the body that are taken by others. */
  readonly taken?: number;
}

interface Editing {
  readonly index: number;
  /** What is typed, by option, where it differs from what is saved: values that do not fit stay as they were typed. */
  readonly drafts: Options;
  readonly field: FieldState;
}

/** What takes longer than this, milliseconds, is told while it lasts. */
const SLOW = 500;

/** Lines of the explanation of the selected option. */
const EXPLANATION = 4;

/** All options of a replication as a list in which the selected value is edited in place, checked as it is typed. */
export function OptionsEditor(props: OptionsEditorProps) {
  const { kind, options, locked = {}, taken = 0 } = props;
  const names = useMemo(() => optionNames(kind), [kind]);
  const size = useBodySize();
  const [editing, edit] = useReducer((state: Editing, change: Partial<Editing>): Editing => ({ ...state, ...change }), {
    index: 0,
    drafts: {},
    field: emptyField(options[names[0]] ?? ''),
  });
  const tell = useToast();
  const { index, drafts, field } = editing;
  const name = names[index];
  const textOf = (each: FlagName) => drafts[each] ?? options[each] ?? '';
  const { verdict, again, forget } = useScript(options.userscript, props.checkScript);
  const unfit = (each: FlagName) => (textOf(each) === '' ? undefined : optionProblem(each, textOf(each)));
  const problemOf = (each: FlagName) => unfit(each) ?? (each === 'userscript' ? verdict?.problem : undefined);

  const select = (to: number) => {
    const next = Math.min(names.length - 1, Math.max(0, to));
    edit({ index: next, field: emptyField(textOf(names[next])) });
  };
  const put = (changed: FieldState) => {
    const text = fieldValue(changed);
    edit({ field: changed, drafts: { ...drafts, [name]: text } });
    if (text === textOf(name)) return;
    if (text !== '' && optionProblem(name, text) !== undefined) return;
    const { [name]: saved, ...others } = options;
    const wanted = text === '' || text === flagNamed(name).default ? undefined : text;
    if (wanted !== saved) props.onChange(wanted === undefined ? others : { ...others, [name]: wanted });
  };
  const choose = (by: number) => {
    const choices = choicesOf(flagNamed(name)) ?? [];
    const at = choices.indexOf(textOf(name) || String(flagNamed(name).default));
    put(emptyField(choices[(at + by + choices.length) % choices.length]));
  };
  const refuse = (wrong: FlagName) => {
    select(names.indexOf(wrong));
    tell(`${wrong} does not fit yet; correct it to go on`, 'warning');
  };
  const submit = () => {
    const problems = names.filter((each) => unfit(each) !== undefined);
    if (problems.length > 0) return refuse(problems.includes(name) ? name : problems[0]);
    if (options.userscript === undefined || props.checkScript === undefined) return props.onSubmit();
    // It may have been edited since.
    const slow = setTimeout(() => tell('looking at the userscript…'), SLOW);
    return again().then((found) => {
      clearTimeout(slow);
      if (found?.problem !== undefined) refuse('userscript');
      else if (found !== undefined) props.onSubmit();
    });
  };

  const choices = choicesOf(flagNamed(name));
  const fixed = locked[name];
  const other = (key: Key): boolean => {
    if (fixed !== undefined || choices !== undefined) return false;
    const changed = editField(field, key);
    if (changed !== undefined) put(changed);
    return changed !== undefined;
  };
  const page = Math.max(1, size.rows - taken - EXPLANATION);
  useKeys(
    [
      { keys: ['return'], label: props.labels.submit, run: submit },
      { keys: ['up'], label: 'up', run: () => select(index - 1), footer: false },
      { keys: ['down', 'tab'], label: 'next option', run: () => select(index + 1), footer: false },
      { keys: ['shift+tab'], label: 'previous option', run: () => select(index - 1), footer: false },
      { keys: ['pageup'], label: 'page up', run: () => select(index - page), footer: false },
      { keys: ['pagedown'], label: 'page down', run: () => select(index + page), footer: false },
      { keys: ['ctrl+u'], label: 'default', run: () => put(emptyField('')), disabled: fixed },
      ...(choices === undefined || fixed !== undefined
        ? []
        : [
            { keys: ['right', ' '], label: 'other value', run: () => choose(1) },
            { keys: ['left'], label: 'other value', run: () => choose(-1), footer: false },
          ]),
      {
        keys: ['escape'],
        label: props.labels.cancel,
        run: () => {
          forget();
          props.onCancel();
        },
      },
    ],
    { scope: 'control', onOther: other },
  );

  const from = Math.min(Math.max(0, index - Math.floor(page / 2)), Math.max(0, names.length - page));
  return (
    <Box flexDirection="column" flexShrink={0}>
      {names.slice(from, from + page).map((each) => (
        <Row
          key={each}
          name={each}
          text={textOf(each)}
          field={each === name && choices === undefined && fixed === undefined ? field : undefined}
          selected={each === name}
          problem={problemOf(each)}
          locked={locked[each] !== undefined}
          width={size.columns}
        />
      ))}
      <Explanation
        name={name}
        problem={problemOf(name)}
        fixed={fixed}
        effects={name === 'userscript' ? verdict?.effects : undefined}
        counter={`${index + 1} of ${names.length}`}
        columns={size.columns}
      />
    </Box>
  );
}

function Row(props: {
  name: FlagName;
  text: string;
  field: FieldState | undefined;
  selected: boolean;
  problem: string | undefined;
  locked: boolean;
  width: number;
}) {
  const { name, text, field, selected, problem, locked, width } = props;
  const { color, symbol } = useTheme();
  const title = padEnd(name, 28);
  const room = Math.max(10, width - 32);
  const choices = choicesOf(flagNamed(name));
  const sign = problem !== undefined ? symbol.failed : ' ';
  const value = text === '' ? defaultText(name) : text;
  return (
    <Line>
      <Text color={selected ? color.accent : undefined} bold={selected}>
        {`${selected ? symbol.selected : ' '} ${title}`}
      </Text>
      <Text color={color.danger}>{`${sign} `}</Text>
      {field !== undefined ? (
        <Edited field={field} placeholder={defaultText(name)} room={room} />
      ) : (
        <Text color={text === '' ? color.muted : undefined} bold={text !== ''}>
          {selected && choices !== undefined && !locked ? `${symbol.left} ${value} ${symbol.right}` : value}
        </Text>
      )}
    </Line>
  );
}

/** A field with its cursor, shifted so that the cursor is in sight. */
function Edited({ field, placeholder, room }: { field: FieldState; placeholder: string; room: number }) {
  const { color } = useTheme();
  const { characters, cursor } = field;
  if (characters.length === 0) {
    return (
      <Text color={color.muted}>
        <Text inverse>{placeholder.slice(0, 1)}</Text>
        {placeholder.slice(1)}
      </Text>
    );
  }
  const from = Math.max(0, cursor - room + 2);
  return (
    <Text>
      {characters.slice(from, cursor).join('')}
      <Text inverse>{characters[cursor] ?? ' '}</Text>
      {characters.slice(cursor + 1, from + room - 1).join('')}
    </Text>
  );
}

/** What the selected option means, or what is wrong with it. */
function Explanation(props: {
  name: FlagName;
  problem: string | undefined;
  fixed: string | undefined;
  /** What a script that is named does. */
  effects: readonly string[] | undefined;
  counter: string;
  columns: number;
}) {
  const { name, problem, fixed, effects, counter, columns } = props;
  const { color, symbol } = useTheme();
  const flag = flagNamed(name);
  const choices = choicesOf(flag);
  const values = choices === undefined ? '' : ` (${choices.join(', ')})`;
  const head = `${symbol.rule.repeat(3)} ${flag.group}, ${counter} `;
  const told = effects === undefined ? `Default: ${defaultText(name)}.` : `${symbol.passed} ${effects.join('; ')}`;
  return (
    <Box flexDirection="column" flexShrink={0} height={EXPLANATION} overflow="hidden">
      <Line color={color.muted}>{head + symbol.rule.repeat(Math.max(0, columns - head.length))}</Line>
      <Line>{`${flag.help}${values}.`}</Line>
      {problem === undefined ? (
        <Prose text={fixed === undefined ? told : `${symbol.info} ${fixed}`} color={color.muted} />
      ) : (
        <Prose text={`${symbol.failed} ${problem}`} color={color.danger} />
      )}
    </Box>
  );
}
