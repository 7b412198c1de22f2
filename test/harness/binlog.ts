import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { parseMysqlConnectionString } from '../../src/config/mysql-connection.ts';
import { BinlogReader, type BinlogReaderParts } from '../../src/sources/mysql/binlog/binlog-reader.ts';
import { TableVersions } from '../../src/sources/mysql/binlog/table-versions.ts';
import { Charsets } from '../../src/sources/mysql/charsets.ts';
import { type Connection, connect } from '../../src/sources/mysql/connection.ts';
import type { Flavour } from '../../src/sources/mysql/flavour.ts';
import { PositionTracker } from '../../src/sources/mysql/positions.ts';
import type { MysqlServer } from '../servers/mysql.ts';
import { scratchDirectory } from '../servers/scratch.ts';
import { type Change, CollectingSink } from './collecting-sink.ts';
import { RecordingLogger } from './recording-logger.ts';

/** Bytes in front of the first event of a log file. */
const MAGIC = 4;
const SIZE = 9;
const CHECKSUM = 4;
const HEADER = 19;
const TABLE_ID = 6;
const FLAGS = 2;

export const FORMAT_DESCRIPTION = 15;

/** The events of a log file, header and checksum included: byte for byte what a server sends. */
export function eventsOf(file: Buffer): Buffer[] {
  const events: Buffer[] = [];
  for (let at = MAGIC; at < file.length; ) {
    const size = file.readUInt32LE(at + SIZE);
    events.push(file.subarray(at, at + size));
    at += size;
  }
  return events;
}

export function typeOf(event: Buffer): number {
  return event[4];
}

/** Where the rest of a rows event stands behind its table's number and flags. */
export function unsealedBody(event: Buffer): [buffer: Buffer, at: number, end: number] {
  return [event, HEADER + TABLE_ID + FLAGS, event.length - CHECKSUM];
}

/** The event with a checksum that is right. */
export function sealed(event: Buffer): Buffer {
  const copy = Buffer.from(event);
  copy.writeUInt32LE(crc32(copy.subarray(0, -CHECKSUM)), copy.length - CHECKSUM);
  return copy;
}

/** Events as the work on a connection leaves them in the log, in a log file of their own. */
export async function capture(
  server: MysqlServer,
  work: (connection: Awaited<ReturnType<MysqlServer['connect']>>) => Promise<void>,
  database?: string,
): Promise<Buffer[]> {
  await server.query('FLUSH BINARY LOGS');
  const connection = await server.connect(database);
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
  const file = newestLog(server);
  await server.query('FLUSH BINARY LOGS');
  return eventsOf(readFileSync(file));
}

function newestLog({ dataDir }: MysqlServer): string {
  const names = readdirSync(dataDir).filter((name) => /\.\d{6}$/.test(name));
  return path.join(dataDir, names.sort().at(-1) as string);
}

/** Opens connections as the source does. */
export function opener(server: MysqlServer): () => Promise<Connection> {
  const description = parseMysqlConnectionString(server.uri('mysql', { query: 'sslmode=disable' }), '--sourceConn', {});
  return () => connect(description);
}

/** A catalogue that knows no tables. */
export const NO_CATALOGUE: BinlogReaderParts['definitions'] = {
  get: () => undefined,
  read: () => Promise.resolve(undefined),
  invalidate: () => {},
};

/** A reader whose changes are collected. */
export class ReaderRig {
  readonly sink = new CollectingSink();
  readonly log = new RecordingLogger();
  readonly counts: Record<string, number> = {};
  readonly parts: BinlogReaderParts;
  reader: BinlogReader;

  constructor(flavour: Flavour, parts: Partial<BinlogReaderParts> = {}) {
    this.parts = {
      flavour,
      database: undefined,
      sink: this.sink,
      positions: new PositionTracker(flavour, undefined),
      definitions: NO_CATALOGUE,
      fetchMetadata: false,
      truncate: 'apply',
      values: { zeroDates: 'null' },
      spillDirectory: scratchDirectory('binlog'),
      tables: new TableVersions(),
      charsets: new Charsets(),
      log: this.log,
      gather: new Set(),
      metrics: {
        dialSuccess: () => {},
        dialFailure: () => {},
        mutation: (kind, count) => this.#count(kind, count),
        valueChanged: (what, count) => this.#count(what, count),
      },
      ...parts,
    };
    this.reader = new BinlogReader(this.parts);
  }

  async feed(events: readonly Buffer[]): Promise<this> {
    for (const event of events) {
      // As on a stream, where other bytes stand around an event.
      const framed = Buffer.concat([Buffer.alloc(3, 0xa5), event, Buffer.alloc(5, 0x5a)]);
      const wait = this.reader.feed(framed, 3, 3 + event.length);
      if (wait !== undefined) await wait;
      framed.fill(0xee);
    }
    await this.sink.read();
    return this;
  }

  /** The changes of all transactions, each behind its position. */
  get lines(): string[] {
    return this.sink.transactions.flatMap(({ changes, position, spilled }) => [
      `${position}${spilled ? ' (gathered)' : ''}`,
      ...changes.map((change) => `  ${changeText(change)}`),
    ]);
  }

  /** The changes alone. */
  get changes(): string[] {
    return this.sink.transactions.flatMap(({ changes }) => changes.map(changeText));
  }

  #count(what: string, count: number): void {
    this.counts[what] = (this.counts[what] ?? 0) + count;
  }
}

/** `update orders key [1,null] -> [2,"x"]`; `…` is what did not change. */
export function changeText({ kind, table, oldKind, old, new: values }: Change): string {
  const print = (tuple: Change['old']) =>
    `[${tuple?.map((value) => (value === undefined ? '…' : JSON.stringify(value))).join(', ')}]`;
  const parts = [kind, table.name];
  if (oldKind !== undefined) parts.push(oldKind, print(old));
  if (values !== undefined) parts.push(old === undefined ? print(values) : `-> ${print(values)}`);
  return parts.join(' ');
}
