import { Box, Text } from 'ink';
import { type ReactNode, useState } from 'react';
import { useBodySize } from './body-size.ts';
import { Dialog } from './dialog.tsx';
import { Field } from './field.tsx';
import { useKeys } from './key-bindings.tsx';
import { foldWords, Prose } from './prose.tsx';
import { Select, type SelectItem } from './select.tsx';
import { useTheme } from './theme.ts';

interface Asked {
  readonly question: string;
  readonly detail?: ReactNode;
}

export interface ConfirmProps extends Asked {
  /** Default "Yes". */
  readonly yes?: string;
  /** The harmless answer, which Enter gives at first; default "No". */
  readonly no?: string;
  onAnswer(answer: boolean): void;
}

/** A question with two answers. Escape is the harmless one. */
export function Confirm(props: ConfirmProps) {
  return (
    <Dialog>
      <Question {...props} answerRows={1} />
      <Answers yes={props.yes ?? 'Yes'} no={props.no ?? 'No'} onAnswer={props.onAnswer} />
    </Dialog>
  );
}

export interface TypedConfirmProps extends Asked {
  /** What has to be typed. */
  readonly name: string;
  onAnswer(answer: boolean): void;
}

/** A question about what cannot be undone: yes is given by typing a name, Escape is no. */
export function TypedConfirm(props: TypedConfirmProps) {
  return (
    <Dialog>
      <Question {...props} answerRows={4} />
      <TypedName {...props} />
    </Dialog>
  );
}

export interface ChoiceProps extends Asked {
  readonly items: readonly SelectItem[];
  /** Gets the value chosen, undefined after Escape. */
  onAnswer(value: string | undefined): void;
}

/** A question with several answers. */
export function Choice({ question, detail, items, onAnswer }: ChoiceProps) {
  return (
    <Dialog>
      <Question question={question} detail={detail} answerRows={Math.min(items.length, LEAST_ITEMS)} />
      <Answer items={items} onAnswer={onAnswer} />
    </Dialog>
  );
}

/** Answers that are seen at once even in the smallest window. */
const LEAST_ITEMS = 3;
/** The least lines that a text of several lines is good for. */
const LEAST_ROWS = 2;

interface QuestionProps extends Asked {
  /** Lines that the answer takes below it. */
  readonly answerRows: number;
}

function Question({ question, detail, answerRows }: QuestionProps) {
  const { columns, rows } = useBodySize();
  const air = rows < 12 ? 0 : 1;
  const left = rows - foldWords(question, columns).length - answerRows - 2 * air;
  return (
    <Box flexDirection="column" flexShrink={1} overflow="hidden" paddingBottom={air}>
      <Prose text={question} bold />
      {detail !== undefined && (
        <Box flexDirection="column" flexShrink={0} paddingTop={air}>
          {typeof detail === 'string' ? <Prose text={detail} rows={Math.max(LEAST_ROWS, left)} /> : detail}
        </Box>
      )}
    </Box>
  );
}

function Answers({ yes, no, onAnswer }: { yes: string; no: string; onAnswer(answer: boolean): void }) {
  const { color, symbol } = useTheme();
  const [answer, setAnswer] = useState(false);
  useKeys(
    [
      { keys: ['left', 'right'], label: 'move', run: () => setAnswer(!answer) },
      { keys: ['up', 'down', 'tab', 'shift+tab'], label: 'move', footer: false, run: () => setAnswer(!answer) },
      { keys: ['return'], label: 'answer', run: () => onAnswer(answer) },
      { keys: ['y'], label: yes, footer: false, run: () => onAnswer(true) },
      { keys: ['escape', 'n'], label: no[0].toLowerCase() + no.slice(1), run: () => onAnswer(false) },
    ],
    { scope: 'modal' },
  );
  const button = (text: string, chosen: boolean) => (
    <Text color={chosen ? color.accent : undefined} bold={chosen}>
      {`${chosen ? symbol.selected : ' '} ${text}`}
    </Text>
  );
  return (
    <Box flexShrink={0} columnGap={3} flexWrap="wrap">
      {button(no, !answer)}
      {button(yes, answer)}
    </Box>
  );
}

function TypedName({ name, onAnswer }: TypedConfirmProps) {
  const { color, symbol } = useTheme();
  const [typed, setTyped] = useState('');
  const [wrong, setWrong] = useState(false);
  useKeys([{ keys: ['escape'], label: 'leave it', run: () => onAnswer(false) }], { scope: 'modal' });
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Text>
        Type <Text bold>{name}</Text> and Enter to go on, Escape to leave everything as it is.
      </Text>
      <Field
        label=""
        value={typed}
        onChange={(value) => {
          setTyped(value);
          setWrong(false);
        }}
        onSubmit={(value) => (value.trim() === name ? onAnswer(true) : setWrong(true))}
        focus
      />
      <Text color={color.danger}>{wrong ? `${symbol.failed} that is not ${name}` : ' '}</Text>
    </Box>
  );
}

function Answer({ items, onAnswer }: Pick<ChoiceProps, 'items' | 'onAnswer'>) {
  const { rows } = useBodySize();
  useKeys([{ keys: ['escape'], label: 'back', run: () => onAnswer(undefined) }], { scope: 'modal' });
  return <Select items={items} onSelect={onAnswer} focus limit={Math.max(LEAST_ITEMS, rows - 4)} />;
}
