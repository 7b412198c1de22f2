import type { Theme } from './theme.ts';

/** A share from 0 to 1 as a bar of exactly `width` characters, in steps of a fraction of a character where the font has them. */
export function bar(share: number, width: number, theme: Theme): string {
  if (width <= 0) return '';
  const steps = theme.symbol.bar;
  const full = steps.length - 1;
  const held = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  const units = Math.round(held * width * full);
  const whole = Math.floor(units / full);
  const rest = units % full;
  const line = steps[full].repeat(whole) + (rest > 0 ? steps[rest] : '');
  return line + ' '.repeat(width - line.length);
}
