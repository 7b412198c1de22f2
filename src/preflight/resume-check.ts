import type { Check } from './check.ts';

/** A check before a resume. `id` without what all of them begin with. */
export function resumeCheck(
  side: Check['side'],
  severity: Check['severity'],
  id: string,
  title: string,
  why: string,
): Check {
  return { id: `resume.${id}`, title, side, severity, why };
}
