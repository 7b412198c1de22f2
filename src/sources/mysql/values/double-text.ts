/**
 * The shortest digits that read back to `value`, in the notation of the server's own SELECT and JSON: plain from 1e-15 to
 * below 1e15 and where there is a fraction, else with an exponent that has no plus sign.
 */
export function doubleText(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return Object.is(value, -0) ? '-0' : '0';
  if (size >= 1e-6 && size < 1e15) return String(value);
  const text = value.toExponential();
  const e = text.indexOf('e');
  const exponent = Number(text.slice(e + 1));
  const digits = text.slice(value < 0 ? 1 : 0, e).replace('.', '');
  // What still has a fraction after sixteen digits is written out, too.
  if (exponent >= 15) return digits.length > exponent + 1 ? String(value) : text.replace('+', '');
  if (exponent < -15) return text;
  return `${value < 0 ? '-' : ''}0.${'0'.repeat(-exponent - 1)}${digits}`;
}

/** The same for a number of 32 bits, of which fewer digits are needed. */
export function floatText(value: number): string {
  if (value === 0) return doubleText(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return doubleText(short);
  }
  return doubleText(Number(value.toPrecision(9)));
}
