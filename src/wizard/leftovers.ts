import type { Created, Replication } from '../sessions/replication.ts';
import { thingsOf } from './things.ts';

/** Something on a server that outlives the replication it belonged to. */
export interface Leftover extends Created {
  /** It was there before this program came. */
  readonly theirs: boolean;
  /** What happens when it stays. */
  readonly ifKept: string;
}

const IF_KEPT: Readonly<Record<Created['what'], string>> = {
  slot: "while nobody reads it, the source keeps all its log for it, until the source's disk is full",
  publication: 'it costs nothing; other subscribers may use it',
  'staging schema':
    'it holds the checkpoint. Once dropped, this replication can never be resumed; checkpoints of others in it are kept',
  table: 'it holds the rows that were replicated',
  script: 'it costs nothing; without it the replication would take all tables',
};

/**
 * What stays behind on the servers when a replication is forgotten. Things that it used without making them are among it:
 * an abandoned slot is as harmful whoever made it. Tables are the operator's data and are not.
 */
export function leftovers(replication: Replication): Leftover[] {
  const { answers, made, run, created } = replication;
  const launched = run !== undefined || replication.step === undefined;
  const all = thingsOf(answers).flatMap(({ what, side, name, how }): Leftover[] => {
    const own = made.find((each) => each.what === what && each.name === name && each.side === side);
    const ifKept = IF_KEPT[what];
    if (own !== undefined) return [{ ...own, theirs: false, ifKept }];
    // What was to be created and was not, is not there.
    if (how === 'created' || !launched) return [];
    return [{ what, side, name, at: created, theirs: how === 'used as it is', ifKept }];
  });
  // What does harm by staying comes first.
  return all.sort((a, b) => Number(b.what === 'slot') - Number(a.what === 'slot'));
}
