import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TargetColumnFacts } from '../../../../src/changes/table.ts';
import { OperatorError } from '../../../../src/errors.ts';
import { Charsets } from '../../../../src/sources/mysql/charsets.ts';
import { type BinlogColumn, ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { columnDecoder, partialJsonDecoder } from '../../../../src/sources/mysql/values/column-decoder.ts';
import { valueSkipper } from '../../../../src/sources/mysql/values/layout.ts';
import { TupleWriter } from '../../../../src/changes/tuple-writer.ts';
import { column, prefixed, refusedWith, target } from './decode.ts';
import * as j from './json-encode.ts';

const charsets = new Charsets();
const members = Array.from({ length: 64 }, (_, i) => `m${i}`);
const document = j.jsonDocument({
  members: [
    ['a', j.int16(1)],
    ['bb', { cells: [j.string('long enough'), j.double(0.1, '0.1'), j.uint64(1n), { members: [] }] }],
    ['cc', j.opaque(246, Buffer.from('0e04810dfb38d204d2', 'hex'), '')],
    ['dd', j.opaque(12, Buffer.alloc(8, 1), '')],
  ],
});

/** Column, a value of it, and targets that make a difference. */
const SAMPLES: readonly [of: BinlogColumn, value: Buffer, targets?: readonly TargetColumnFacts[]][] = [
  [column(ColumnType.tiny), Buffer.from([5]), [target('bool')]],
  [column(ColumnType.short), Buffer.alloc(2, 1)],
  [column(ColumnType.int24), Buffer.alloc(3, 1)],
  [column(ColumnType.long), Buffer.alloc(4, 1)],
  [column(ColumnType.longlong), Buffer.alloc(8, 1), [target('bool')]],
  [column(ColumnType.float), Buffer.alloc(4, 65)],
  [column(ColumnType.double), Buffer.alloc(8, 65)],
  [column(ColumnType.newdecimal, { meta: (31 << 8) | 13 }), Buffer.alloc(14, 0x81)],
  [column(ColumnType.newdecimal, { meta: (9 << 8) | 9 }), Buffer.from('80000001', 'hex'), [target('int')]],
  [column(ColumnType.bit, { meta: 43 }), Buffer.alloc(6, 1), [target('int'), target('bytes')]],
  [column(ColumnType.year), Buffer.from([124])],
  [column(ColumnType.date), Buffer.from('42d10f', 'hex')],
  [column(ColumnType.datetime2, { meta: 5 }), Buffer.from('99b284c0c5010203', 'hex')],
  [column(ColumnType.timestamp2, { meta: 3 }), Buffer.from('65e0c0c50102', 'hex')],
  [column(ColumnType.time2, { meta: 6 }), Buffer.from('80c0c5010203', 'hex'), [target('time')]],
  [column(ColumnType.time), Buffer.alloc(3, 1)],
  [column(ColumnType.timestamp), Buffer.alloc(4, 1)],
  [column(ColumnType.datetime), Buffer.from('a6b3b54c68120000', 'hex')],
  [column(ColumnType.enum, { meta: 2, members }), Buffer.from([3, 0])],
  [
    column(ColumnType.set, { meta: 8, members }),
    Buffer.alloc(8, 3),
    [target('string', { array: true }), target('int')],
  ],
  [column(ColumnType.varchar, { meta: 100, charset: 'utf8mb4' }), prefixed(1, 'größe')],
  [column(ColumnType.varchar, { meta: 1000, charset: 'latin1' }), prefixed(2, 'abc'), [target('bytes')]],
  [column(ColumnType.blob, { meta: 3, charset: 'utf16' }), prefixed(3, Buffer.from('0061d83dde00', 'hex'))],
  [column(ColumnType.string, { meta: 20, charset: 'binary' }), prefixed(1, 'abc'), [target('uuid'), target('inet')]],
  [column(ColumnType.blob, { meta: 4, charset: 'binary' }), prefixed(4, 'abc'), [target('string'), target('bool')]],
  [column(ColumnType.blobCompressed, { meta: 2, charset: 'binary', flavour: 'mariadb' }), prefixed(2, '\0abc')],
  [column(ColumnType.json, { meta: 4 }), prefixed(4, document), [target('bytes')]],
  [column(ColumnType.geometry, { meta: 4 }), prefixed(4, Buffer.from('e61000000101000000aabb', 'hex'))],
  [column(ColumnType.vector, { meta: 4 }), prefixed(4, Buffer.alloc(12, 65))],
];

/** What comes of the bytes when they stand between others: text and end, or the error. Anything but an OperatorError is thrown. */
function outcome(of: BinlogColumn, facts: TargetColumnFacts | undefined, value: Buffer, around: number): string {
  const input = Buffer.concat([Buffer.alloc(32, around), value, Buffer.alloc(64, around)]);
  const out = new TupleWriter();
  try {
    const next = columnDecoder('t', of, facts, { zeroDates: 'keep' }, charsets)(input, 32, 32 + value.length, out);
    assert.ok(next <= 32 + value.length);
    assert.equal(valueSkipper(of)(input, 32, 32 + value.length), next);
    return `${next} ${out.buffer.toString('latin1', 0, out.length)}`;
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    assert.match(error.code, /^MYSQL_(PROTOCOL|TEXT_INVALID|DEFINITION_MISMATCH|TIME_RANGE)$/);
    return error.message;
  }
}

test('nothing is read outside of the value, whatever its bytes: what stands around it makes no difference', () => {
  for (const [of, sample, targets = []] of SAMPLES) {
    for (const facts of [undefined, ...targets]) {
      fc.assert(
        fc.property(
          fc.nat(sample.length),
          fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 4 }),
          (length, changes) => {
            const value = Buffer.from(sample);
            for (const [at, byte] of changes) value[at] = byte;
            const part = value.subarray(0, length);
            assert.equal(outcome(of, facts, part, 0), outcome(of, facts, part, 0xff));
          },
        ),
        { numRuns: of.type === ColumnType.json ? 3000 : 300 },
      );
    }
  }
});

test('a value that is cut anywhere is a malformed stream, told with the column', () => {
  for (const [of, sample] of SAMPLES) {
    for (let length = 0; length < sample.length; length++) {
      const input = Buffer.concat([sample.subarray(0, length), Buffer.alloc(40)]);
      const decoder = columnDecoder('shop.orders', of, undefined, { zeroDates: 'keep' }, charsets);
      assert.throws(
        () => decoder(input, 0, length, new TupleWriter()),
        refusedWith('MYSQL_PROTOCOL', /column note of shop\.orders.*are left/),
      );
      assert.throws(() => valueSkipper(of)(input, 0, length), refusedWith('MYSQL_PROTOCOL', /column note/));
    }
  }
});

test('diffs of JSON with any bytes raise nothing but named errors', () => {
  const decoder = partialJsonDecoder('t', column(ColumnType.json, { meta: 4 }), undefined);
  const before = prefixed(4, document);
  const path = Buffer.from('$.bb[0]');
  const value = j.jsonDocument({ cells: [j.string('new')] });
  const diff = Buffer.concat([Buffer.from([0, path.length]), path, prefixed(1, value)]);
  const sample = prefixed(4, Buffer.concat([diff, diff]));
  const run = (bytes: Buffer, around: number): string => {
    const input = Buffer.concat([bytes, Buffer.alloc(64, around)]);
    const out = new TupleWriter();
    try {
      decoder(before, 0, before.length, input, 0, bytes.length, out);
      return out.buffer.toString('latin1', 0, out.length);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      return error.message;
    }
  };
  assert.match(run(sample, 0), /"bb": \[\["new"\], 0\.1/);
  fc.assert(
    fc.property(
      fc.nat(sample.length),
      fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { maxLength: 3 }),
      (length, changes) => {
        const bytes = Buffer.from(sample);
        for (const [at, byte] of changes) bytes[at] = byte;
        assert.equal(run(bytes.subarray(0, length), 0), run(bytes.subarray(0, length), 0xff));
      },
    ),
    { numRuns: 2000 },
  );
});

test('metadata that no server writes is refused before it is trusted', () => {
  for (const [type, meta] of [
    [ColumnType.datetime2, 7],
    [ColumnType.newdecimal, (66 << 8) | 2],
    [ColumnType.newdecimal, (5 << 8) | 6],
    [ColumnType.bit, 65],
    [ColumnType.bit, 0],
    [ColumnType.blob, 5],
    [ColumnType.json, 0],
    [ColumnType.enum, 3],
    [ColumnType.set, 9],
  ]) {
    assert.throws(() => valueSkipper(column(type, { meta })), refusedWith('MYSQL_PROTOCOL', /metadata/));
  }
});
