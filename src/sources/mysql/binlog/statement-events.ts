import { OperatorError } from '../../../errors.ts';
import type { Logger } from '../../../log/logger.ts';
import type { Charsets } from '../charsets.ts';
import { isNewerThan, type TableDefinition } from '../definitions.ts';
import type { Flavour } from '../flavour.ts';
import { type Gtid, gtidText, PositionTracker } from '../positions.ts';
import { protocolError } from '../protocol-error.ts';
import type { DatabaseFilter } from './database-filter.ts';
import { EventType, eventName } from './event-types.ts';
import type { OpenTransaction } from './open-transaction.ts';
import type { QueryEvent } from './query-event.ts';
import { type NamedTable, readStatement, redacted, type Statement } from './statements.ts';
import type { Catalogue, StreamTables } from './stream-tables.ts';
import type { DecodingContext, Reliance, TableVersion } from './table-version.ts';
import type { Transactions } from './transactions.ts';

/** What to do when a table is truncated. */
export type TruncatePolicy = 'apply' | 'ignore' | 'error';

/** Statements are read up to here, in bytes: what they do stands in front. */
const READ_BYTES = 64 * 1024;

const QUERY = eventName(EventType.QUERY);

export interface StatementOptions {
  readonly flavour: Flavour;
  readonly filter: DatabaseFilter;
  readonly transactions: Transactions;
  readonly tables: StreamTables;
  readonly context: DecodingContext;
  readonly definitions: Catalogue;
  readonly charsets: Charsets;
  readonly truncate: TruncatePolicy;
  /** Statements only end transactions: what else they do was seen before. */
  readonly rowsOnly: boolean;
  readonly log: Logger;
  /** Told of each TRUNCATE that is handed on. */
  readonly onTruncate: () => void;
}

/** Works through the statements in the log: ends of transactions, definitions, TRUNCATE, and what should have been rows. */
export class StatementEvents {
  readonly #options: StatementOptions;
  /** Definitions by which rows were decoded that could not be decoded without them, and what was taken from them. */
  readonly #relied = new Map<TableDefinition, Exclude<Reliance, 'nothing'>>();
  /** Databases of which it was told that their statements are passed over. */
  readonly #told = new Set<string>();

  constructor(options: StatementOptions) {
    this.#options = options;
  }

  /** Takes a statement. A promise when something has to be asked for first; until then the event must stay as it is. */
  take(query: QueryEvent): Promise<void> | undefined {
    const { charsets, transactions } = this.#options;
    transactions.within(QUERY);
    const charset = query.collation === undefined ? undefined : charsets.charsetOf(query.collation);
    const wait = charset === undefined ? undefined : charsets.prepare(charset);
    return wait === undefined ? this.#read(query, charset) : wait.then(() => this.#read(query, charset));
  }

  /** Rows are about to be decoded by this version of their table. Refuses a definition that is younger than they are. */
  rely({ relies, definition, described }: TableVersion, transaction: OpenTransaction): void {
    if (relies === 'nothing' || definition === undefined || this.#relied.has(definition)) return;
    const { commitTime, gtid } = transaction.start;
    // Columns come and go without an end to the defaults of the others: only a statement that changes those tells more.
    if (relies === 'names' && isNewerThan(definition, commitTime)) {
      throw definitionNewer(`${described.database}.${described.name}`, gtid);
    }
    this.#relied.set(definition, relies);
  }

  #read(query: QueryEvent, charset: string | undefined): Promise<void> | undefined {
    const sql = statementText(query, charset, this.#options.charsets);
    return this.#handle(query, sql, readStatement(sql, query.ansiQuotes));
  }

  #handle(query: QueryEvent, sql: string, statement: Statement): Promise<void> | undefined {
    const { transactions } = this.#options;
    const isForRows = statement.kind === 'truncate' || statement.kind === 'definition' || statement.kind === 'rows';
    if (isForRows && this.#options.rowsOnly) {
      this.#end();
      return undefined;
    }
    switch (statement.kind) {
      case 'begin':
        transactions.begin(QUERY);
        return undefined;
      case 'commit':
        transactions.commit(QUERY);
        return undefined;
      case 'rollback':
        transactions.rollback(QUERY);
        return undefined;
      case 'savepoint':
        transactions.begun(QUERY).savepoint(statement.name);
        return undefined;
      case 'release':
        transactions.begun(QUERY).release(statement.name);
        return undefined;
      case 'rollbackTo':
        transactions.rollbackTo(QUERY, statement.name);
        return undefined;
      case 'xaStart':
        transactions.begin(QUERY).gather();
        return undefined;
      case 'xaCommit':
      case 'xaRollback':
        if (statement.xid === undefined)
          throw protocolError(QUERY, `the name of an XA transaction in ${sql.slice(0, 200)}`);
        return transactions.decide(QUERY, statement.xid, statement.kind === 'xaCommit');
      case 'truncate':
        return this.#truncate(query, sql, statement.table);
      case 'definition':
        this.#define(query, sql, statement);
        break;
      case 'rows':
        this.#refuseRows(query, sql);
        break;
      case 'other':
        break;
    }
    this.#end();
    return undefined;
  }

  /** A statement that stands alone is its own transaction. */
  #end(): void {
    const { transactions } = this.#options;
    if (!transactions.within(QUERY).begun) transactions.commit(QUERY);
  }

  #truncate(
    query: QueryEvent,
    sql: string,
    { database = query.database, name }: NamedTable,
  ): Promise<void> | undefined {
    const { filter, tables, context } = this.#options;
    if (name === '') throw protocolError(QUERY, `no table in ${redacted(sql, query.ansiQuotes)}`);
    if (!filter.wants(database)) {
      this.#end();
      return undefined;
    }
    return this.#truncateFound(database, name, tables.find(database, name, context));
  }

  async #truncateFound(database: string, name: string, search: ReturnType<StreamTables['find']>): Promise<void> {
    const { truncate, transactions, log, onTruncate } = this.#options;
    const table = await search;
    const fields = { schema: database, table: name };
    if (table === undefined) {
      log.warn('TRUNCATE ignored: the source has no such table any more', { ...fields, code: 'TRUNCATE_IGNORED' });
    } else if (truncate === 'error') {
      throw truncateRefused(`${database}.${name}`);
    } else if (truncate === 'ignore') {
      log.warn('TRUNCATE ignored; the target keeps its rows', { ...fields, code: 'TRUNCATE_IGNORED' });
    } else {
      const transaction = transactions.within(QUERY);
      transaction.changes.appendTruncate(table);
      transaction.appended();
      onTruncate();
    }
    this.#end();
  }

  #define(query: QueryEvent, sql: string, statement: Extract<Statement, { kind: 'definition' }>): void {
    const { filter, definitions, transactions, log } = this.#options;
    const tables = statement.tables.map(({ database = query.database, name }) => ({ database, name }));
    const { gtid } = transactions.within(QUERY).start;
    const wanted = tables.filter(({ database }) => filter.wants(database));
    for (const { database, name } of wanted) {
      this.#refuseNewer(database, name, gtid, statement.changesDefaults);
      definitions.invalidate(database, name);
    }
    const concerns = tables.length > 0 ? wanted.length > 0 : filter.wants(statement.database ?? query.database);
    if (tables.length === 0) {
      if (concerns) this.#refuseNewer(undefined, undefined, gtid, true);
      definitions.invalidate();
    }
    if (!concerns) return;
    const fields = { statement: redacted(sql, query.ansiQuotes), schema: query.database, gtid: gtidText(gtid) };
    if (statement.removesRows) {
      log.warn(
        'schema change at the source that may have removed rows without naming them; the target keeps its rows',
        { ...fields, code: 'MYSQL_ROWS_REMOVED' },
      );
    } else {
      log.info('schema change at the source', fields);
    }
  }

  /** The rows before this statement were decoded by a definition that was read after it. */
  #refuseNewer(database: string | undefined, name: string | undefined, gtid: Gtid, changesDefaults: boolean): void {
    const here = new PositionTracker(this.#options.flavour, undefined).add(gtid);
    for (const [definition, relies] of this.#relied) {
      if (database !== undefined && (definition.database !== database || definition.name !== name)) continue;
      const wrong = relies === 'names' || changesDefaults;
      if (wrong && definition.asOf.covers(here))
        throw definitionNewer(`${definition.database}.${definition.name}`, gtid);
      this.#relied.delete(definition);
    }
  }

  /** A change of rows that the source logged as a statement, unless it can be told that it concerns other databases. */
  #refuseRows(query: QueryEvent, sql: string): void {
    const { filter, log, transactions } = this.#options;
    const { gtid } = transactions.within(QUERY).start;
    const statement = redacted(sql, query.ansiQuotes);
    if (query.changed !== undefined && query.changed.length > 0) {
      if (!query.changed.some((database) => filter.wants(database))) return;
    } else if (!this.#mayConcern(query.database, sql)) {
      if (this.#told.has(query.database)) return;
      this.#told.add(query.database);
      log.warn('changes of another database are logged as statements, and are passed over', {
        code: 'MYSQL_STATEMENT_ELSEWHERE',
        schema: query.database,
        statement,
        gtid: gtidText(gtid),
      });
      return;
    }
    throw new OperatorError(
      'MYSQL_STATEMENT_FORMAT',
      `the source logged a change as a statement instead of rows (transaction ${gtidText(gtid)}, database ${query.database}: ${statement}); which rows it changed is not in the log, so it cannot be applied`,
      {
        fix:
          'SET GLOBAL binlog_format = ROW; -- and end the sessions that have it otherwise\n' +
          'Then copy the tables that it changed again, and start from the GTID set of that copy.',
      },
    );
  }

  #mayConcern(database: string, sql: string): boolean {
    const { filter } = this.#options;
    if (filter.only === undefined) return database === '' || filter.wants(database);
    return filter.wants(database) || sql.toLowerCase().includes(filter.only.toLowerCase());
  }
}

/** The beginning of a statement, which is written in its session's character set. */
function statementText({ buffer, start, end }: QueryEvent, charset: string | undefined, charsets: Charsets): string {
  const stop = Math.min(end, start + READ_BYTES);
  const text = charset === undefined || charset === 'binary' ? undefined : charsets.text(charset, buffer, start, stop);
  // Cut within a character, or not in the character set at all.
  return text ?? buffer.toString('utf8', start, stop);
}

function truncateRefused(table: string): OperatorError {
  return new OperatorError(
    'MYSQL_TRUNCATE',
    `${table} was truncated at the source and --truncate is error; the transaction was not applied`,
    { fix: 'Start with --truncate apply to empty the target table too, or with --truncate ignore to keep its rows.' },
  );
}

function definitionNewer(table: string, gtid: Gtid): OperatorError {
  return new OperatorError(
    'MYSQL_DEFINITION_NEWER',
    `${table} was altered after transaction ${gtidText(gtid)}, and the log does not name columns (binlog_row_metadata is not FULL): by the definition of now its rows could be put into wrong columns`,
    {
      fix: 'SET GLOBAL binlog_row_metadata = FULL; -- from now on\nThen copy the table again, and start from the GTID set of that copy.',
    },
  );
}
