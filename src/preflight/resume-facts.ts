import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceTable } from '../changes/table.ts';
import type { ConnectionDescription } from '../config/connection.ts';
import type { Logger } from '../log/logger.ts';
import type { Lsn } from '../sources/postgres/lsn.ts';
import { PostgresSource } from '../sources/postgres/postgres-source.ts';
import { readSlot, type SlotFacts } from '../sources/postgres/slot.ts';
import { once } from './look.ts';
import { TargetFacts } from './target-facts.ts';

/** What a replication was told, and what was seen of it last. */
export interface ResumeFacts {
  readonly name: string;
  readonly slotName: string;
  /** Undefined: the only one of the source. */
  readonly publicationName: string | undefined;
  readonly targetSchema: string;
  readonly stagingSchema: string;
  /** Tables that were published at the last start, as PostgreSQL prints their names. */
  readonly tables: readonly string[] | undefined;
  /** Going on without tables that are published no more is what the operator wants. */
  readonly acceptTables: boolean;
  /** Its engine was seen replicating before, so there has to be progress. */
  readonly replicated: boolean;
  /** Milliseconds since the epoch. */
  readonly lastStart: number | undefined;
  /** ISO 8601, and in words. */
  readonly lastEnd: { readonly at: string; readonly why: string } | undefined;
  /** Bytes of source log applied per second when it last caught up. */
  readonly bytesPerSecond: number | undefined;
  readonly dataDir: string;
}

export interface ResumeConnections {
  readonly source: ConnectionDescription;
  readonly target: ConnectionDescription;
  readonly staging: ConnectionDescription | undefined;
}

/** Milliseconds that a slot in use is looked at again: the server may not have noticed yet that its reader was killed. */
const SLOT_PATIENCE = 5000;
const LOOK_EVERY = 250;

const SILENT: Logger = {
  enabled: () => false,
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  trace: () => {},
};

/** What is asked before a resume, each fact once, as the engine would at its start; nothing is changed. */
export class ResumeInquiry {
  readonly facts: ResumeFacts;
  readonly target: TargetFacts;
  /** The slot; waits for a moment while somebody reads from it. */
  readonly slot: () => Promise<SlotFacts | undefined>;
  /** The engine's own checks of the source; resolves to the tables that are published. */
  readonly published: () => Promise<readonly SourceTable[]>;
  readonly #source: PostgresSource;

  constructor(facts: ResumeFacts, connections: ResumeConnections) {
    const { slotName, publicationName, targetSchema, stagingSchema, dataDir } = facts;
    this.facts = facts;
    this.target = new TargetFacts(connections.target, {
      source: connections.source,
      staging: connections.staging,
      targetSchema,
      stagingSchema,
      tables: 'all',
      slot: { name: slotName, create: false },
      publication: publicationName === undefined ? { create: false } : { name: publicationName, create: false },
    });
    this.#source = new PostgresSource({
      connection: connections.source,
      slotName,
      publicationName,
      standbyTimeout: 5000,
      truncate: 'apply',
      dataDir,
      log: SILENT,
    });
    this.slot = once(() => this.#patientSlot());
    this.published = once(() => this.#source.connect());
  }

  /** Refuses as the engine does when the source cannot deliver exactly what comes after the checkpoint. */
  async verify(checkpoint: Lsn | undefined, identity: Readonly<Record<string, string>> | undefined): Promise<void> {
    await this.#source.verifyCheckpoint(checkpoint, identity);
  }

  async close(): Promise<void> {
    this.target.close();
    await this.#source.close();
  }

  async #patientSlot(): Promise<SlotFacts | undefined> {
    const deadline = performance.now() + SLOT_PATIENCE;
    for (;;) {
      const slot = await this.target.source.line.ask((client) => readSlot(client, this.facts.slotName));
      if (slot?.activePid === undefined || performance.now() > deadline) return slot;
      await sleep(LOOK_EVERY);
    }
  }
}
