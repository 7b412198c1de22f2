import { MESSAGE } from './messages.ts';
import type { Reader, Writer } from './wire.ts';

const UTF8 = 873;
const AL16UTF16 = 2000;

/** The field version in which a client writes a fast authentication, before it knows the server's. */
const FAST_AUTH_FIELDS = 13;

export function readProtocol(r: Reader): void {
  r.skip(2);
  while (r.u8() !== 0);
}

export function writeProtocol(w: Writer, fieldVersion: number): void {
  w.u8(MESSAGE.PROTOCOL).u8(6).u8(0).raw(Buffer.from('x86_64/Linux 2.4.xx\0')).u16le(UTF8).u8(1).u16le(0);
  w.u16be(11).zeros(9).u16be(AL16UTF16);
  const compile = Buffer.alloc(53);
  compile[7] = fieldVersion;
  // Byte 6 without its flag 4: a VARCHAR2 has 4000 bytes at most.
  const runtime = Buffer.alloc(13);
  runtime[0] = 2;
  runtime[1] = 1;
  w.bytes(compile).bytes(runtime);
}

export interface Agreed {
  readonly fieldVersion: number;
  /** Whether the client wants the time zone's details in the answer. */
  readonly zone: boolean;
}

export function readDataTypes(r: Reader, ours: number): Agreed {
  r.skip(5);
  const theirs = r.bytes()?.[7] ?? 0;
  const zone = r.bytes()?.[1] === 1;
  if (zone) r.skip(11);
  while (r.u16be() !== 0) if (r.u16be() !== 0) r.skip(4);
  return { fieldVersion: theirs === FAST_AUTH_FIELDS ? ours : Math.min(theirs, ours), zone };
}

export function writeDataTypes(w: Writer, { zone }: Agreed): void {
  w.u8(MESSAGE.DATA_TYPES);
  if (zone) w.raw(Buffer.from([0x80, 0, 0, 0, 60, 60, 60, 0x80, 0, 0, 0]));
  w.u16be(0);
}

/** Reads all of a fast authentication but its logon call; returns that call's function. */
export function readFastAuth(r: Reader, ours: number): { agreed: Agreed; call: number } {
  const expect = (type: number) => {
    if (r.u8() !== type) throw new TypeError('a fast authentication of an unknown form');
  };
  r.skip(3);
  expect(MESSAGE.PROTOCOL);
  readProtocol(r);
  r.skip(5);
  const fields = r.u8();
  expect(MESSAGE.DATA_TYPES);
  const agreed = readDataTypes(r, ours);
  expect(MESSAGE.FUNCTION);
  const call = r.u8();
  r.u8();
  if (fields >= 18) r.integer();
  return { agreed, call };
}

/** The settings of an `ALTER SESSION SET a = 'x' b = 'y'`, names in upper case; null when it is none. */
export function parseAlterSession(sql: string): [name: string, value: string][] | null {
  const head = /^\s*ALTER\s+SESSION\s+SET\s+/i.exec(sql);
  if (head === null) return null;
  const pair = /([A-Za-z_][\w$#]*)\s*=\s*(?:'((?:[^']|'')*)'|"([^"]*)"|([^\s'"]+))\s*/y;
  const settings: [string, string][] = [];
  pair.lastIndex = head[0].length;
  while (pair.lastIndex < sql.length) {
    const found = pair.exec(sql);
    if (found === null) return null;
    const [, name, quoted, identifier, plain] = found;
    settings.push([name.toUpperCase(), quoted?.replaceAll("''", "'") ?? identifier ?? plain]);
  }
  return settings.length > 0 ? settings : null;
}
