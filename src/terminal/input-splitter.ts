import { graphemes } from './width.ts';

const ESCAPE = '\x1b';
const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
/** A lone Escape in the unambiguous form of the kitty keyboard protocol: nothing need be waited for to tell it from a sequence. */
const ESCAPE_KEY = '\x1b[27u';
/** More characters at once than anybody types: given as one text. */
const TYPED_AT_ONCE = 24;

/** Escape sequences without their Escape: control sequences with their parameters, and those of keypads. */
const WHOLE = /^(?:\[(?:\[[A-Z]|[0-?]*[ -/]*[@-~$])|O[0-9;]*[@-~])/;
const UNFINISHED = /^(?:\[\[?[0-?]*[ -/]*|O[0-9;]*)?$/;

/**
 * Splits what a terminal sends into single keys: escape sequences, characters with their marks and bracketed pastes whole, Enter
 * apart from the text before it. Several lines of text at once, from a terminal without bracketed pastes, are a paste.
 */
export class InputSplitter {
  private pending = '';

  /** Keys that are complete with `chunk`, in order. */
  push(chunk: string): string[] {
    const keys: string[] = [];
    let input = this.pending + chunk;
    this.pending = '';
    while (input !== '') {
      if (!input.startsWith(ESCAPE)) {
        const end = input.indexOf(ESCAPE);
        const text = end < 0 ? input : input.slice(0, end);
        keys.push(...textKeys(text));
        input = input.slice(text.length);
        continue;
      }
      const taken = sequenceLength(input);
      if (taken === undefined) {
        this.pending = input;
        break;
      }
      const sequence = input.slice(0, taken);
      keys.push(sequence === ESCAPE ? ESCAPE_KEY : sequence);
      input = input.slice(taken);
    }
    return keys;
  }

  /** Whether something waits that is a key by itself unless more comes at once: a lone Escape. */
  get waits(): boolean {
    return this.pending !== '' && !this.pending.startsWith(PASTE_START);
  }

  /** What waited and is not continued, as keys. */
  flush(): string[] {
    const { pending } = this;
    this.pending = '';
    if (pending === ESCAPE) return [ESCAPE_KEY];
    if (pending === ESCAPE + ESCAPE) return [ESCAPE_KEY, ESCAPE_KEY];
    return pending === '' ? [] : [pending];
  }
}

/** Length of the sequence at the beginning of `input`; undefined when its end has not come yet. */
function sequenceLength(input: string): number | undefined {
  if (input.startsWith(PASTE_START)) {
    const end = input.indexOf(PASTE_END, PASTE_START.length);
    return end < 0 ? undefined : end + PASTE_END.length;
  }
  const escapes = input.startsWith(ESCAPE + ESCAPE) ? 2 : 1;
  const rest = input.slice(escapes);
  const whole = WHOLE.exec(rest);
  if (whole !== null) return escapes + whole[0].length;
  if (UNFINISHED.test(rest)) return undefined;
  // An Escape before another one is a key of its own; before a character it is that character with Alt.
  if (escapes === 2) return 1;
  return 1 + (graphemes(input.slice(1))[0]?.length ?? 0);
}

function textKeys(text: string): string[] {
  const body = text.endsWith('\r') ? text.slice(0, -1) : text;
  if (/[^\r\n][\r\n]+[^\r\n]/.test(body) && body.length > TYPED_AT_ONCE) return [PASTE_START + text + PASTE_END];
  return text
    .split(/([\p{Cc}])/u)
    .flatMap((part) => (part.length > TYPED_AT_ONCE ? [part] : graphemes(part)))
    .filter((part) => part !== '');
}
