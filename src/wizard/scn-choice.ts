import type { StartScn } from '../sources/oracle/start-scn.ts';
import { clean } from '../terminal/format.ts';

/** What is open at the source, a sentence a line. `users`: whose transactions count, everybody's when none is named. */
export function openLines({ oldest, others }: StartScn, users: readonly string[]): string[] {
  const whose = users.length === 0 ? '' : ` of ${users.map((user) => clean(user)).join(', ')}`;
  const title = whose === '' ? 'Oldest open transaction' : 'Oldest open one that counts';
  return [
    oldest === undefined
      ? `No transaction${whose} is open.`
      : `${title}: ${clean(oldest.user) || 'somebody'} since ${clean(oldest.since)}, SCN ${oldest.scn}.`,
    ...(others === 0
      ? []
      : [`${others === 1 ? 'One of another user does' : `${others} of other users do`} not count.`]),
  ];
}

/** What is wrong with the SCNs to begin with, and in which field; undefined when they can be used. */
export function scnProblem(
  scn: string,
  backfill: string,
  newest: bigint,
): { readonly field: 'scn' | 'backfill'; readonly text: string } | undefined {
  const [from, oldest] = [scn, backfill].map((text) =>
    /^\d{1,20}$/.test(text.trim()) ? BigInt(text.trim()) : undefined,
  );
  if (from === undefined) return { field: 'scn', text: 'an SCN is a whole number' };
  if (from > newest) return { field: 'scn', text: `the source has only come to ${newest}` };
  if (oldest === undefined) return { field: 'backfill', text: 'an SCN is a whole number' };
  if (oldest > from) return { field: 'backfill', text: 'it cannot have begun after the SCN of the copy' };
  return undefined;
}

/** What becomes of rows that are there already. */
export function existingRows(scn: string, newest: bigint): string {
  return scn.trim() === String(newest)
    ? 'Existing rows are not copied. Begin with the newest SCN when the target has them all, or is to have none.'
    : 'Everything that was committed after the SCN of the copy is applied. What was open then and has ended since is not seen here: take both SCNs from the tool that copied.';
}
