import { buildCatalogue, type Catalogue } from '../../src/target/catalogue.ts';
import type { ColumnRow, ForeignKeyRow, KeyRow } from '../../src/target/catalogue-rows.ts';
import type { TypeRow } from '../../src/target/column-types.ts';
import type { Queryable } from '../../src/target/dialect.ts';
import { MessageBuffer } from '../../src/target/messages.ts';
import type { Session } from '../../src/target/session.ts';
import type { Sent } from './cockroachdb-traps.ts';
import { stepsOf } from './script-steps.ts';
import { COCKROACHDB, schemaOf } from './target-model.ts';

/*
 * What would be sent to CockroachDB, without a server. The doubles keep every statement and whether it stands in a
 * transaction; they carry nothing out, answer "there is nothing" to every question and success to every script unless told
 * otherwise. Whether the server takes the statements is beyond them.
 */

/** Statements in the order in which they were sent. */
export class Recording {
  readonly sent: Sent[] = [];
  #inTransaction = false;

  add(sql: string): void {
    if (/^BEGIN\b/.test(sql)) this.#inTransaction = true;
    this.sent.push({ sql, inTransaction: this.#inTransaction });
    if (/^(COMMIT|ROLLBACK)\b/.test(sql)) this.#inTransaction = false;
  }

  /** Different statements, sorted. */
  get distinct(): Sent[] {
    return [...new Map(this.sent.map((sent) => [`${sent.sql} ${sent.inTransaction}`, sent])).values()];
  }

  /** A connection for questions; `answer` gives the rows of a statement. */
  client(answer: (sql: string) => readonly object[] = () => []): Queryable {
    const query = async (sql: string) => {
      this.add(sql);
      return { rows: answer(sql) };
    };
    return { query } as unknown as Queryable;
  }

  /** A session for scripts; `refuse` gives the SQLSTATE that a script fails with. */
  session(refuse: (statements: readonly string[]) => string | undefined = () => undefined): Session {
    const send = async (script: MessageBuffer) => {
      const statements = stepsOf(script).map(({ sql }) => sql);
      for (const sql of statements) this.add(sql);
      const state = refuse(statements);
      if (state !== undefined) throw Object.assign(new Error('refused'), { code: state });
      return { tags: statements.map((sql) => sql.split(' ')[0]) };
    };
    const session = {
      inFlight: 0,
      script: () => new MessageBuffer(),
      statement: (_: MessageBuffer, sql: string) => sql,
      forgetStatements: () => {},
      send,
      run: (sql: string) => {
        const script = new MessageBuffer();
        script.query(sql);
        return send(script);
      },
      close: async () => {},
      destroy: () => {},
    };
    return session as unknown as Session;
  }
}

export interface TableShape {
  readonly name: string;
  /** Column name to the type as the server writes it; ` NOT VISIBLE`, ` STORED`, ` NOT NULL` and ` DEFAULT` may follow. */
  readonly columns: Readonly<Record<string, string>>;
  readonly key?: readonly string[];
  readonly references?: readonly (Partial<ForeignKeyRow> & { readonly referenced: string })[];
}

const MOOD = '100100';

/** A catalogue of `shop.public` in the words of CockroachDB; the enum `mood` is there. */
export function cockroachdbCatalogue(shapes: readonly TableShape[]): Catalogue {
  const columns: ColumnRow[] = [];
  const keys: KeyRow[] = [];
  const foreignKeys: ForeignKeyRow[] = [];
  for (const { name: table, columns: own, key = [], references = [] } of shapes) {
    Object.entries(own).forEach(([name, text], i) => {
      const type = text.replace(/ (NOT VISIBLE|STORED|NOT NULL|DEFAULT).*/, '');
      columns.push({
        table,
        position: String(i + 1),
        name,
        type: type.includes('mood') ? MOOD + (type.endsWith('[]') ? '1' : '') : '0',
        type_text: type,
        generated: text.includes('STORED') ? 'ALWAYS' : 'NEVER',
        identity_always: 'false',
        hidden: text.includes('NOT VISIBLE') ? 'YES' : 'NO',
        has_default: String(/NOT VISIBLE|DEFAULT/.test(text)),
        nullable: text.includes('NOT NULL') ? 'NO' : 'YES',
      });
    });
    for (const column of key) keys.push({ table, index: `${table}_pkey`, column, primary: 'true', implicit: 'NO' });
    for (const reference of references) {
      foreignKeys.push({
        name: `${table}_${reference.referenced}`,
        table,
        columns: '{2}',
        referenced_columns: '{1}',
        on_delete: 'a',
        on_update: 'a',
        deferrable: 'false',
        ...reference,
      });
    }
  }
  return buildCatalogue(
    {
      tables: shapes.map(({ name }) => ({ table: name, triggers: 'false' })),
      columns,
      types: [enumType(MOOD, 'mood', 'e'), enumType(`${MOOD}1`, '_mood', 'b', 'mood')],
      keys,
      foreignKeys,
    },
    COCKROACHDB,
    schemaOf(COCKROACHDB),
  );
}

function enumType(oid: string, name: string, kind: string, element?: string): TypeRow {
  return {
    oid,
    schema: 'public',
    name,
    kind,
    category: element === undefined ? 'E' : 'A',
    delimiter: ',',
    has_array: 'true',
    base: '0',
    not_null: 'false',
    has_default: 'false',
    element_schema: element === undefined ? null : 'public',
    element_name: element ?? null,
    element_kind: element === undefined ? null : 'e',
  };
}
