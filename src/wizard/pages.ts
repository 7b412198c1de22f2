/*
 * The pages of the setup, and the steps that they belong to as the operator counts them. Some kinds of sources have pages that
 * others lack. Nothing in here draws or connects.
 */

/** The steps as they stand in the trail. */
export const STEPS = ['kind', 'source', 'checks', 'tables', 'target', 'options', 'review', 'launch'] as const;

type Step = (typeof STEPS)[number];

/** Every page of every kind. Their names are what `Replication.step` holds. */
const STEP_OF = {
  kind: 'kind',
  source: 'source',
  owner: 'source',
  checks: 'checks',
  tables: 'tables',
  slot: 'tables',
  start: 'tables',
  scn: 'tables',
  target: 'target',
  'target schema': 'target',
  'target checks': 'target',
  options: 'options',
  review: 'review',
  launch: 'launch',
} as const satisfies Readonly<Record<string, Step>>;

export type Page = keyof typeof STEP_OF;

/** The index in STEPS of the step that a page belongs to. */
export function stepOf(page: Page): number {
  return STEPS.indexOf(STEP_OF[page]);
}
