import { useStdout } from 'ink';
import { useTheme } from './theme.ts';
import { useToast } from './toast.tsx';

/** What terminals take at most, in characters of base64. */
const LIMIT = 74_994;
/** screen(1) drops longer device control strings. */
const SCREEN_PIECE = 240;

/**
 * The sequence that gives `text` to the terminal's clipboard (OSC 52), wrapped for tmux or screen where `env` tells of them;
 * undefined when it is longer than terminals take. Works over SSH; no terminal says whether it did.
 */
export function clipboardSequence(text: string, env: NodeJS.ProcessEnv): string | undefined {
  const encoded = Buffer.from(text, 'utf8').toString('base64');
  if (encoded.length > LIMIT) return undefined;
  const sequence = `\x1b]52;c;${encoded}\x07`;
  if (env.TMUX) return `\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\`;
  if (!env.STY) return sequence;
  const pieces = sequence.match(new RegExp(`[^]{1,${SCREEN_PIECE}}`, 'g')) ?? [];
  return pieces.map((piece) => `\x1bP${piece}\x1b\\`).join('');
}

/** Copies text to the clipboard of the terminal in front of the operator, and says so. */
export function useCopy(): (text: string) => void {
  const { stdout } = useStdout();
  const { env } = useTheme();
  const tell = useToast();
  return (text) => {
    const sequence = clipboardSequence(text, env);
    if (sequence === undefined) {
      tell('too long for the clipboard of a terminal', 'warning');
      return;
    }
    // Past Ink, which would draw the screen anew around it: the sequence moves nothing on the screen.
    stdout.write(sequence);
    const lines = text.trimEnd().split('\n').length;
    tell(`copied ${lines} ${lines === 1 ? 'line' : 'lines'} to the terminal's clipboard`, 'success');
  };
}
