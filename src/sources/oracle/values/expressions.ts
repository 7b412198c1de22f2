const QUOTE = 0x27;
const OPEN = 0x28;
const CLOSE = 0x29;
const SPACE = 0x20;
const BAR = 0x7c;
const BACKSLASH = 0x5c;

/**
 * The text of `UNISTR('…') || '…' || NCHR(n)`, which stands in [start, end) of `sql`; functions may be of either case. Undefined where
 * it is something else, or UTF-16 that is half of a character.
 */
export function joinedText(sql: string, start: number, end: number): string | undefined {
  let text = '';
  for (let at = blanksEnd(sql, start, end); ; ) {
    const name = at;
    while (at < end && isNamePart(sql.charCodeAt(at))) at++;
    const called = sql.slice(name, at).toUpperCase();
    at = blanksEnd(sql, at, end);
    const inside = at < end && sql.charCodeAt(at) === OPEN;
    if (inside) at = blanksEnd(sql, at + 1, end);
    const from = at;
    const quoted = at < end && sql.charCodeAt(at) === QUOTE;
    at = quoted ? closingQuote(sql, at + 1, end) : digitsEnd(sql, at, end);
    const part = quoted ? quotedPart(sql, called, inside, from + 1, at) : numberedPart(called, inside, sql, from, at);
    if (part === undefined) return undefined;
    text += part;
    at = blanksEnd(sql, quoted ? at + 1 : at, end);
    if (inside) {
      if (at >= end || sql.charCodeAt(at) !== CLOSE) return undefined;
      at = blanksEnd(sql, at + 1, end);
    }
    if (at >= end) return text.isWellFormed() ? text : undefined;
    if (at + 1 >= end || sql.charCodeAt(at) !== BAR || sql.charCodeAt(at + 1) !== BAR) return undefined;
    at = blanksEnd(sql, at + 2, end);
  }
}

/** Where the text that begins at `start` is closed; `end` when it is not. */
function closingQuote(sql: string, start: number, end: number): number {
  let at = start;
  while (at < end && (sql.charCodeAt(at) !== QUOTE || (at + 1 < end && sql.charCodeAt(at + 1) === QUOTE))) {
    at += sql.charCodeAt(at) === QUOTE ? 2 : 1;
  }
  return Math.min(at, end);
}

function quotedPart(sql: string, called: string, inside: boolean, start: number, end: number): string | undefined {
  if (sql.charCodeAt(end) !== QUOTE) return undefined;
  if (inside && called === 'UNISTR') return unescaped(sql, start, end);
  const takesText = inside ? called === 'TO_NCHAR' : called === '' || called === 'N';
  return takesText ? sql.slice(start, end).replaceAll("''", "'") : undefined;
}

/** `NCHR(n)`: a UTF-16 unit. */
function numberedPart(called: string, inside: boolean, sql: string, start: number, end: number): string | undefined {
  const code = Number(sql.slice(start, end));
  return inside && called === 'NCHR' && end > start && code <= 0xffff ? String.fromCharCode(code) : undefined;
}

/** `\0412` is a UTF-16 unit, `\\` a backslash, `''` a quote. */
function unescaped(sql: string, start: number, end: number): string | undefined {
  let text = '';
  let from = start;
  for (let at = start; at < end; ) {
    const code = sql.charCodeAt(at);
    if (code === QUOTE) {
      text += sql.slice(from, at + 1);
      at += 2;
      from = at;
    } else if (code === BACKSLASH) {
      text += sql.slice(from, at);
      if (at + 1 < end && sql.charCodeAt(at + 1) === BACKSLASH) {
        text += '\\';
        at += 2;
      } else {
        const unit = at + 5 <= end ? hexUnit(sql, at + 1) : -1;
        if (unit < 0) return undefined;
        text += String.fromCharCode(unit);
        at += 5;
      }
      from = at;
    } else at++;
  }
  return text + sql.slice(from, end);
}

/** The value of four hexadecimal digits; negative when they are none. */
function hexUnit(sql: string, at: number): number {
  let unit = 0;
  for (let i = at; i < at + 4; i++) {
    const code = sql.charCodeAt(i);
    const letter = code | 0x20;
    if (code >= 0x30 && code <= 0x39) unit = unit * 16 + code - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) unit = unit * 16 + letter - 0x57;
    else return -1;
  }
  return unit;
}

function blanksEnd(sql: string, start: number, end: number): number {
  let at = start;
  while (at < end && sql.charCodeAt(at) === SPACE) at++;
  return at;
}

function digitsEnd(sql: string, start: number, end: number): number {
  let at = start;
  while (at < end && sql.charCodeAt(at) >= 0x30 && sql.charCodeAt(at) <= 0x39) at++;
  return at;
}

function isNamePart(code: number): boolean {
  const letter = code | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || code === 0x5f;
}
