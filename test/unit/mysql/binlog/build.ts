import { sealed } from '../../../harness/binlog.ts';

/** An event with a checksum that is right. */
export function event(type: number, body: Buffer, { flags = 0, timestamp = 1_700_000_000, server = 1 } = {}): Buffer {
  const made = Buffer.alloc(19 + body.length + 4);
  made.writeUInt32LE(timestamp, 0);
  made[4] = type;
  made.writeUInt32LE(server, 5);
  made.writeUInt32LE(made.length, 9);
  made.writeUInt16LE(flags, 17);
  body.copy(made, 19);
  return sealed(made);
}

/** The same event without a checksum, as in a log that has none. */
export function unsealed(sealedEvent: Buffer): Buffer {
  const made = Buffer.from(sealedEvent.subarray(0, -4));
  made.writeUInt32LE(made.length, 9);
  return made;
}

export function query(
  sql: string,
  { database = 'shop', variables = Buffer.alloc(0) }: { database?: string; variables?: Buffer } = {},
): Buffer {
  const head = Buffer.alloc(13);
  head[8] = Buffer.byteLength(database);
  head.writeUInt16LE(variables.length, 11);
  return event(2, Buffer.concat([head, variables, Buffer.from(`${database}\0${sql}`)]));
}

/** Status variable 12: the databases in which a statement changes something. */
export function changedDatabases(...names: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from([12, names.length]), Buffer.from(names.map((name) => `${name}\0`).join(''))]);
}

/** A GTID event of MySQL, with no more than MySQL 5.7 has in it. */
export function gtid(number: number, uuid = '00112233445566778899aabbccddeeff'): Buffer {
  const body = Buffer.alloc(1 + 16 + 8 + 17);
  Buffer.from(uuid, 'hex').copy(body, 1);
  body.writeBigUInt64LE(BigInt(number), 17);
  body[25] = 2;
  return event(33, body);
}

export const XID = event(16, Buffer.from('0700000000000000', 'hex'));
