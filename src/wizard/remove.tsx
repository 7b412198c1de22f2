import { Box, Text } from 'ink';
import { useState } from 'react';
import { VERSION } from '../config/build.ts';
import type { Created, Replication } from '../sessions/replication.ts';
import { errorText } from '../log/log-error.ts';
import { Confirm, TypedConfirm } from '../terminal/confirm.tsx';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Notice } from '../terminal/notice.tsx';
import { Line } from '../terminal/line.tsx';
import { Prose } from '../terminal/prose.tsx';
import { Screen, useBodySize } from '../terminal/screen.tsx';
import { Busy } from '../terminal/spinner.tsx';
import { useTheme } from '../terminal/theme.ts';
import { type Leftover, leftovers } from './leftovers.ts';

export interface RemoveProps {
  readonly replication: Replication;
  /** True while its engine runs: it has to be stopped first. */
  readonly running: boolean;
  stop(): Promise<unknown>;
  /** Drops the chosen things on their servers, then forgets the replication and its secrets. */
  retire(drops: readonly Created[]): Promise<void>;
  /** `news` says what was done. */
  onRemoved(news: string): void;
  onLeave(): void;
}

/** From this height on, all consequences are shown at once. */
const ROOMY = 15;

type Phase =
  | { readonly at: 'choosing' }
  | { readonly at: 'asking' }
  | { readonly at: 'working'; readonly label: string }
  | { readonly at: 'failed'; readonly title: string; readonly text: string };

/** Forgets a replication, after saying what stays behind on the servers and offering to drop each of it. */
export function Remove(props: RemoveProps) {
  const { replication, onLeave } = props;
  const { name } = replication;
  const [things] = useState(() => leftovers(replication));
  const [running, setRunning] = useState(props.running);
  const [drops, setDrops] = useState<ReadonlySet<Leftover>>(new Set());
  const [index, setIndex] = useState(0);
  const [phase, setPhase] = useState<Phase>({ at: 'choosing' });

  const stop = () => {
    setPhase({ at: 'working', label: 'stopping the engine: what is in hand is finished first' });
    props.stop().then(
      () => {
        setRunning(false);
        setPhase({ at: 'choosing' });
      },
      (error: unknown) => setPhase({ at: 'failed', title: 'It could not be stopped', text: errorText(error) }),
    );
  };
  const retire = () => {
    const chosen = things.filter((thing) => drops.has(thing));
    setPhase({ at: 'working', label: chosen.length === 0 ? 'forgetting it' : `dropping ${listed(chosen)}` });
    props.retire(chosen).then(
      () => props.onRemoved(farewell(name, chosen, things)),
      (error: unknown) => setPhase({ at: 'failed', title: 'Not everything could be dropped', text: errorText(error) }),
    );
  };

  const choosing = phase.at === 'choosing' && !running;
  const thing: Leftover | undefined = things[index];
  const toggle = () => {
    if (thing === undefined) return;
    const changed = new Set(drops);
    if (!changed.delete(thing)) changed.add(thing);
    setDrops(changed);
  };
  const none = things.length === 0 ? 'there is nothing to drop' : undefined;
  useKeys(
    [
      { keys: ['up', 'k'], label: 'up', run: () => setIndex(Math.max(0, index - 1)), footer: false },
      {
        keys: ['down', 'j'],
        label: 'down',
        run: () => setIndex(Math.min(things.length - 1, index + 1)),
        footer: false,
      },
      { keys: [' '], label: 'drop it or keep it', run: toggle, disabled: none },
      { keys: ['return'], label: 'remove', run: () => setPhase({ at: 'asking' }) },
      { keys: ['escape', 'q'], label: 'keep it', run: onLeave },
    ],
    { active: choosing },
  );
  useKeys(
    [
      { keys: ['return', 'r'], label: 'back to the choice', run: () => setPhase({ at: 'choosing' }) },
      { keys: ['escape', 'q'], label: 'leave', run: onLeave },
    ],
    { active: phase.at === 'failed' },
  );

  return (
    <Screen title={`Remove ${name}`} status={`Instar ${VERSION}`}>
      {phase.at === 'working' && <Busy label={phase.label} />}
      {phase.at === 'failed' && (
        <Notice kind="danger" title={phase.title}>
          {phase.text}
        </Notice>
      )}
      {choosing && <Choice name={name} things={things} drops={drops} index={index} />}
      {phase.at === 'choosing' && running && (
        <Confirm
          question={`${name} is running. Stop it?`}
          detail="It has to be stopped before it can be removed. What is in hand is finished first; nothing is lost."
          yes="Stop it"
          no="Leave it running"
          onAnswer={(yes) => (yes ? stop() : onLeave())}
        />
      )}
      {phase.at === 'asking' && (
        <Question
          name={name}
          drops={things.filter((each) => drops.has(each))}
          kept={things.filter((each) => !drops.has(each))}
          onAnswer={(yes) => (yes ? retire() : setPhase({ at: 'choosing' }))}
        />
      )}
    </Screen>
  );
}

function Choice(props: { name: string; things: readonly Leftover[]; drops: ReadonlySet<Leftover>; index: number }) {
  const { name, things, drops, index } = props;
  const { rows } = useBodySize();
  const { color, symbol } = useTheme();
  if (things.length === 0) {
    return <Prose text={`Nothing was created for ${name} on either server, so nothing stays behind.`} />;
  }
  const roomy = rows >= ROOMY;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Prose text={`${name} and its saved connections will be forgotten here. This stays behind:`} />
      <Text> </Text>
      {things.map((thing, at) => {
        const dropped = drops.has(thing);
        const selected = at === index;
        return (
          <Box
            key={`${thing.side} ${thing.what}`}
            flexDirection="column"
            flexShrink={0}
            marginBottom={roomy || selected ? 1 : 0}
          >
            <Line color={selected ? color.accent : undefined} bold={selected}>
              {`${selected ? symbol.selected : ' '} ${dropped ? symbol.checked : symbol.unchecked} ${title(thing)}: ${dropped ? 'will be dropped' : 'stays'}`}
            </Line>
            {(roomy || selected) && (
              <Box marginLeft={6} flexShrink={0}>
                <Prose
                  text={`${thing.theirs ? 'Not made by this program. ' : ''}If it stays: ${thing.ifKept}.`}
                  indent={6}
                  color={color.muted}
                />
              </Box>
            )}
          </Box>
        );
      })}
      <Prose text="The rows on the target stay in any case." color={color.muted} />
    </Box>
  );
}

function Question(props: {
  name: string;
  drops: readonly Leftover[];
  kept: readonly Leftover[];
  onAnswer(yes: boolean): void;
}) {
  const { name, drops, kept, onAnswer } = props;
  if (drops.length > 0) {
    return (
      <TypedConfirm
        question={`Drop ${listed(drops)}, and forget ${name}?`}
        detail="This cannot be undone: the replication can only be set up anew, with a fresh copy of the data."
        name={name}
        onAnswer={onAnswer}
      />
    );
  }
  const slot = kept.find(({ what }) => what === 'slot');
  return (
    <Confirm
      question={`Forget ${name}${kept.length === 0 ? '' : ` and leave ${listed(kept)}`}?`}
      detail={
        slot === undefined
          ? undefined
          : `Nobody will read slot ${slot.name} any more: the source keeps log for it until its disk is full.`
      }
      yes="Forget it"
      no="Keep it"
      onAnswer={onAnswer}
    />
  );
}

function title({ what, name, side }: Created): string {
  return `${what} ${name} ${side === 'here' ? 'on this machine' : `on the ${side}`}`;
}

function listed(things: readonly Created[]): string {
  return things.map(({ what, name }) => `${what} ${name}`).join(', ');
}

function farewell(name: string, dropped: readonly Leftover[], things: readonly Leftover[]): string {
  const kept = things.filter((thing) => !dropped.includes(thing));
  const parts = [
    `${name} is forgotten`,
    ...(dropped.length > 0 ? [`dropped ${listed(dropped)}`] : []),
    ...(kept.length > 0 ? [`left ${kept.map(title).join(', ')}`] : []),
  ];
  return parts.join('; ');
}
