import type { Dialect } from '../target/dialect.ts';
import { type DeadLetterTable, deadLetters, deadLetterValues, openDeadLetterTable } from '../target/dead-letters.ts';
import type { SchemaName } from '../target/identifiers.ts';
import { readCatalogue } from '../target/catalogue.ts';
import type { Queryable } from '../target/dialect.ts';
import type { DeadLetters } from './applier.ts';

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
