import { ChangeLog } from '../../src/changes/change-log.ts';
import { PgoutputDecoder } from '../../src/sources/postgres/pgoutput.ts';
import { Relations } from '../../src/sources/postgres/relations.ts';
import type { ChangeSink } from '../../src/sources/source.ts';
import type { TestDatabase } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';
import { RecordingLogger } from './recording-logger.ts';

/** Transactions as a real source decodes them, one behind the other; `ends` are the offsets at which each ends. */
export interface RecordedChanges {
  readonly log: ChangeLog;
  readonly ends: readonly number[];
}

/** Reads a slot of the database by SQL, so that a test has in hand what was committed since it last asked. */
export class ChangeRecorder {
  readonly #database: TestDatabase;
  readonly #slot: string;
  readonly #relations = new Relations();

  private constructor(database: TestDatabase, slot: string) {
    this.#database = database;
    this.#slot = slot;
  }

  /** Publishes all tables that there are and makes a slot; it is dropped with the database. */
  static async open(database: TestDatabase): Promise<ChangeRecorder> {
    const slot = `recorder_${database.name}`;
    await database.query('CREATE PUBLICATION everything FOR ALL TABLES');
    await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
    return new ChangeRecorder(database, slot);
  }

  async read(): Promise<RecordedChanges> {
    const rows = await this.#database.query<{ data: Buffer }>(
      `SELECT data FROM pg_logical_slot_get_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', 'everything')`,
      [this.#slot],
    );
    const log = new ChangeLog();
    const ends: number[] = [];
    const sink: ChangeSink = {
      changes: log,
      full: false,
      drained: () => Promise.resolve(),
      begin: () => {},
      entryAppended: () => {},
      commit: () => void ends.push(log.length),
      spillStarted: () => {},
      commitSpilled: () => {},
      targetColumns: () => [],
      progress: () => {},
    };
    const decoder = new PgoutputDecoder(this.#relations, sink, undefined, {
      truncate: 'apply',
      spillDirectory: scratchDirectory('recorder'),
      log: new RecordingLogger(),
    });
    for (const { data } of rows) decoder.decode(data, 0, data.length);
    return { log, ends };
  }
}
