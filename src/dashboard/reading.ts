/** How replication is doing, in one of four words, and why. */
export type LagState = 'caught up' | 'following' | 'behind' | 'stalled';

/** Rows and failures of one table since the engine started. */
export interface TableReading {
  /** `schema.table` as the metrics name them. */
  readonly name: string;
  readonly upserts: number;
  readonly deletes: number;
  readonly errors: number;
  /** Rows per second over the last seconds. */
  readonly rowsPerSecond: number;
  /** Age of the newest changes when they were applied, seconds; undefined while none came. */
  readonly lagSeconds: number | undefined;
}

export type StageName = 'source' | 'buffer' | 'queue' | 'target';

/** One stage of the pipeline. */
export interface StageReading {
  readonly name: StageName;
  /** What it does now, as in "reads 12 MB/s" or "3 batches wait". */
  readonly text: string;
  /** 0 to 1, where that can be said. */
  readonly load: number | undefined;
  readonly bottleneck: boolean;
}

/** A problem that the engine has told of. */
export interface Trouble {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  readonly table?: string;
}

/** Where LogMiner is. */
export interface MiningReading {
  /** SCNs between what was read and the source's newest one. */
  readonly distance: number;
  /** SCNs that are read at a time; undefined where that is not told. */
  readonly window: number | undefined;
  /** Transactions that are open at the source, with changes. */
  readonly open: number;
}

/** What the userscript does. */
export interface ScriptReading {
  /** Rows that go on, and rows that it leaves out. */
  readonly passedPerSecond: number | undefined;
  readonly droppedPerSecond: number | undefined;
  /** Rows left out since the process started. */
  readonly dropped: number;
  /** Seconds in its handlers per second. */
  readonly busy: number | undefined;
  readonly failures: number;
}

/**
 * What is known of a replication at one moment, derived from its endpoints; immutable, made anew at each poll. Undefined means
 * that the endpoint does not tell (MOLT Replicator's own tells less), never zero.
 */
export interface Reading {
  /** Milliseconds since the epoch when the endpoint last answered. */
  readonly at: number;
  /** Milliseconds since then, when it does not answer any more; 0 while it does. */
  readonly staleFor: number;
  /** Why it does not answer. */
  readonly silence: string | undefined;
  /** `pglogical postgresql://… → cockroachdb://…`, as far as known. */
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly kind: string | undefined;
  readonly pid: number | undefined;
  readonly startedAt: number | undefined;
  readonly engineState: string | undefined;
  readonly paused: boolean;

  readonly lag: {
    readonly state: LagState;
    /** Why, for `stalled` and `behind`. */
    readonly reason: string | undefined;
    readonly seconds: number | undefined;
    readonly bytes: number | undefined;
    /** For sources whose log is counted by transactions. */
    readonly transactions: number | undefined;
    readonly p50: number | undefined;
    readonly p99: number | undefined;
    readonly trend: 'shrinks' | 'holds' | 'grows' | undefined;
    /** Seconds until it will have caught up, while it shrinks. */
    readonly caughtUpIn: number | undefined;
    /** Milliseconds since the epoch of the last change applied, and of the last word from the source. */
    readonly lastEvent: number | undefined;
    readonly lastHeartbeat: number | undefined;
  };
  readonly rowsPerSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
  /** Newest last, one value a second (in a replay: for each snapshot), at most 120. */
  readonly history: {
    readonly lagSeconds: readonly number[];
    readonly rowsPerSecond: readonly number[];
    readonly bytesPerSecond: readonly number[];
  };
  readonly position: {
    readonly source: string | undefined;
    readonly applied: string | undefined;
    readonly distance: number | undefined;
  };
  /** Log that the slot holds back at the source. */
  readonly retained: {
    readonly bytes: number | undefined;
    /** `max_slot_wal_keep_size` in bytes; undefined when there is no limit or it is not known. */
    readonly limit: number | undefined;
    readonly bytesPerHour: number | undefined;
    /** Seconds until the limit is reached at that rate. */
    readonly secondsLeft: number | undefined;
    /** `pg_replication_slots.wal_status`: reserved, extended, unreserved or lost. */
    readonly walStatus: string | undefined;
  };
  readonly stages: readonly StageReading[];
  readonly tables: readonly TableReading[];
  /** Undefined where there is no userscript, or nothing for it to do yet. */
  readonly script: ScriptReading | undefined;
  /** Undefined where the source is no Oracle database. */
  readonly mining: MiningReading | undefined;
  readonly troubles: readonly Trouble[];
  readonly deadLetters: number | undefined;
  /** The table that they are in. */
  readonly deadLetterTable: string | undefined;
}
