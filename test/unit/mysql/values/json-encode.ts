/**
 * MySQL's binary JSON, written from its description: containers of 16- or 32-bit offsets, small scalars in the offset's place.
 */
export type Json =
  | { readonly raw: Buffer; readonly type: number; readonly text: string }
  | { readonly members: readonly (readonly [string, Json])[] }
  | { readonly cells: readonly Json[] };

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}

function number(type: number, size: number, write: (bytes: Buffer) => void, text: string): Json {
  const raw = Buffer.alloc(size);
  write(raw);
  return { raw, type, text };
}

export const literal = (value: null | boolean): Json => ({
  raw: Buffer.from([value === null ? 0 : value ? 1 : 2]),
  type: 4,
  text: String(value),
});
export const int16 = (value: number): Json => number(5, 2, (bytes) => bytes.writeInt16LE(value), String(value));
export const uint16 = (value: number): Json => number(6, 2, (bytes) => bytes.writeUInt16LE(value), String(value));
export const int32 = (value: number): Json => number(7, 4, (bytes) => bytes.writeInt32LE(value), String(value));
export const uint32 = (value: number): Json => number(8, 4, (bytes) => bytes.writeUInt32LE(value), String(value));
export const int64 = (value: bigint): Json => number(9, 8, (bytes) => bytes.writeBigInt64LE(value), String(value));
export const uint64 = (value: bigint): Json => number(10, 8, (bytes) => bytes.writeBigUInt64LE(value), String(value));
export const double = (value: number, text: string): Json => number(11, 8, (bytes) => bytes.writeDoubleLE(value), text);
export const string = (value: string): Json => ({
  raw: Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)]),
  type: 12,
  text: JSON.stringify(value),
});
export const opaque = (type: number, bytes: Buffer, text: string): Json => ({
  raw: Buffer.concat([Buffer.from([type]), varint(bytes.length), bytes]),
  type: 15,
  text,
});

/** The text that the server shows. */
export function jsonText(value: Json): string {
  if ('text' in value) return value.text;
  if ('cells' in value) return `[${value.cells.map(jsonText).join(', ')}]`;
  return `{${value.members.map(([key, member]) => `${JSON.stringify(key)}: ${jsonText(member)}`).join(', ')}}`;
}

/** A document, its type in front. */
export function jsonDocument(value: Json): Buffer {
  const { type, body } = encoded(value);
  return Buffer.concat([Buffer.from([type]), body]);
}

function encoded(value: Json): { type: number; body: Buffer } {
  if ('raw' in value) return { type: value.type, body: value.raw };
  const small = container(value, 2);
  if (small.length <= 0xffff) return { type: 'members' in value ? 0 : 2, body: small };
  return { type: 'members' in value ? 1 : 3, body: container(value, 4) };
}

function container(value: Exclude<Json, { raw: Buffer }>, width: 2 | 4): Buffer {
  const members = 'members' in value ? value.members : undefined;
  const parts = 'members' in value ? value.members.map(([, member]) => member) : value.cells;
  const keys = (members ?? []).map(([key]) => Buffer.from(key));
  let offset = width * 2 + keys.length * (width + 2) + parts.length * (width + 1);
  const head: Buffer[] = [];
  const tail: Buffer[] = [];
  const put = (number: number, bytes: number): Buffer => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeUIntLE(number % 256 ** bytes, 0, bytes);
    return buffer;
  };
  for (const key of keys) {
    head.push(put(offset, width), put(key.length, 2));
    tail.push(key);
    offset += key.length;
  }
  for (const part of parts) {
    const { type, body } = encoded(part);
    const inlined = type >= 4 && type <= (width === 4 ? 8 : 6);
    head.push(Buffer.from([type]), inlined ? Buffer.concat([body, Buffer.alloc(width)], width) : put(offset, width));
    if (inlined) continue;
    tail.push(body);
    offset += body.length;
  }
  return Buffer.concat([put(parts.length, width), put(offset, width), ...head, ...tail]);
}
