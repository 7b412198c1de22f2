import { Text } from 'ink';
import { useSyncExternalStore } from 'react';
import { useBodySize } from '../terminal/body-size.ts';
import { formatCount } from '../terminal/format.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Line } from '../terminal/line.tsx';
import { useTheme } from '../terminal/theme.ts';
import type { ReplayPlayer } from './replay-player.ts';

/** Columns of the track that shows how far it is, where there is room. */
const TRACK = 20;
const WITH_TRACK = 76;

/** Which moment of a replay is shown, in one line, and the keys that move it. */
export function ReplayBar({ player }: { player: ReplayPlayer }) {
  const { color, ascii } = useTheme();
  const { columns } = useBodySize();
  const { index, count, at, playing, speed, skipped } = useSyncExternalStore(player.subscribe, player.getState);
  useKeys([
    { keys: [' ', 'p'], label: playing ? 'stand still' : 'play', run: () => player.toggle() },
    { keys: ['left'], label: 'step', run: () => player.step(-1) },
    { keys: ['right'], label: 'step', run: () => player.step(1) },
    { keys: ['['], label: 'a tenth back', footer: false, run: () => player.jump(-1) },
    { keys: [']'], label: 'a tenth on', footer: false, run: () => player.jump(1) },
    { keys: ['+', '='], label: 'faster', footer: false, run: () => player.faster(1) },
    { keys: ['-'], label: 'slower', footer: false, run: () => player.faster(-1) },
  ]);
  const state = playing ? `playing ${speed}/s` : index === count - 1 ? 'at the end' : 'standing still';
  const damaged = skipped.length === 0 ? '' : `, ${formatCount(skipped.length)} unreadable`;
  return (
    <Line>
      <Text bold color={color.accent}>
        {momentText(at)}
      </Text>
      <Text>{`  ${formatCount(index + 1)} of ${formatCount(count)}`}</Text>
      {damaged !== '' && <Text color={color.warning}>{damaged}</Text>}
      <Text color={color.muted}>{`  ${state}`}</Text>
      {columns >= WITH_TRACK && <Text color={color.muted}>{`  ${track(index, count, ascii)}`}</Text>}
    </Line>
  );
}

/** A date and time by the machine's own time zone, with its distance from UTC: `2026-11-23 16:52:06 +01:00`. */
function momentText(milliseconds: number): string {
  const offset = -new Date(milliseconds).getTimezoneOffset();
  const there = new Date(milliseconds + 60_000 * offset).toISOString().slice(0, 19).replace('T', ' ');
  const part = (minutes: number) => String(Math.trunc(minutes)).padStart(2, '0');
  const distance = Math.abs(offset);
  return `${there} ${offset < 0 ? '-' : '+'}${part(distance / 60)}:${part(distance % 60)}`;
}

function track(index: number, count: number, ascii: boolean): string {
  const [line, place] = ascii ? ['-', 'o'] : ['─', '●'];
  const at = count < 2 ? TRACK - 1 : Math.round((index / (count - 1)) * (TRACK - 1));
  return line.repeat(at) + place + line.repeat(TRACK - 1 - at);
}
