import { randomInt } from 'node:crypto';

/** The part of a test's context that prints a line into its report. */
interface Report {
  diagnostic(message: string): void;
}

/**
 * Parameters for fast-check's `assert`. The seed is in the report of every run, and in that of a failed one with the path to
 * the counterexample; TEST_SEED repeats it.
 */
export function seeded(test: Report, numRuns: number): { seed: number; numRuns: number } {
  const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31));
  test.diagnostic(`seed ${seed}`);
  return { seed, numRuns };
}
