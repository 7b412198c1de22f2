import type { Theme } from '../terminal/theme.ts';
import type { Reading } from './reading.ts';
import { STATE_WORDS } from './words.ts';

/** Sign, word and colour of how a replication is doing: all three, so that none is needed. */
export function lagSign(reading: Reading | undefined, { color, symbol }: Theme) {
  if (reading === undefined) return { sign: symbol.waiting, word: 'no answer yet', color: color.warning };
  if (reading.paused && reading.silence === undefined) {
    return { sign: symbol.waiting, word: `${STATE_WORDS.stalled}: paused`, color: color.warning };
  }
  const { state } = reading.lag;
  const word = STATE_WORDS[state];
  switch (state) {
    case 'caught up':
      return { sign: symbol.passed, word, color: color.success };
    case 'following':
      return { sign: symbol.running, word, color: color.success };
    case 'behind':
      return { sign: symbol.advisory, word, color: color.warning };
    case 'stalled':
      return { sign: symbol.failed, word, color: color.danger };
  }
}
