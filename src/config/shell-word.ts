/** Words that every shell takes as they stand. */
const PLAIN = /^[\w./:=@%+,-]+$/;

/** `text` as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
