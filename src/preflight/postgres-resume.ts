import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceTable } from '../changes/table.ts';
import type { ConnectionDescription } from '../config/connection.ts';
import { toArguments } from '../config/settings.ts';
import { SILENT } from '../log/silent.ts';
import { Lsn } from '../sources/postgres/lsn.ts';
import { PostgresSource } from '../sources/postgres/postgres-source.ts';
import { dropSlotStatement, readSlot, type SlotFacts, slotStatement } from '../sources/postgres/slot.ts';
import { once } from './look.ts';
import { postgresInquiry } from './postgres-inquiry.ts';
import { POSTGRES_RESUME_LOOKS } from './postgres-resume-looks.ts';
import { PostgresSourceFacts } from './postgres-source-facts.ts';
import type { ResumeFacts } from './resume-facts.ts';
import type { Backlog, Refusal, RefusalPlace, ResumeSource, SourceResumeLook, WayOut } from './resume-source.ts';

/** Milliseconds that a slot in use is looked at again: the server may not have noticed yet that its reader was killed. */
const SLOT_PATIENCE = 5000;
const LOOK_EVERY = 250;

/** What a resume asks of a PostgreSQL source. */
export class PostgresResume implements ResumeSource {
  readonly facts: ResumeFacts;
  readonly source: PostgresSourceFacts;
  readonly slotName: string;
  readonly inquiry;
  readonly looks: readonly SourceResumeLook[];
  readonly checkpoint = {
    title: 'checkpoint and slot',
    why: 'Nothing may lie between them.',
    covered: 'the slot delivers what comes next',
  };
  readonly keeps = 'the slot keeps what has changed';
  /** The slot; waits for a moment while somebody reads from it. */
  readonly slot: () => Promise<SlotFacts | undefined>;
  readonly tables: () => Promise<readonly SourceTable[]>;
  readonly #engine: PostgresSource;

  constructor(connection: ConnectionDescription, facts: ResumeFacts, slotName: string) {
    const { wishes, dataDir } = facts;
    this.facts = facts;
    this.slotName = slotName;
    this.source = new PostgresSourceFacts(connection, {
      ...wishes,
      publication: { ...wishes.publication, create: false },
      slot: { name: slotName, create: false },
    });
    this.inquiry = postgresInquiry(this.source);
    this.#engine = new PostgresSource({
      connection,
      slotName,
      publicationName: wishes.publication?.name,
      standbyTimeout: 5000,
      truncate: 'apply',
      dataDir,
      log: SILENT,
    });
    this.slot = once(() => this.#patientSlot());
    this.tables = once(() => this.#engine.connect());
    this.looks = POSTGRES_RESUME_LOOKS.map(({ check, needs, look }) => ({ check, needs, look: () => look(this) }));
  }

  async verify(checkpoint: string | undefined, identity: Readonly<Record<string, string>> | undefined): Promise<void> {
    await this.#engine.verifyCheckpoint(checkpoint === undefined ? undefined : Lsn.parse(checkpoint), identity);
  }

  async backlog(checkpoint: string | undefined): Promise<Backlog> {
    const found = await this.slot();
    if (found?.confirmed === undefined) return {};
    // The slot may not have heard of what was committed last.
    const reached = checkpoint === undefined ? found.confirmed : Lsn.parse(checkpoint);
    const distances = [found.confirmed, reached].map(({ value }) => Number(found.current.value - value));
    return { bytes: Math.max(0, Math.min(...distances)) };
  }

  refusal(code: string | undefined, place: RefusalPlace): Refusal | undefined {
    switch (code) {
      case 'PG_SLOT_MISSING':
      case 'PG_SLOT_LOST':
      case 'PG_SLOT_AHEAD':
        return {
          harm: 'The changes between the checkpoint and what the source can still deliver would be lost.',
          waysOut: [this.#startOver(place)],
        };
      case 'PG_SOURCE_BEHIND':
      case 'PG_FAILOVER_LOST_COMMITS':
        return {
          harm: 'The target would keep changes that the source does not have, and lose what the source writes in their place.',
          waysOut: [this.#startOver(place)],
        };
      case 'PG_SOURCE_CHANGED':
      case 'PG_SLOT_DATABASE':
        return {
          harm: 'The changes of the former database would be lost, and those of another mixed in.',
          waysOut: [
            {
              label: 'connect to the former source',
              text: `Nothing is lost meanwhile. The source has its key in instar (e), and its line in a file:\ninstar edit ${place.name} --file changes.yaml   # source: $SOURCE\ninstar resume ${place.name}`,
            },
            this.#startOver(place),
          ],
        };
      case 'PG_SLOT_ACTIVE':
        return {
          harm: 'Two that write at the same time would apply changes twice, and undo those of each other.',
          waysOut: [
            {
              label: 'stop the other process',
              text: `Nothing is lost meanwhile. Stop it, then:\ninstar resume ${place.name}`,
            },
          ],
        };
      case 'PG_PUBLICATION_MISSING':
        return {
          harm: 'Changes made while there is no publication would be lost.',
          waysOut: [
            {
              label: 'create it again, if nothing has changed since it was dropped',
              text: `What was changed while it was missing cannot be delivered. If that is nothing, create it, then:\ninstar resume ${place.name}`,
            },
            this.#startOver(place),
          ],
        };
      default:
        return undefined;
    }
  }

  get withoutCheckpoint(): ResumeSource['withoutCheckpoint'] {
    const { name, wishes, targetSchema, stagingSchema } = this.facts;
    const flags = toArguments('pglogical', {
      sourceConn: 'set',
      targetConn: 'set',
      slotName: this.slotName,
      publicationName: wishes.publication?.name,
      targetSchema,
      stagingSchema,
      stagingCreateSchema: true,
    });
    return {
      harm: 'What is on the target already would be applied again from where the slot begins, and doubled in tables without a key.',
      begin: {
        label: 'begin where the slot does',
        text: [
          'Safe where every table has a key: its rows pass through old states once more and end up right.',
          'Start once by hand, stop it with Ctrl-C when it says that it replicates, then resume:',
          `instar pglogical ${flags.join(' ')}`,
          `instar resume ${name}`,
        ].join('\n'),
      },
    };
  }

  async close(): Promise<void> {
    this.source.close();
    await this.#engine.close();
  }

  #startOver({ name, forget }: RefusalPlace): WayOut {
    return {
      label: 'start over with a fresh copy',
      text: [
        'The rows have to be copied again: what was not delivered cannot be had any more.',
        '-- at the source, if the slot is still there',
        `${dropSlotStatement(this.slotName)};`,
        '-- at the source: from here on changes are kept',
        `${slotStatement(this.slotName)};`,
        '-- at the target: forget the former progress',
        forget,
        '-- copy the rows, then',
        `instar resume ${name}`,
      ].join('\n'),
    };
  }

  async #patientSlot(): Promise<SlotFacts | undefined> {
    const deadline = performance.now() + SLOT_PATIENCE;
    for (;;) {
      const slot = await this.source.line.ask((client) => readSlot(client, this.slotName));
      if (slot?.activePid === undefined || performance.now() > deadline) return slot;
      await sleep(LOOK_EVERY);
    }
  }
}
