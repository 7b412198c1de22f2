import { encodeTuple } from '../../../src/changes/change-log.ts';
import { Lsn } from '../../../src/sources/postgres/lsn.ts';

const POSTGRES_EPOCH = 946_684_800_000_000n;

export function u8(value: number): Buffer {
  return Buffer.from([value]);
}

export function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

export function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

export function u64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(value);
  return buffer;
}

export function text(value: string): Buffer {
  return Buffer.concat([Buffer.from(value), u8(0)]);
}

function message(letter: string, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(letter), ...parts]);
}

/** `microseconds` since the Unix epoch, as PostgreSQL sends it. */
function time(microseconds: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt(microseconds) - POSTGRES_EPOCH);
  return buffer;
}

const lsn = (value: string): Buffer => u64(Lsn.parse(value).value);

/** A subtransaction id, which only messages of streamed transactions carry. */
const xid = (id: number | undefined): Buffer => (id === undefined ? Buffer.alloc(0) : u32(id));

export const COMMIT_TIME = 1_700_000_000_123_456;

export type Values = readonly (string | null | undefined)[];

export const begin = (final: string, at = COMMIT_TIME) => message('B', lsn(final), time(at), u32(7));

export const commit = (final: string, end: string) => message('C', u8(0), lsn(final), lsn(end), time(COMMIT_TIME));

export interface RelationParts {
  id: number;
  schema?: string;
  name: string;
  identity?: string;
  /** Columns of the replica identity start with an asterisk. */
  columns: readonly string[];
  xid?: number;
}

export const relation = ({ id, schema = 'public', name, identity = 'd', columns, xid: of }: RelationParts) =>
  message(
    'R',
    xid(of),
    u32(id),
    text(schema),
    text(name),
    Buffer.from(identity),
    u16(columns.length),
    ...columns.flatMap((column) => [
      u8(column.startsWith('*') ? 1 : 0),
      text(column.replace('*', '')),
      u32(25),
      u32(0xffffffff),
    ]),
  );

export const insert = (id: number, row: Values, of?: number) =>
  message('I', xid(of), u32(id), Buffer.from('N'), encodeTuple(row));

export const update = (id: number, row: Values, old?: { kind: 'K' | 'O'; row: Values }, of?: number) =>
  message(
    'U',
    xid(of),
    u32(id),
    ...(old === undefined ? [] : [Buffer.from(old.kind), encodeTuple(old.row)]),
    Buffer.from('N'),
    encodeTuple(row),
  );

export const remove = (id: number, kind: 'K' | 'O', row: Values, of?: number) =>
  message('D', xid(of), u32(id), Buffer.from(kind), encodeTuple(row));

export const truncate = (ids: readonly number[], of?: number) =>
  message('T', xid(of), u32(ids.length), u8(3), ...ids.map(u32));

export const origin = () => message('O', lsn('0/1'), text('elsewhere'));
export const type = () => message('Y', u32(9999), text('public'), text('mood'));
export const logical = () => message('M', u8(1), lsn('0/1'), text('prefix'), u32(2), Buffer.from('hi'));

export const streamStart = (id: number, first: boolean) => message('S', u32(id), u8(first ? 1 : 0));
export const streamStop = () => message('E');
export const streamCommit = (id: number, final: string, end: string) =>
  message('c', u32(id), u8(0), lsn(final), lsn(end), time(COMMIT_TIME));
export const streamAbort = (id: number, sub: number, parallel = false) =>
  message('A', u32(id), u32(sub), ...(parallel ? [lsn('0/1'), time(COMMIT_TIME)] : []));

/** Messages of two-phase commit, which are not asked for. */
export const twoPhase = ['b', 'P', 'K', 'r', 'p'].map((letter) => message(letter, Buffer.alloc(40)));
