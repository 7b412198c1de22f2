import { cancelled } from '../sessions/launch.ts';
import type { Replication } from '../sessions/replication.ts';

/**
 * What a setup that is left before its launch leaves behind, a sentence each: on the servers, often nothing, and here. `ran` are
 * the fixes that were run, each with its side in front; `replication` is undefined when the answers were forgotten.
 */
export function farewell(replication: Replication | undefined, ran: readonly string[]): string[] {
  const made = replication === undefined ? [] : cancelled(replication);
  const ofFixes = ran.length === 0 ? [] : ['These fixes were run, as you asked:', ...ran.map((line) => `  ${line}`)];
  return [
    made.length + ran.length === 0
      ? 'Nothing was created or changed on either server.'
      : made.length === 0
        ? 'Neither publication nor slot was created.'
        : `Created so far: ${made.join('; ')}.`,
    ...ofFixes,
    replication === undefined
      ? 'The answers were forgotten.'
      : `The answers are saved as ${replication.name}; "instar" goes on with them.`,
  ];
}
