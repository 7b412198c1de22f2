/** What several errors mean for the data alike. */

/** At a start, before anything was read. */
export const NOTHING_STARTED =
  'Nothing was read or written: what is on the target stays, and a checkpoint stays where it is.';

/** While replication runs. */
export const TRIED_AGAIN =
  'Nothing is lost or doubled: it goes on from the checkpoint by itself, as long as the source keeps its log.';

/** A transaction that could not be decoded or applied. */
export const NOT_APPLIED =
  'Nothing of that transaction is on the target, and the checkpoint stands before it: nothing is lost or doubled.';

/** Log that is gone. */
export const OUT_OF_REACH =
  'Changes behind the checkpoint cannot be delivered any more: without a new copy the target would lack them.';

/** A source that has lost commits. */
export const TARGET_HAS_MORE =
  'The target may hold changes that the source no longer has; nothing more was applied, so that no difference was added.';

/** A position of another server, database or history. */
export const OTHER_PAST = 'Nothing was applied: positions of one server or database say nothing in another.';

/** A setting of the source under which its log lacks something. */
export const WOULD_LACK =
  'Nothing was started: changes would be missing in the log of the source, and so on the target.';

/** Something of this program's own files or screens. */
export const NOT_THE_DATA = 'None: neither rows nor checkpoint are touched by it.';
