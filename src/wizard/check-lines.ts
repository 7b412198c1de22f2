import { isReady } from '../preflight/check.ts';
import type { CheckState } from '../terminal/checklist.tsx';
import type { CheckLine } from './use-checks.ts';

/** How a check stands, for a list. */
export function lineState({ result, running }: CheckLine): CheckState {
  if (running) return 'running';
  if (result === undefined) return 'skipped';
  if (result.state === 'failed') return result.severity === 'blocking' ? 'failed' : 'advisory';
  return result.state;
}

/** How many checks stand how. */
export interface Tally {
  readonly passed: number;
  /** Failed, and nothing can start before they are put right. */
  readonly blocking: number;
  readonly advisory: number;
  /** Could not be looked at. */
  readonly skipped: number;
  readonly running: number;
  /** Nothing stands in the way of a start. */
  readonly ready: boolean;
}

export function tallyOf(lines: readonly CheckLine[]): Tally {
  const count = (state: CheckState) => lines.filter((line) => lineState(line) === state).length;
  const running = count('running');
  return {
    passed: count('passed'),
    blocking: count('failed'),
    advisory: count('advisory'),
    skipped: count('skipped'),
    running,
    ready: running === 0 && isReady(lines.flatMap(({ result }) => result ?? [])),
  };
}

/** The tally in a sentence. */
export function tallyText({ passed, blocking, advisory, skipped, running }: Tally): string {
  const parts = [
    ...(blocking > 0 ? [`${blocking} must be put right`] : []),
    ...(advisory > 0 ? [`${advisory} advisory`] : []),
    ...(skipped > 0 ? [`${skipped} not looked at`] : []),
    ...(running > 0 ? [`${running} still being looked at`] : []),
    `${passed} passed`,
  ];
  return parts.join(', ');
}

/** The line that an operator should see first: what blocks, else what is advised. */
export function worstLine(lines: readonly CheckLine[]): number {
  for (const state of ['failed', 'advisory'] as const) {
    const index = lines.findIndex((line) => lineState(line) === state);
    if (index >= 0) return index;
  }
  return 0;
}
