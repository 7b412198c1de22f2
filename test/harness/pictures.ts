import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svgOf } from './screenshot.ts';

/** With INSTAR_PICTURES set, keeps what a terminal shows as `assets/NAME.svg`, for the README. */
export function keepPicture(terminal: Parameters<typeof svgOf>[0], name: string): void {
  if (!process.env.INSTAR_PICTURES) return;
  writeFileSync(fileURLToPath(new URL(`../../assets/${name}.svg`, import.meta.url)), svgOf(terminal));
}
