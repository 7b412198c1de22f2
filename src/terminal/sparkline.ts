const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII = ['_', '.', ':', '-', '=', '+', '*', '#'];

/**
 * The newest `width` of `values` as one line, newest at the right, of exactly `width` characters. Zero is the lowest step, `max`
 * (by default the greatest value shown) the highest; a value that is not a number leaves a gap.
 */
export function sparkline(values: readonly number[], width: number, options: { ascii: boolean; max?: number }): string {
  if (width <= 0) return '';
  const steps = options.ascii ? ASCII : BLOCKS;
  const shown = values.slice(-width);
  const finite = shown.filter((value) => Number.isFinite(value));
  const max = options.max ?? Math.max(0, ...finite);
  const line = shown.map((value) => {
    if (!Number.isFinite(value)) return ' ';
    if (value <= 0 || max <= 0) return steps[0];
    // Anything above zero is seen to be above zero.
    const step = Math.ceil((value / max) * (steps.length - 1));
    return steps[Math.min(steps.length - 1, step)];
  });
  return ' '.repeat(width - line.length) + line.join('');
}
