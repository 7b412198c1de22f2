/** What stands in place of a secret. */
export const MASK = '*****';

/**
 * Values shorter than this are masked only where their place gives them away (a connection string): masking every `ab`
 * of a log would ruin it, and would tell the secret by where the masks stand.
 */
const SHORTEST = 4;

const known = new Set<string>();
/** Matches all of them; made anew on first use after a registration. */
let knownPattern: RegExp | undefined;

/**
 * Makes `mask` hide `value` wherever it stands from now on, as it is and in the forms in which it appears in URLs, JSON
 * and libpq's keyword strings.
 */
export function registerSecret(value: string): void {
  const encoded = encodeURIComponent(value.toWellFormed());
  const forms = [
    value,
    encodeURI(value.toWellFormed()),
    encoded,
    encoded.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    JSON.stringify(value).slice(1, -1),
    value.replaceAll(/[\\']/g, '\\$&'),
  ];
  for (const form of forms) if (form.length >= SHORTEST) known.add(form);
  knownPattern = undefined;
}

function patternOfKnown(): RegExp {
  // The longest first, so that a secret that begins with another one is hidden whole.
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}

/** scheme://user:password@ – up to the last @ of the word, as a password pasted unencoded may hold one itself. */
const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/?]*:)[^\s]*@/gi;
/** A password among the parameters of a URL: ends at the next one. */
const PARAMETER_PASSWORD = /([?&](?:ssl)?password=)[^&\s]+/gi;
/** A password in libpq's keyword form, quoted or with backslash escapes: `password = 'it\'s'`. */
const KEYWORD_PASSWORD = /((?<![?&a-z])(?:ssl)?password\s*=\s*)('(?:\\.|[^'\\])*'?|(?:\\.|[^\s\\])+)/gis;

/** `text` with every secret replaced by asterisks: passwords of connection strings in any form, and registered values. */
export function mask(text: string): string {
  text = maskPasswords(text);
  if (known.size === 0) return text;
  knownPattern ??= patternOfKnown();
  return text.replace(knownPattern, MASK);
}

/** True when `text` is or holds a connection string (of any database) with a password in it. */
export function holdsPassword(text: string): boolean {
  return maskPasswords(text) !== text;
}

function maskPasswords(text: string): string {
  if (text.includes('://')) text = text.replace(URL_PASSWORD, `$1${MASK}@`);
  if (!/password/i.test(text)) return text;
  return text.replace(PARAMETER_PASSWORD, `$1${MASK}`).replace(KEYWORD_PASSWORD, `$1${MASK}`);
}
