import type { EventBytes } from './event-bytes.ts';

/**
 * Numbers of MySQL's serialization library: the ones at the low end of the first byte tell how many bytes follow it; the
 * number, little-endian, stands above them and a zero.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/PageLibsMysqlSerialization.html
 */
export function readVarint(bytes: EventBytes): number {
  const first = bytes.uint8();
  if ((first & 1) === 0) return first >>> 1;
  if ((first & 2) === 0) return (first >>> 2) + bytes.uint8() * 64;
  const value = wide(bytes, first);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bytes.malformed(`the number ${value}`);
  return Number(value);
}

/** The same for numbers of up to 64 bits. */
export function readWideVarint(bytes: EventBytes): bigint {
  return wide(bytes, bytes.uint8());
}

/** The signed number that `value` stands for: its lowest bit is the sign. */
export function unzigzag(value: bigint): bigint {
  return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
}

function wide(bytes: EventBytes, first: number): bigint {
  let more = 0;
  while (more < 8 && (first >>> more) & 1) more++;
  let value = 0n;
  const at = bytes.skip(more);
  for (let i = more - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes.buffer[at + i]);
  return more >= 7 ? value : (value << BigInt(7 - more)) | BigInt(first >>> (more + 1));
}
