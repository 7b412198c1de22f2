import type { SourceTable } from '../changes/table.ts';
import type { Check } from './check.ts';
import type { Outcome } from './look.ts';
import type { SourceInquiry } from './source-inquiry.ts';

/** A look at a source before a resume. It knows what it looks at. */
export interface SourceResumeLook {
  readonly check: Check;
  /** Ids of checks without which it makes no sense; they stand earlier in the list. */
  readonly needs: readonly string[];
  look(): Promise<Outcome>;
}

/** How much of the source's log is not on the target yet, as far as the source tells. */
export interface Backlog {
  readonly bytes?: number;
  readonly transactions?: number;
}

/** A way to go on when resuming is not safe. */
export interface WayOut {
  readonly label: string;
  /** What it costs, and the commands or SQL. */
  readonly text: string;
}

/** What a refusal to resume means. */
export interface Refusal {
  /** What would be lost or doubled by going on all the same, one sentence. */
  readonly harm: string;
  readonly waysOut: readonly WayOut[];
}

/** What the ways out of a refusal are written with. */
export interface RefusalPlace {
  /** Name of the saved replication. */
  readonly name: string;
  /** SQL for the target that forgets the progress. */
  readonly forget: string;
}

/**
 * What a resume asks of a source, whatever its kind: the looks that only this kind has, and what the engine itself would ask at
 * its start.
 */
export interface ResumeSource {
  readonly inquiry: SourceInquiry;
  /**
   * In the order in which they are shown. Among them are `resume.source`, that it answers, and `resume.stream`, that it would
   * not refuse the engine: the looks at the target need the latter.
   */
  readonly looks: readonly SourceResumeLook[];
  /** What the engine would be sent, by its own checks. */
  readonly tables: () => Promise<readonly SourceTable[]>;
  /** What the look at the checkpoint is called, and what it says when nothing stands in the way. */
  readonly checkpoint: { readonly title: string; readonly why: string; readonly covered: string };
  /** Refuses as the engine does when the source cannot deliver exactly what comes after the checkpoint. @throws OperatorError */
  verify(checkpoint: string | undefined, identity: Readonly<Record<string, string>> | undefined): Promise<void>;
  /** Why nothing is lost while it stands still: "the slot keeps what has changed". */
  readonly keeps: string;
  backlog(checkpoint: string | undefined): Promise<Backlog>;
  /** What stands behind a code of this kind of source; undefined for codes that all have in common. */
  refusal(code: string | undefined, place: RefusalPlace): Refusal | undefined;
  /** What going on without a checkpoint would do, where it has been lost. */
  readonly withoutCheckpoint: {
    readonly harm: string;
    readonly begin: WayOut;
    /** The engine has to be told where to begin, which a resume does not do. */
    readonly byHand?: true;
  };
  close(): Promise<void>;
}
