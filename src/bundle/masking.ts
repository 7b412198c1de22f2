import { MASK, mask, registerSecret } from '../config/secrets.ts';
import { connectionText, type Keeping, parseSide, SIDES } from '../sessions/connections.ts';
import type { Replication } from '../sessions/replication.ts';

/** A bare password is known by the name that it stands under. */
const SECRET_KEY = /password|secret|token/i;
/** A password in a connection string as it was typed, encoded or not. */
const TYPED_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^\s:@/?]*:(.*)@/is;

/**
 * Makes every secret of a replication known, so that it is masked wherever it stands.
 * @returns why that could not be done, by side, in words: then only what looks like a password is masked
 */
export function learnSecrets(replication: Replication, keeping: Keeping): string[] {
  const problems: string[] = [];
  const attempt = (what: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      problems.push(`the ${what} is not known here (${mask((error as Error).message)})`);
    }
  };
  attempt('control token', () => {
    const token = keeping.secrets.get(replication.name, 'control');
    if (token !== undefined) registerSecret(token);
  });
  for (const side of SIDES) {
    attempt(`${side} connection`, () => {
      const text = connectionText(replication, side, keeping);
      if (text === undefined) return;
      const typed = TYPED_PASSWORD.exec(text)?.[1];
      if (typed) registerSecret(typed);
      parseSide(text, side, replication.answers.kind, keeping.env);
    });
  }
  return problems;
}

/** A document as indented JSON, each string in it masked by itself: masking the whole could take quotes and brackets along. */
export function maskedJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, maskedValue, indent);
}

function maskedValue(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return SECRET_KEY.test(key) ? MASK : mask(value);
}

/** A text line by line, so that whatever is masked ends with its line. */
export function maskedText(text: string): string {
  return mask(text) === text ? text : text.split('\n').map(mask).join('\n');
}
