import type { ChangeLog } from '../changes/change-log.ts';
import { readCatalogue } from '../target/catalogue.ts';
import { type DeadLetterTable, deadLetters, deadLetterValues, openDeadLetterTable } from '../target/dead-letters.ts';
import type { Dialect, Queryable } from '../target/dialect.ts';
import type { SchemaName } from '../target/identifiers.ts';
import type { MessageBuffer } from '../target/messages.ts';
import type { Session } from '../target/session.ts';

/** Writes a source transaction that the target refuses to the dead-letter table, inside the open target transaction. */
export interface DeadLetters {
  /** To be called before the first `write` and after a failed one. */
  prepare(): Promise<void>;
  /** `commitTime`: microseconds since the epoch; `ordinal`: place of the first change in its transaction, from 0. */
  write(
    session: Session,
    script: MessageBuffer,
    log: ChangeLog,
    start: number,
    end: number,
    commitTime: number,
    ordinal: number,
    error: Error,
  ): void;
}

/** Writes dead letters into the table `name` of the target schema, which is looked for when the first is due. */
export function openLetters(
  target: { schema: SchemaName; dialect: Dialect; withClient<T>(work: (client: Queryable) => Promise<T>): Promise<T> },
  name: string,
): DeadLetters {
  let table: DeadLetterTable | undefined;
  return {
    async prepare() {
      const { dialect, schema } = target;
      table = await target.withClient(async (client) =>
        openDeadLetterTable(client, dialect, schema, await readCatalogue(client, dialect, schema), name),
      );
    },
    write(session, script, log, start, end, commitTime, ordinal, error) {
      if (table === undefined) throw new Error('the dead-letter table was not prepared');
      for (const letter of deadLetters(log, start, end, commitTime, ordinal)) {
        const values = deadLetterValues(table, letter, error);
        const mark = script.bind(session.statement(script, table.insert), values.length);
        for (const value of values) script.text(value);
        script.execute(mark);
      }
    },
  };
}
