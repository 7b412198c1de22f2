import { Text, useAnimation } from 'ink';
import { useTheme } from './theme.ts';

/** A sign that something is being done: it moves, or is a word where a screen reader listens. */
export function Spinner() {
  const { symbol, color, screenReader } = useTheme();
  const { frame } = useAnimation({ interval: 120, isActive: !screenReader });
  return <Text color={color.accent}>{screenReader ? 'working:' : symbol.spinner[frame % symbol.spinner.length]}</Text>;
}

/** What is being done, with a sign that moves. */
export function Busy({ label }: { label: string }) {
  return (
    <Text wrap="truncate">
      <Spinner /> {label}
    </Text>
  );
}
