import { decodeTuple } from '../../../../src/changes/change-log.ts';
import type { TargetColumnFacts, TargetKind } from '../../../../src/changes/table.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { Charsets } from '../../../../src/sources/mysql/charsets.ts';
import type { BinlogColumn, ValueOptions } from '../../../../src/sources/mysql/values/column.ts';
import { columnDecoder } from '../../../../src/sources/mysql/values/column-decoder.ts';
import { valueSkipper } from '../../../../src/sources/mysql/values/layout.ts';
import { TupleWriter } from '../../../../src/changes/tuple-writer.ts';

export function column(type: number, more: Partial<BinlogColumn> = {}): BinlogColumn {
  return {
    name: 'note',
    type,
    meta: 0,
    unsigned: false,
    charset: undefined,
    members: undefined,
    nullable: true,
    declared: undefined,
    flavour: 'mysql',
    ...more,
  };
}

export function target(kind: TargetKind, more: Partial<TargetColumnFacts> = {}): TargetColumnFacts {
  return { kind, array: false, nullable: true, ...more };
}

export interface DecodeParts {
  readonly target?: TargetColumnFacts;
  readonly options?: Partial<ValueOptions>;
  readonly charsets?: Charsets;
}

/**
 * The text of a value (null for NULL). It stands between other bytes, must be read to its very end, and the skipper must
 * agree on where that is.
 */
export function decode(of: BinlogColumn, value: Buffer, parts: DecodeParts = {}): string | null | undefined {
  const { target: facts, options, charsets = new Charsets() } = parts;
  const decoder = columnDecoder('shop.orders', of, facts, { zeroDates: 'null', ...options }, charsets);
  const input = Buffer.concat([Buffer.alloc(7, 0xa5), value, Buffer.alloc(9, 0x5a)]);
  const out = new TupleWriter();
  out.begin(1);
  const end = 7 + value.length;
  const next = decoder(input, 7, end, out);
  if (next !== end) throw new Error(`read up to ${next}, and the value ends at ${end}`);
  if (valueSkipper(of)(input, 7, end) !== end) throw new Error('the skipper ends elsewhere');
  return decodeTuple(out.buffer.subarray(0, out.length), 0)[0];
}

export function prefixed(bytes: number, value: Buffer | string): Buffer {
  const body = Buffer.from(value);
  const length = Buffer.alloc(bytes);
  length.writeUIntLE(body.length, 0, bytes);
  return Buffer.concat([length, body]);
}

export function refusedWith(code: string, pattern = /./): (error: unknown) => boolean {
  return (error) => error instanceof OperatorError && error.code === code && pattern.test(error.message);
}
