import { Text } from 'ink';
import { useRef } from 'react';
import type { Reading } from './reading.ts';
import { statusText } from './text.ts';

/** A screen reader reads everything again that changes: numbers are renewed this seldom, milliseconds. */
const RENEW = 30_000;

/** The status as lines of text. They change when the word or its reason does, when a problem comes, and else twice a minute. */
export function LinearView({ reading }: { reading: Reading }) {
  const shown = useRef({ key: '', at: 0, text: '' });
  const key = JSON.stringify([
    reading.lag.state,
    reading.silence,
    reading.paused,
    reading.troubles.length,
    reading.deadLetters,
  ]);
  const at = reading.at + reading.staleFor;
  if (key !== shown.current.key || at - shown.current.at >= RENEW) {
    shown.current = { key, at, text: statusText(reading).trimEnd() };
  }
  return <Text>{shown.current.text}</Text>;
}
