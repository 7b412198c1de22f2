import { ChangeKind, type ChangeLog, OldTuple } from '../../changes/change-log.ts';
import type { SourceTable } from '../../changes/table.ts';
import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { ChangeSink } from '../source.ts';
import { Lsn } from './lsn.ts';
import { MessageReader } from './message-reader.ts';
import type { PostgresMetrics } from './metrics.ts';
import { Message, NEW_TUPLE } from './message-types.ts';
import { messageName, protocolError } from './protocol-error.ts';
import { type Relations, readRelation } from './relations.ts';
import { type StreamedTransaction, StreamedTransactions } from './streamed-transactions.ts';
import { TupleChecker } from './tuple.ts';

/** What to do when a published table is truncated. */
export type TruncatePolicy = 'apply' | 'ignore' | 'error';

export interface DecoderOptions {
  readonly truncate: TruncatePolicy;
  /** Where transactions that are still open are gathered. */
  readonly spillDirectory: string;
  readonly log: Logger;
  readonly metrics?: PostgresMetrics;
}

/** Bytes of a Stream Abort message without and with the position and time that parallel streaming adds. */
const STREAM_ABORT_LENGTH = 9;
const STREAM_ABORT_PARALLEL_LENGTH = 25;

/**
 * Turns the messages of the pgoutput plugin, protocol versions 1 to 4, into calls of a ChangeSink. One decoder serves one
 * stream: it holds what is open on it.
 *
 * Rows are checked and copied, never decoded. A message that is malformed or out of place raises OperatorError PG_PROTOCOL;
 * after any error the decoder must not be used again, except for `discard`.
 *
 * @see https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export class PgoutputDecoder {
  readonly #relations: Relations;
  readonly #sink: ChangeSink;
  readonly #options: DecoderOptions;
  readonly #streamed: StreamedTransactions;
  readonly #reader = new MessageReader();
  readonly #tuples = new TupleChecker();
  readonly #counts = { insert: 0, update: 0, delete: 0, truncate: 0 };

  /** Everything that committed before it is on the target already. */
  readonly #checkpoint: bigint;
  /** Newest position that was delivered: reports to the sink never go back. */
  #delivered: bigint;

  /** Between Begin and Commit. */
  #open = false;
  /** The open transaction was applied before: its rows are passed over. */
  #skipping = false;
  /** The sink knows of the open transaction: it is told at the first change, since most transactions may be empty. */
  #begun = false;
  #commitTime = 0;
  #finalLsn = 0n;
  /** Between Stream Start and Stream Stop. */
  #block: StreamedTransaction | undefined;

  constructor(relations: Relations, sink: ChangeSink, checkpoint: Lsn | undefined, options: DecoderOptions) {
    this.#relations = relations;
    this.#sink = sink;
    this.#options = options;
    this.#checkpoint = checkpoint?.value ?? 0n;
    this.#delivered = this.#checkpoint;
    this.#streamed = new StreamedTransactions(options.spillDirectory);
    relations.startStream();
  }

  /** Decodes the one message that stands in [start, end) of `buffer`. Keeps no reference to the buffer. */
  decode(buffer: Buffer, start: number, end: number): void {
    if (start >= end) throw protocolError('of no bytes', 0, 'a type is missing');
    const type = buffer[start];
    if (type === Message.insert || type === Message.update || type === Message.delete) {
      this.#row(type, buffer, start, end);
    } else {
      this.#reader.open(buffer, start, end);
      this.#control(type, this.#reader);
    }
  }

  /**
   * The server says that it has sent everything that committed before `position`. Moves the sink's position on, unless a
   * transaction is just being sent.
   */
  keepalive(position: bigint): void {
    if (this.#open || this.#block !== undefined) return;
    this.#progress(position);
  }

  /** Deletes what was gathered for transactions that did not end. */
  discard(): void {
    this.#streamed.discardAll();
  }

  #row(kind: ChangeKind, buffer: Buffer, start: number, end: number): void {
    const block = this.#block;
    let at = start + 1;
    let subtransaction = 0;
    if (block !== undefined) {
      if (at + 4 > end) throw rowError(buffer, start, at, 'it is cut short');
      subtransaction = buffer.readUInt32BE(at);
      at += 4;
    } else if (!this.#open) {
      throw rowError(buffer, start, at, 'it belongs to no transaction');
    } else if (this.#skipping) {
      return;
    }
    if (at + 5 > end) throw rowError(buffer, start, at, 'it is cut short');
    const table = this.#table(buffer.readUInt32BE(at));
    if (table === undefined) {
      throw rowError(buffer, start, at, `relation ${buffer.readUInt32BE(at)} was not described`);
    }
    const columns = table.columns.length;
    let marker = buffer[at + 4];
    at += 5;

    let old: OldTuple = OldTuple.none;
    let oldStart = 0;
    let oldEnd = 0;
    if (kind !== ChangeKind.insert && (marker === OldTuple.key || marker === OldTuple.full)) {
      old = marker;
      oldStart = at;
      at = this.#tuples.tupleEnd(buffer, start, at, end, columns);
      oldEnd = at;
      if (kind === ChangeKind.update) {
        if (at >= end) throw rowError(buffer, start, at, 'the new row is missing');
        marker = buffer[at++];
      }
    } else if (kind === ChangeKind.delete) {
      throw rowError(buffer, start, at - 1, 'the old row is missing');
    }
    let newStart = 0;
    let newEnd = 0;
    if (kind !== ChangeKind.delete) {
      if (marker !== NEW_TUPLE) throw rowError(buffer, start, at - 1, 'the new row is missing');
      newStart = at;
      at = this.#tuples.tupleEnd(buffer, start, at, end, columns);
      newEnd = at;
    }
    if (at !== end) throw rowError(buffer, start, at, `${end - at} bytes too many`);
    if (kind !== ChangeKind.insert) checkIdentity(table, kind, old);

    const changes = this.#changes(block, subtransaction);
    changes.append(kind, table, old, buffer, oldStart, oldEnd, newStart, newEnd);
    if (block === undefined) this.#sink.entryAppended();
    if (kind === ChangeKind.insert) this.#counts.insert++;
    else if (kind === ChangeKind.update) this.#counts.update++;
    else this.#counts.delete++;
  }

  #control(type: number, reader: MessageReader): void {
    switch (type) {
      case Message.begin:
        this.#begin(reader);
        break;
      case Message.commit:
        this.#commit(reader);
        break;
      case Message.relation:
        this.#relation(reader);
        break;
      case Message.truncate:
        this.#truncate(reader);
        break;
      case Message.streamStart:
        this.#streamStart(reader);
        break;
      case Message.streamStop:
        this.#streamStop(reader);
        break;
      case Message.streamCommit:
        this.#streamCommit(reader);
        break;
      case Message.streamAbort:
        this.#streamAbort(reader);
        break;
      case Message.origin:
      case Message.type:
      case Message.message:
        break; // says nothing about a row
      case Message.beginPrepare:
      case Message.prepare:
      case Message.commitPrepared:
      case Message.rollbackPrepared:
      case Message.streamPrepare:
        throw new OperatorError(
          'PG_TWO_PHASE',
          `the source sends prepared transactions (message ${messageName(type)}), which was not asked for; nothing of them was applied`,
          { fix: 'Create the replication slot without two_phase.' },
        );
      default:
        throw protocolError(messageName(type), 0, 'its type is unknown');
    }
  }

  #begin(reader: MessageReader): void {
    if (this.#open || this.#block !== undefined) throw reader.malformed('another transaction is open');
    this.#finalLsn = reader.uint64();
    this.#commitTime = reader.timestamp();
    reader.skip(4); // transaction id
    reader.finish();
    this.#open = true;
    this.#begun = false;
    this.#skipping = this.#finalLsn < this.#checkpoint;
  }

  #commit(reader: MessageReader): void {
    if (!this.#open) throw reader.malformed('no transaction is open');
    const { commitLsn, endLsn } = readCommit(reader);
    if (commitLsn !== this.#finalLsn) throw reader.malformed('it ends another transaction than the one that is open');
    this.#open = false;
    if (this.#begun) {
      this.#advance(endLsn, reader);
      this.#sink.commit(new Lsn(endLsn));
      this.#report();
    } else if (!this.#skipping) {
      this.#options.metrics?.emptyTransaction();
      this.#progress(endLsn);
    }
  }

  #relation(reader: MessageReader): void {
    if (this.#block !== undefined) reader.skip(4); // subtransaction
    const { relation, table } = readRelation(reader, this.#relations.types);
    const known = this.#relations.intern(relation, table);
    if (this.#block !== undefined) this.#block.relations.set(relation, known);
    else this.#relations.set(relation, known);
  }

  #truncate(reader: MessageReader): void {
    const block = this.#block;
    const subtransaction = block === undefined ? 0 : reader.uint32();
    if (block === undefined && !this.#open) throw reader.malformed('it belongs to no transaction');
    const count = reader.uint32();
    reader.skip(1); // CASCADE, RESTART IDENTITY: every truncated table is listed, and sequences are not replicated
    const tables: SourceTable[] = [];
    for (let i = 0; i < count; i++) {
      const relation = reader.uint32();
      const table = this.#table(relation);
      if (table === undefined) throw reader.malformed(`relation ${relation} was not described`);
      tables.push(table);
    }
    reader.finish();
    if (block === undefined && this.#skipping) return;
    for (const table of tables) {
      if (this.#options.truncate === 'apply') {
        this.#changes(block, subtransaction).appendTruncate(table);
        if (block === undefined) this.#sink.entryAppended();
        this.#counts.truncate++;
      } else if (this.#options.truncate === 'ignore') {
        this.#options.log.warn('TRUNCATE ignored; the target keeps its rows', {
          ...tableFields(table),
          code: 'TRUNCATE_IGNORED',
        });
      } else if (block === undefined) {
        throw truncateRefused(table);
      } else {
        block.refusedTruncates.set(subtransaction, table);
      }
    }
  }

  #streamStart(reader: MessageReader): void {
    if (this.#open || this.#block !== undefined) throw reader.malformed('another transaction is open');
    const id = reader.uint32();
    const first = reader.uint8();
    reader.finish();
    const known = this.#streamed.get(id);
    if ((first === 1) !== (known === undefined)) {
      throw reader.malformed(`transaction ${id} ${known === undefined ? 'goes on but never began' : 'begins twice'}`);
    }
    if (known === undefined) {
      this.#options.log.debug('gathering a large open transaction on disk', { transaction: id });
    }
    this.#block = known ?? this.#startStreamed(id);
  }

  #startStreamed(id: number): StreamedTransaction {
    const transaction = this.#streamed.start(id);
    this.#sink.spillStarted(transaction.spilled);
    return transaction;
  }

  #streamStop(reader: MessageReader): void {
    if (this.#block === undefined) throw reader.malformed('no block of a transaction is open');
    reader.finish();
    this.#block.spilled.settle();
    this.#block = undefined;
    this.#report();
  }

  #streamCommit(reader: MessageReader): void {
    if (this.#open || this.#block !== undefined) throw reader.malformed('another transaction is open');
    const id = reader.uint32();
    const { commitLsn, endLsn, commitTime } = readCommit(reader);
    const transaction = this.#streamed.get(id);
    if (transaction === undefined) throw reader.malformed(`transaction ${id} never began`);
    for (const [relation, table] of transaction.relations) this.#relations.set(relation, table);
    if (commitLsn < this.#checkpoint) {
      this.#streamed.abort(id, id);
      return;
    }
    for (const table of transaction.refusedTruncates.values()) throw truncateRefused(table);
    if (transaction.spilled.count === 0) {
      this.#streamed.abort(id, id);
      this.#options.metrics?.emptyTransaction();
      this.#progress(endLsn);
    } else {
      this.#advance(endLsn, reader);
      this.#streamed.release(id);
      this.#sink.commitSpilled(transaction.spilled, commitTime, new Lsn(endLsn));
    }
  }

  #streamAbort(reader: MessageReader): void {
    if (this.#open || this.#block !== undefined) throw reader.malformed('another transaction is open');
    const id = reader.uint32();
    const subtransaction = reader.uint32();
    const length = reader.end - reader.start;
    if (length !== STREAM_ABORT_LENGTH && length !== STREAM_ABORT_PARALLEL_LENGTH) {
      throw reader.malformed(`its length is ${length} bytes`);
    }
    this.#streamed.abort(id, subtransaction);
  }

  #table(relation: number): SourceTable | undefined {
    return this.#block?.relations.get(relation) ?? this.#relations.get(relation);
  }

  /** The log that takes the next change. */
  #changes(block: StreamedTransaction | undefined, subtransaction: number): ChangeLog {
    if (block !== undefined) return block.spilled.changesOf(subtransaction);
    if (!this.#begun) {
      this.#begun = true;
      this.#sink.begin(this.#commitTime);
    }
    return this.#sink.changes;
  }

  /** Transactions come in the order of their commits: one that goes back would move the checkpoint over others. */
  #advance(position: bigint, reader: MessageReader): void {
    if (position <= this.#delivered) throw reader.malformed('it ends before what was committed earlier');
    this.#delivered = position;
  }

  #progress(position: bigint): void {
    if (position <= this.#delivered) return;
    this.#delivered = position;
    this.#sink.progress(new Lsn(position));
  }

  /** Adds what was counted since the last report to the metrics. */
  #report(): void {
    const { metrics } = this.#options;
    const counts = this.#counts;
    if (counts.insert > 0) metrics?.mutation('insert', counts.insert);
    if (counts.update > 0) metrics?.mutation('update', counts.update);
    if (counts.delete > 0) metrics?.mutation('delete', counts.delete);
    if (counts.truncate > 0) metrics?.mutation('truncate', counts.truncate);
    if (this.#tuples.unchanged > 0) metrics?.unchangedToast(this.#tuples.unchanged);
    counts.insert = counts.update = counts.delete = counts.truncate = 0;
    this.#tuples.unchanged = 0;
  }
}

/** The fields that Commit and Stream Commit share, up to the message's end. */
function readCommit(reader: MessageReader): { commitLsn: bigint; endLsn: bigint; commitTime: number } {
  reader.skip(1); // flags, unused
  const commitLsn = reader.uint64();
  const endLsn = reader.uint64();
  const commitTime = reader.timestamp();
  reader.finish();
  if (endLsn <= commitLsn) throw reader.malformed('it ends before it starts');
  return { commitLsn, endLsn, commitTime };
}

/**
 * The old row must say which row is meant. It may not when partitions have another replica identity than the
 * partitioned table as which they are published.
 */
function checkIdentity(table: SourceTable, kind: ChangeKind, old: OldTuple): void {
  const usable = table.identity === 'key' || (table.identity === 'full' && old === OldTuple.full);
  if (usable) return;
  const name = `${table.schema}.${table.name}`;
  throw new OperatorError(
    'PG_REPLICA_IDENTITY',
    `${kind === ChangeKind.delete ? 'a DELETE' : 'an UPDATE'} of ${name} does not say which row it is about; it was not applied`,
    { fix: `Give ${name} and all its partitions the same replica identity, then create the replication slot anew.` },
  );
}

function rowError(buffer: Buffer, start: number, at: number, problem: string): OperatorError {
  return protocolError(messageName(buffer[start]), at - start, problem);
}

function truncateRefused(table: SourceTable): OperatorError {
  return new OperatorError(
    'PG_TRUNCATE',
    `${table.schema}.${table.name} was truncated at the source and --truncate is error; the transaction was not applied`,
    { fix: 'Start with --truncate apply to empty the target table too, or with --truncate ignore to keep its rows.' },
  );
}

function tableFields(table: SourceTable): { schema: string; table: string } {
  return { schema: table.schema, table: table.name };
}
