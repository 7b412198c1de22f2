import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svgOf } from './screenshot.ts';

/** Whether the pictures of the README are to be taken anew. */
export const TAKING_PICTURES = Boolean(process.env.INSTAR_PICTURES);

/** When pictures are taken, keeps what a terminal shows as `assets/NAME.svg`. */
export function keepPicture(terminal: Parameters<typeof svgOf>[0], name: string): void {
  if (!TAKING_PICTURES) return;
  writeFileSync(fileURLToPath(new URL(`../../assets/${name}.svg`, import.meta.url)), svgOf(terminal));
}
