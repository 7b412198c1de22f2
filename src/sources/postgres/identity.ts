import { OperatorError } from '../../errors.ts';
import { Lsn } from './lsn.ts';
import type { SlotFacts } from './slot.ts';

/** What tells this source from another; kept in staging beside the checkpoint. */
export interface SourceIdentity extends Readonly<Record<string, string>> {
  /** Given to a cluster by initdb, shared by its physical copies. */
  readonly systemId: string;
  /** Counts the promotions and point-in-time recoveries that the cluster went through. */
  readonly timeline: string;
  readonly slot: string;
  readonly database: string;
}

/** The answer to IDENTIFY_SYSTEM. */
export interface SystemFacts {
  readonly systemId: string;
  readonly timeline: number;
  /** End of the log that is safely on the server's disk. */
  readonly flushed: Lsn;
  readonly database: string;
}

/** Where a timeline of the server's history ended and the next began. */
export interface TimelineSwitch {
  readonly timeline: number;
  readonly end: Lsn;
}

export function identityOf(system: SystemFacts, slot: string): SourceIdentity {
  return { systemId: system.systemId, timeline: String(system.timeline), slot, database: system.database };
}

/** Reads a timeline history file: lines of `timeline <tab> position <tab> reason`, comments and blank lines between. */
export function parseTimelineHistory(text: string): TimelineSwitch[] {
  return [...text.matchAll(/^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/gm)].map((match) => ({
    timeline: Number(match[1]),
    end: Lsn.parse(match[2]),
  }));
}

/**
 * Refuses, with a named error, to go on from a checkpoint when the source that answers cannot deliver exactly what comes
 * after it. PostgreSQL itself would start later, or elsewhere, without a word.
 *
 * @param stored identity kept with the checkpoint; undefined when another tool wrote it
 * @param history reads the switches of the timelines that led to the server's current one
 */
export async function checkResumable(
  system: SystemFacts,
  slot: SlotFacts,
  checkpoint: Lsn | undefined,
  stored: Readonly<Record<string, string>> | undefined,
  history: () => Promise<readonly TimelineSwitch[]>,
): Promise<void> {
  if (stored !== undefined) refuseOtherSource(system, stored);
  if (checkpoint === undefined) return;
  if (stored?.timeline !== undefined && Number(stored.timeline) !== system.timeline) {
    refuseLostCommits(system, checkpoint, Number(stored.timeline), await history());
  }
  if (system.flushed.value < checkpoint.value) {
    throw new OperatorError(
      'PG_SOURCE_BEHIND',
      `the source's log ends at ${system.flushed}, before the checkpoint ${checkpoint}: the source was restored from a backup or lost its newest commits, so the target holds changes that the source does not`,
      { fix: START_OVER },
    );
  }
  if (slot.confirmed !== undefined && slot.confirmed.value > checkpoint.value) {
    throw new OperatorError(
      'PG_SLOT_AHEAD',
      `replication slot ${slot.name} starts at ${slot.confirmed}, after the checkpoint ${checkpoint}: it was created anew, moved or read by somebody else, and cannot deliver the changes between`,
      {
        fix: `${START_OVER}\nOnly if it is certain that everything up to ${slot.confirmed} is on the target, set the checkpoint to ${slot.confirmed} in the memo table of the staging schema.`,
      },
    );
  }
}

const START_OVER = 'Copy the data again with a new replication slot and start over with a fresh checkpoint.';

function refuseOtherSource(system: SystemFacts, stored: Readonly<Record<string, string>>): void {
  const differs = (name: string, now: string) => stored[name] !== undefined && stored[name] !== now;
  if (!differs('systemId', system.systemId) && !differs('database', system.database)) return;
  throw new OperatorError(
    'PG_SOURCE_CHANGED',
    `the checkpoint was written for database ${stored.database} of the cluster ${stored.systemId}, but the source connection goes to ${system.database} of ${system.systemId}; positions of one mean nothing in the other`,
    { fix: `Connect to the former source, or start over with a fresh checkpoint after copying the data again.` },
  );
}

function refuseLostCommits(
  system: SystemFacts,
  checkpoint: Lsn,
  timeline: number,
  history: readonly TimelineSwitch[],
): void {
  const left = history.find((each) => each.timeline === timeline);
  if (left?.end.covers(checkpoint)) return;
  const where =
    left === undefined
      ? `timeline ${timeline}, on which the checkpoint was written, is not part of its history`
      : `it left timeline ${timeline} at ${left.end}`;
  throw new OperatorError(
    'PG_FAILOVER_LOST_COMMITS',
    `the source was failed over or restored and is on timeline ${system.timeline} now; ${where}, but the checkpoint is at ${checkpoint}: the target holds commits that the source has lost`,
    { fix: START_OVER },
  );
}
