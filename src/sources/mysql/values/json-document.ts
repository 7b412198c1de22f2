import { malformedValue } from './value-errors.ts';

/** Types of values in MySQL's binary JSON. */
export const JsonType = {
  smallObject: 0,
  largeObject: 1,
  smallArray: 2,
  largeArray: 3,
  literal: 4,
  int16: 5,
  uint16: 6,
  int32: 7,
  uint32: 8,
  int64: 9,
  uint64: 10,
  double: 11,
  string: 12,
  opaque: 15,
} as const;

/** Levels that a document may have; the server itself stops at 100. */
export const DEEPEST = 128;

/** A value in a binary document: its type, and the range in which its data lies. */
export interface JsonValue {
  readonly type: number;
  readonly at: number;
  readonly end: number;
}

/** Where the parts of an object or array stand. */
export interface JsonContainer {
  readonly count: number;
  readonly object: boolean;
  /** Bytes of an offset: 2, or 4 in large containers. */
  readonly width: 2 | 4;
  /** Offset of the container itself, from which others are counted. */
  readonly at: number;
  readonly end: number;
  /** Offset of the list of values. */
  readonly values: number;
}

export function isContainer(type: number): boolean {
  return type <= JsonType.largeArray;
}

/** Reads the head of an object or array; all of its lists lie within its range. */
export function readContainer(where: string, input: Buffer, type: number, at: number, end: number): JsonContainer {
  const width = type === JsonType.largeObject || type === JsonType.largeArray ? 4 : 2;
  const object = type <= JsonType.largeObject;
  if (at + width * 2 > end) throw malformedValue(where, 'a JSON container without a head');
  const count = readOffset(input, at, width);
  const size = readOffset(input, at + width, width);
  const values = at + width * 2 + (object ? count * (width + 2) : 0);
  if (size > end - at || values + count * (width + 1) > at + size) {
    throw malformedValue(where, 'a JSON container longer than its document');
  }
  return { count, object, width, at, end: at + size, values };
}

/** Offset of the i-th key's bytes; their number is `keyLength`. */
export function keyOffset(where: string, input: Buffer, container: JsonContainer, i: number): number {
  const entry = container.at + container.width * 2 + i * (container.width + 2);
  const at = container.at + readOffset(input, entry, container.width);
  if (at + keyLength(input, container, i) > container.end) throw malformedValue(where, 'a JSON key beyond its object');
  return at;
}

export function keyLength(input: Buffer, container: JsonContainer, i: number): number {
  const entry = container.at + container.width * 2 + i * (container.width + 2) + container.width;
  return input[entry] | (input[entry + 1] << 8);
}

/** Type of the i-th value. */
export function valueType(input: Buffer, container: JsonContainer, i: number): number {
  return input[container.values + i * (container.width + 1)];
}

/** Offset of the i-th value's data, which stand in the list itself when they are small. */
export function valueOffset(where: string, input: Buffer, container: JsonContainer, i: number): number {
  const entry = container.values + i * (container.width + 1);
  const type = input[entry];
  const inlined = type >= JsonType.literal && type <= (container.width === 4 ? JsonType.uint32 : JsonType.uint16);
  if (inlined) return entry + 1;
  const offset = readOffset(input, entry + 1, container.width);
  if (offset >= container.end - container.at) throw malformedValue(where, 'a JSON value beyond its container');
  return container.at + offset;
}

function readOffset(input: Buffer, at: number, width: 2 | 4): number {
  return width === 2 ? input[at] | (input[at + 1] << 8) : input.readUInt32LE(at);
}
