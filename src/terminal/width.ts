const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const PLAIN = /^[\x20-\x7e]*$/;
// Blocks that Unicode's EastAsianWidth.txt marks W or F; emoji are told by their property.
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\p{Mark}\p{Cc}]+$/u;

/** What a reader takes for characters, in order: letters with their marks, whole emoji. */
export function graphemes(text: string): string[] {
  if (PLAIN.test(text)) return text.split('');
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Columns that one grapheme takes in a terminal: 0, 1 or 2. */
export function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** Columns that `text` takes in a terminal. It must not hold escape sequences. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme);
  return width;
}

/** The beginning of `text` that fits in `width` columns. */
export function fitting(text: string, width: number): string {
  if (PLAIN.test(text)) return text.slice(0, Math.max(0, width));
  let taken = 0;
  let kept = '';
  for (const grapheme of graphemes(text)) {
    taken += graphemeWidth(grapheme);
    if (taken > width) break;
    kept += grapheme;
  }
  return kept;
}
