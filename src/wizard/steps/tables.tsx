import { Box, Text } from 'ink';
import { useEffect, useState } from 'react';
import { errorText } from '../../log/log-error.ts';
import { useCopy } from '../../terminal/clipboard.ts';
import { Confirm } from '../../terminal/confirm.tsx';
import { clean } from '../../terminal/format.ts';
import { useKeys } from '../../terminal/key-bindings.tsx';
import { Line } from '../../terminal/line.tsx';
import { MultiSelect } from '../../terminal/multi-select.tsx';
import { Prose } from '../../terminal/prose.tsx';
import { useBodySize } from '../../terminal/screen.tsx';
import { useTheme } from '../../terminal/theme.ts';
import { useToast } from '../../terminal/toast.tsx';
import { Loading } from '../loading.tsx';
import { kitOf } from '../../sessions/source-kits.ts';
import type { ListedTable } from '../../preflight/source-choices.ts';
import type { SourceChoices } from '../servers.ts';
import type { StepProps } from '../setup-machine.ts';
import type { TablesWords } from '../source-setup.ts';
import { setupOf } from '../source-setups.ts';
import {
  chosenTables,
  isSameWay,
  publicationGap,
  savedChoice,
  sumText,
  type TableChoice,
  tableItems,
  waysToChoose,
  wayText,
} from '../table-choice.ts';

/** Lines below the list. */
const DETAIL_ROWS = 4;

/** Fourth step: which tables. */
export function TablesStep(props: StepProps) {
  const { session, onBack } = props;
  const { answers } = session.replication;
  const wishes = kitOf(answers.kind).wishes(answers, false);
  return (
    <Loading
      load={async () => session.servers.readChoices(session.connection('source'), wishes)}
      label="reading the tables of the source"
      onBack={onBack}
    >
      {(choices, again) => <Tables {...props} choices={choices} again={again} />}
    </Loading>
  );
}

interface TablesProps extends StepProps {
  readonly choices: SourceChoices;
  again(): void;
}

function Tables({ session, onNext, onBack, choices, again }: TablesProps) {
  const { color, symbol } = useTheme();
  const { rows } = useBodySize();
  const tell = useToast();
  const copy = useCopy();
  const { tables, publications } = choices;
  const words = setupOf(session.replication.answers.kind).tables;
  const [saved] = useState(() => savedChoice(session.replication.answers, choices));
  const [choice, setChoice] = useState(saved.choice);
  const [own, setOwn] = useState<readonly string[]>(choice.by === 'choice' ? choice.tables : []);
  const [at, setAt] = useState(tables[0]?.name);
  const [asking, setAsking] = useState<'go on' | 'fix' | 'fix all'>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const [first, ...others] = saved.gone;
    if (first !== undefined)
      tell(`not there any more: ${first}${others.length === 0 ? '' : ` and ${others.length} more`}`, 'warning');
  }, [saved, tell]);
  const chosen = chosenTables(choice, tables);
  const keyless = tables.filter(({ name, fix }) => chosen.has(name) && fix !== undefined);
  // What a publication that exists already does to its tables, it does already.
  const unfit = tables.filter((each) => chosen.has(each.name) && choice.by !== 'publication' && words.unfit?.is(each));
  const table = tables.find(({ name }) => name === at);

  const keep = (next: TableChoice) => {
    const { answers, name } = session.replication;
    session.change(words.answers(next, answers, { name, env: session.env }));
  };
  const choose = (next: TableChoice) => {
    setChoice(next);
    keep(next);
  };
  const turn = (by: number) => {
    const ways = waysToChoose(own, publications);
    const index = ways.findIndex((way) => isSameWay(way, choice));
    choose(ways[(index + by + ways.length) % ways.length]);
  };
  const tick = (ticked: ReadonlySet<string>) => {
    const names = tables.flatMap(({ name }) => (ticked.has(name) ? [name] : []));
    setOwn(names);
    choose({ by: 'choice', tables: names });
  };
  const fix = async (wanted: readonly ListedTable[]) => {
    setBusy(true);
    setProblem(undefined);
    try {
      for (const { fix: sql = '' } of wanted) await session.runFix({ text: sql, statements: [sql], side: 'source' });
      tell('done', 'success');
    } catch (error) {
      setProblem(errorText(error));
    }
    setBusy(false);
    again();
  };
  const goOn = () => {
    keep(choice);
    onNext();
  };
  const submit = () => {
    if (chosen.size === 0) return tell('no table is chosen: tick some with space, or all with a', 'warning');
    if (unfit.length > 0) return setAsking('go on');
    goOn();
  };
  const working = busy ? 'a fix is being run; a moment' : undefined;
  useKeys([
    { keys: ['left'], label: 'which', run: () => turn(-1) },
    { keys: ['right'], label: 'which', run: () => turn(1) },
    {
      keys: ['f'],
      label: 'run fix',
      run: () => (words.asksToFix ? setAsking('fix') : table !== undefined && void fix([table])),
      disabled: working ?? (table?.fix === undefined ? 'there is nothing to fix at this table' : undefined),
    },
    ...(keyless.length > 1
      ? [{ keys: ['F'], label: `run all ${keyless.length}`, run: () => setAsking('fix all'), disabled: working }]
      : []),
    {
      keys: ['c'],
      label: 'copy fix',
      run: () => table?.fix !== undefined && copy(table.fix),
      footer: table?.fix !== undefined,
      disabled: table?.fix === undefined ? 'there is nothing to copy' : undefined,
    },
    { keys: ['r'], label: 'again', run: again, footer: false, disabled: working },
    { keys: ['escape'], label: 'back', run: onBack },
  ]);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line>
        <Text bold>Which tables?</Text>
        <Text color={color.muted}>{`  ${symbol.left} `}</Text>
        <Text color={color.accent}>{wayText(choice)}</Text>
        <Text color={color.muted}>{` ${symbol.right}`}</Text>
      </Line>
      <MultiSelect
        items={tableItems(tables)}
        selected={chosen}
        onChange={tick}
        onSubmit={submit}
        onHighlight={setAt}
        focus
        rows={Math.max(3, rows - DETAIL_ROWS - 2)}
      />
      <Line
        color={color.muted}
      >{`${symbol.rule.repeat(2)} chosen: ${sumText(tables.filter(({ name }) => chosen.has(name)))}`}</Line>
      <Box flexDirection="column" flexShrink={0} height={DETAIL_ROWS} overflow="hidden">
        <Detail choice={choice} table={table} words={words} problem={problem} />
      </Box>
      {asking === 'go on' && (
        <Confirm
          question={`Go on with ${unfit.length === 1 ? 'a table' : `${unfit.length} tables`} ${words.unfit?.how}?`}
          detail={`${listed(unfit)}: ${words.unfit?.cost}`}
          yes="Go on"
          no="Stay here"
          onAnswer={(answer) => {
            setAsking(undefined);
            if (answer) goOn();
          }}
        />
      )}
      {asking === 'fix' && table !== undefined && (
        <Confirm
          question={`Run the fix of ${table.name} on the source?`}
          detail={`${table.fix ?? ''} ${words.fixing}`}
          yes="Run it"
          no="Not now"
          onAnswer={(answer) => {
            setAsking(undefined);
            if (answer) void fix([table]);
          }}
        />
      )}
      {asking === 'fix all' && (
        <Confirm
          question={`Run the fixes of ${keyless.length} tables on the source?`}
          detail={`${listed(keyless)}. ${words.fixing}`}
          yes="Run them"
          no="Not now"
          onAnswer={(answer) => {
            setAsking(undefined);
            if (answer) void fix(keyless);
          }}
        />
      )}
    </Box>
  );
}

/** What is to be known of the table that the cursor is on, or of the publication. */
function Detail({
  choice,
  table,
  words,
  problem,
}: {
  choice: TableChoice;
  table: ListedTable | undefined;
  words: TablesWords;
  problem: string | undefined;
}) {
  const { color, symbol } = useTheme();
  if (problem !== undefined) return <Prose text={`${symbol.failed} ${clean(problem)}`} color={color.danger} />;
  if (table?.warning !== undefined) {
    return (
      <>
        <Prose text={`${symbol.advisory} ${table.name}: ${clean(table.warning)}`} color={color.warning} />
        {table.fix?.split('\n').map((line) => (
          <Line key={line} color={color.accent}>{`  ${clean(line)}`}</Line>
        ))}
      </>
    );
  }
  const gap = choice.by === 'publication' ? publicationGap(choice.publication) : undefined;
  if (gap !== undefined) return <Prose text={`${symbol.advisory} ${gap}`} color={color.warning} />;
  if (choice.by === 'publication') return <Prose text="The publication is used as it is." color={color.muted} />;
  return <Prose text={choice.by === 'all' ? words.all : words.choice} color={color.muted} />;
}

function listed(tables: readonly ListedTable[]): string {
  const names = tables.slice(0, 3).map(({ name }) => name);
  return tables.length > 3 ? `${names.join(', ')} and ${tables.length - 3} more` : names.join(', ');
}
