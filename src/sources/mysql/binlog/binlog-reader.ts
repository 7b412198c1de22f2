import type { ErrorCode } from '../../../explanations/table.ts';
import { ChangeKind } from '../../../changes/change-log.ts';
import type { Logger } from '../../../log/logger.ts';
import type { ChangeSink } from '../../source.ts';
import type { Charsets } from '../charsets.ts';
import type { Flavour } from '../flavour.ts';
import type { MysqlMetrics } from '../metrics.ts';
import type { PositionTracker } from '../positions.ts';
import { protocolError } from '../protocol-error.ts';
import type { CountedValue, ValueOptions } from '../values/column.ts';
import { TupleWriter } from '../../../changes/tuple-writer.ts';
import { ChangeCounts } from './change-counts.ts';
import { verifyChecksum } from './checksum.ts';
import { DatabaseFilter } from './database-filter.ts';
import { EventBytes } from './event-bytes.ts';
import { CHECKSUM, EventType, eventName, HEADER, HeaderField, HeaderFlag } from './event-types.ts';
import { type FormatDescription, readFormatDescription } from './format-description.ts';
import { GtidReader, type TransactionStart } from './gtid-events.ts';
import type { OpenTransaction } from './open-transaction.ts';
import { readPayload, unpack } from './payload.ts';
import { isStatement, readQuery } from './query-event.ts';
import { anonymousTransaction, incident, unknownEvent } from './refused-events.ts';
import { inflated, type RowBody, type RowEventKind, readRowBody, rowEventKind, tableIdBytes } from './row-events.ts';
import { StatementEvents, type TruncatePolicy } from './statement-events.ts';
import { type Catalogue, StreamTables } from './stream-tables.ts';
import type { DecodingContext, TableVersion } from './table-version.ts';
import type { TableVersions } from './table-versions.ts';
import { type PreparedSearch, Transactions } from './transactions.ts';
import { readXaPrepare } from './xid.ts';

export type { TruncatePolicy };

export interface BinlogReaderParts {
  readonly flavour: Flavour;
  /** The only database that is replicated; undefined: all. */
  readonly database: string | undefined;
  readonly sink: ChangeSink;
  readonly positions: PositionTracker;
  readonly definitions: Catalogue;
  /** The catalogue may be read for names of columns that the log does not tell. */
  readonly fetchMetadata: boolean;
  readonly truncate: TruncatePolicy;
  readonly values: Pick<ValueOptions, 'zeroDates'>;
  readonly spillDirectory: string;
  /** Outlives streams. */
  readonly tables: TableVersions;
  readonly charsets: Charsets;
  readonly log: Logger;
  readonly metrics?: MysqlMetrics;
  readonly searchPrepared?: PreparedSearch;
  /** Grows when a stream ends with MYSQL_REREAD: to be given to the next one. */
  readonly gather: Set<string>;
  /** Only the changes of XA transactions that are prepared are wanted, to be searched for some. */
  readonly preparedOnly?: boolean;
}

/** The number of the table that ends a statement whose last table has no rows. */
const NO_TABLE = 0xffffff;
const STATEMENT_END = 0x01;

/** Changes after which they are reported, though their transaction goes on. */
const COUNTED_ROWS = 10_000;

/** What is told of a column when the first of such values comes; they are counted from then on. */
const CHANGED: Readonly<Record<CountedValue, { readonly code: ErrorCode; readonly text: string }>> = {
  zeroDate: {
    code: 'MYSQL_ZERO_DATE_NULL',
    text: 'dates that do not exist, such as 0000-00-00, become NULL at the target; --zeroDates error stops at them',
  },
  boolOutOfRange: { code: 'MYSQL_BOOLEAN_RANGE', text: 'numbers other than 0 and 1 become true at the target' },
};

/** MariaDB logs a REPLACE as an UPDATE of the columns that it names, and not that the others took their defaults. */
const PARTLY_LOGGED =
  'the source logs rows in part (binlog_row_image is not FULL); what a REPLACE sets to defaults without naming it is not in its log, so the target keeps the former values there';

/** What a payload may hold. */
const PACKED = new Set<number>([
  EventType.QUERY,
  EventType.XID,
  EventType.TABLE_MAP,
  EventType.XA_PREPARE,
  EventType.ROWS_QUERY,
  EventType.IGNORABLE,
  EventType.INTVAR,
  EventType.RAND,
  EventType.USER_VAR,
]);

/** Events that say nothing of rows, or nothing that other events do not say. */
const PASSED_OVER = new Set<number>([
  EventType.STOP,
  EventType.ROTATE,
  EventType.INTVAR,
  EventType.APPEND_BLOCK,
  EventType.DELETE_FILE,
  EventType.RAND,
  EventType.USER_VAR,
  EventType.BEGIN_LOAD_QUERY,
  EventType.IGNORABLE,
  EventType.ROWS_QUERY,
  EventType.PREVIOUS_GTIDS,
  EventType.TRANSACTION_CONTEXT,
  EventType.VIEW_CHANGE,
  EventType.ANNOTATE_ROWS,
  EventType.BINLOG_CHECKPOINT,
  EventType.GTID_LIST,
  EventType.START_ENCRYPTION,
]);

/**
 * Reads the events of a binary log in order and hands their changes, transaction by transaction, to a sink. One reader
 * serves one stream; after an error it must not be used again, except for `discard`.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html
 */
export class BinlogReader {
  /** Milliseconds since the Unix epoch at which the server last said that it is there and has nothing to send. */
  lastHeartbeat: number | undefined;

  readonly #parts: BinlogReaderParts;
  readonly #gtids = new GtidReader();
  readonly #transactions: Transactions;
  readonly #tables: StreamTables;
  readonly #statements: StatementEvents;
  readonly #context: DecodingContext;
  readonly #writer = new TupleWriter();
  readonly #counts = new ChangeCounts();
  #format: FormatDescription | undefined;
  #over = false;

  constructor(parts: BinlogReaderParts) {
    const { flavour, tables: versions, definitions, charsets, sink, values, fetchMetadata, truncate, log } = parts;
    const filter = new DatabaseFilter(parts.database);
    this.#parts = parts;
    this.#context = {
      targetColumns: (table) => sink.targetColumns(table),
      values,
      charsets,
      counted: versions.counted,
      firstCounted: (column, what) => {
        if (versions.told.has(column)) return;
        versions.told.add(column);
        const { code, text } = CHANGED[what];
        log.warn(`${column}: ${text}`, { code });
      },
      partlyLogged: (table) => {
        if (versions.told.has(table)) return;
        versions.told.add(table);
        log.warn(`${table}: ${PARTLY_LOGGED}`, { code: 'MYSQL_ROW_PARTLY_LOGGED' });
      },
    };
    this.#transactions = new Transactions(parts);
    this.#tables = new StreamTables({ flavour, filter, versions, definitions, charsets, fetchMetadata });
    this.#statements = new StatementEvents({
      flavour,
      filter,
      transactions: this.#transactions,
      tables: this.#tables,
      context: this.#context,
      definitions,
      charsets,
      truncate,
      rowsOnly: parts.preparedOnly === true,
      log,
      onTruncate: () => this.#counts.add('truncate', 1),
    });
  }

  /**
   * Takes the event [start, end) of `buffer`, header and checksum included. A promise when something has to be waited for:
   * no other event may be given, and the buffer must stay as it is, until it resolves. Throws, or rejects with,
   * OperatorErrors.
   */
  feed(buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    if (this.#over) return undefined;
    checkSize(buffer, start, end);
    const type = buffer[start + HeaderField.type];
    if (type === EventType.FORMAT_DESCRIPTION) {
      this.#describeFormat(buffer, start, end);
      return undefined;
    }
    if (this.#format === undefined) {
      // Whether these have checksums depends on what the reader has announced; what they say is not needed.
      if (type === EventType.ROTATE || type === EventType.HEARTBEAT || type === EventType.HEARTBEAT_V2)
        return undefined;
      throw protocolError(eventName(type), 'it comes before the description of the log');
    }
    if (!this.#format.checksums) return this.#event(type, buffer, start, end);
    if (end - start < HEADER + CHECKSUM) throw protocolError(eventName(type), 'it is cut short');
    verifyChecksum(buffer, start, end);
    return this.#event(type, buffer, start, end - CHECKSUM);
  }

  /** Deletes what was gathered on disk. Whatever is fed afterwards is passed over. */
  discard(): void {
    this.#over = true;
    this.#transactions.discard();
  }

  #event(type: number, buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    const rows = rowEventKind(type);
    if (rows !== undefined) return this.#rowEvent(type, rows, buffer, start, end);
    switch (type) {
      case EventType.TABLE_MAP:
        if (!this.#isWanted(this.#transactions.begun(eventName(type)))) return undefined;
        return this.#tables.describe(buffer, start, end, tableIdBytes(this.#postHeader(type)));
      case EventType.QUERY:
        return this.#query(buffer, start, end);
      case EventType.XID:
        this.#transactions.begun(eventName(type));
        this.#transactions.commit(eventName(type));
        return this.#report();
      case EventType.GTID:
      case EventType.GTID_TAGGED:
      case EventType.MARIADB_GTID:
        return this.#startTransaction(type, buffer, start, end);
      case EventType.TRANSACTION_PAYLOAD:
        return this.#payload(buffer, start, end);
      case EventType.HEARTBEAT:
      case EventType.HEARTBEAT_V2:
        this.lastHeartbeat = Date.now();
        return undefined;
      case EventType.XA_PREPARE:
        this.#transactions.prepare(eventName(type), readXaPrepare(this.#bytes(type, buffer, start, end)));
        return this.#report();
      case EventType.QUERY_COMPRESSED:
      case EventType.EXECUTE_LOAD_QUERY:
        return this.#rareQuery(type, buffer, start, end);
      default:
        if (!PASSED_OVER.has(type)) this.#refuse(type, buffer, start, end);
        return undefined;
    }
  }

  #describeFormat(buffer: Buffer, start: number, end: number): void {
    this.#format = readFormatDescription(buffer, start, end);
    if (this.#format.checksums) verifyChecksum(buffer, start, end);
    this.#transactions.forgetOpen();
  }

  #startTransaction(type: number, buffer: Buffer, start: number, end: number): undefined {
    const bytes = this.#bytes(type, buffer, start, end);
    const seconds = buffer.readUInt32LE(start + HeaderField.timestamp);
    let started: TransactionStart;
    if (type === EventType.GTID) started = this.#gtids.plain(bytes, seconds);
    else if (type === EventType.GTID_TAGGED) started = this.#gtids.tagged(bytes, seconds);
    else started = this.#gtids.mariadb(bytes, seconds, buffer.readUInt32LE(start + HeaderField.server));
    if (started.gtid.flavour !== this.#parts.flavour) throw bytes.malformed('it is of another product');
    this.#transactions.start(bytes.name, started);
    this.#tables.clear();
  }

  #query(buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    const name = eventName(EventType.QUERY);
    const postHeader = this.#postHeader(EventType.QUERY);
    const at = start + HEADER;
    // Nearly all statements of a log in rows are these two.
    if (isStatement(buffer, at, end, postHeader, 'BEGIN')) {
      this.#transactions.begin(name);
      return undefined;
    }
    if (isStatement(buffer, at, end, postHeader, 'COMMIT')) {
      this.#transactions.commit(name);
      return this.#report();
    }
    const bytes = new EventBytes(name, buffer, at, end);
    return this.#reported(this.#statements.take(readQuery(bytes, postHeader)));
  }

  /** A statement that MariaDB compressed, or LOAD DATA in a log of statements. */
  #rareQuery(type: number, buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    const bytes = new EventBytes(eventName(type), buffer, start + HEADER, end);
    const query = readQuery(bytes, this.#postHeader(type));
    if (type !== EventType.QUERY_COMPRESSED) return this.#reported(this.#statements.take(query));
    const plain = inflated(bytes.name, buffer, query.start, query.end);
    return this.#reported(this.#statements.take({ ...query, buffer: plain, start: 0, end: plain.length }));
  }

  #rowEvent(type: number, kind: RowEventKind, buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    if (!this.#isWanted(this.#transactions.begun(eventName(type)))) return undefined;
    const idBytes = tableIdBytes(this.#postHeader(type));
    const at = start + HEADER + idBytes + 2;
    if (at > end) throw protocolError(eventName(type), 'it is cut short');
    const id = buffer.readUIntLE(start + HEADER, idBytes);
    const table = this.#tables.get(id);
    if (table === null) return undefined;
    if (table === undefined) {
      if (id === NO_TABLE && (buffer[at - 2] & STATEMENT_END) !== 0) return undefined;
      throw protocolError(eventName(type), `its table ${id} was not described`);
    }
    return this.#decode(table, id, kind, readRowBody(type, kind, buffer, at, end));
  }

  #decode(table: TableVersion, id: number, kind: RowEventKind, body: RowBody): Promise<void> | undefined {
    const transaction = this.#transactions.begun('a row');
    const decoder = table.decoder(this.#context);
    const { change } = kind;
    const needsDefinition = change === ChangeKind.insert || (change === ChangeKind.update && this.#isMariadb);
    if (needsDefinition && !table.asked && decoder.lacks(body)) {
      return this.#tables.withDefinition(id, table).then((complete) => this.#decode(complete, id, kind, body));
    }
    this.#statements.rely(table, transaction);
    const rows = decoder.decode(change, kind.partial, body, this.#writer, transaction);
    this.#counts.add(
      change === ChangeKind.insert ? 'insert' : change === ChangeKind.update ? 'update' : 'delete',
      rows,
    );
    return this.#counts.total < COUNTED_ROWS ? undefined : this.#report();
  }

  #payload(buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    const bytes = this.#bytes(EventType.TRANSACTION_PAYLOAD, buffer, start, end);
    this.#transactions.within(bytes.name);
    const wait = unpack(
      readPayload(bytes),
      (inner, from, to) => this.#packed(inner, from, to),
      () => (this.#over || !this.#parts.sink.full ? undefined : this.#parts.sink.drained()),
    );
    if (wait !== undefined) return wait.then(() => this.#endPayload(bytes));
    this.#endPayload(bytes);
    return undefined;
  }

  #packed(buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    if (this.#over) return undefined;
    checkSize(buffer, start, end);
    const type = buffer[start + HeaderField.type];
    if (!PACKED.has(type) && rowEventKind(type) === undefined) {
      throw protocolError(eventName(EventType.TRANSACTION_PAYLOAD), `a ${eventName(type)} in it`);
    }
    return this.#event(type, buffer, start, end);
  }

  #endPayload(bytes: EventBytes): void {
    if (!this.#over && this.#transactions.open !== undefined) throw bytes.malformed('its transaction does not end');
  }

  #refuse(type: number, buffer: Buffer, start: number, end: number): void {
    if (type === EventType.INCIDENT) throw incident(this.#bytes(type, buffer, start, end));
    if (type === EventType.ANONYMOUS_GTID) throw anonymousTransaction();
    const ignorable = (buffer.readUInt16LE(start + HeaderField.flags) & HeaderFlag.ignorable) !== 0;
    if (!ignorable) throw unknownEvent(type, this.#format?.serverVersion ?? '');
    this.#parts.log.debug('passed over an event that may be ignored', { event: eventName(type) });
  }

  #bytes(type: number, buffer: Buffer, start: number, end: number): EventBytes {
    return new EventBytes(eventName(type), buffer, start + HEADER, end);
  }

  #postHeader(type: number): number {
    return this.#format?.postHeaders[type] ?? 0;
  }

  #isWanted({ start }: OpenTransaction): boolean {
    return start.prepares || this.#parts.preparedOnly !== true;
  }

  get #isMariadb(): boolean {
    return this.#parts.flavour === 'mariadb';
  }

  #reported(wait: Promise<void> | undefined): Promise<void> | undefined {
    return wait === undefined ? this.#report() : wait.then(() => this.#report());
  }

  #report(): undefined {
    this.#counts.report(this.#parts.metrics, this.#parts.tables.counted);
  }
}

/** An event must be as long as its header says. */
function checkSize(buffer: Buffer, start: number, end: number): void {
  const size = end - start < HEADER ? -1 : buffer.readUInt32LE(start + HeaderField.size);
  if (size !== end - start) {
    throw protocolError('an event', `${end - start} bytes came, and its header says ${size < 0 ? 'nothing' : size}`);
  }
}
