import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventBytes } from '../../../../src/sources/mysql/binlog/event-bytes.ts';
import { GtidReader } from '../../../../src/sources/mysql/binlog/gtid-events.ts';
import { Savepoints } from '../../../../src/sources/mysql/binlog/savepoints.ts';
import { readVarint, readWideVarint, unzigzag } from '../../../../src/sources/mysql/binlog/varint.ts';
import { OperatorError } from '../../../../src/errors.ts';

const bytesOf = (buffer: Buffer) => new EventBytes('TEST', buffer, 0, buffer.length);

/** A number as MySQL's serialization library writes it. */
function varint(value: bigint): Buffer {
  let more = 0;
  while (more < 8 && value >= 1n << BigInt(7 * (more + 1))) more++;
  const ones = (1n << BigInt(more)) - 1n;
  const whole = more === 8 ? (value << 8n) | 0xffn : (value << BigInt(more + 1)) | ones;
  const buffer = Buffer.alloc(more + 1);
  for (let i = 0, rest = whole; i <= more; i++, rest >>= 8n) buffer[i] = Number(rest & 0xffn);
  return buffer;
}

test('varints of all lengths', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.nat(70).map((bits) => 2n ** BigInt(Math.min(bits, 64)) - 1n),
      ),
      (value) => {
        const encoded = varint(value);
        assert.equal(readWideVarint(bytesOf(encoded)), value);
        if (value <= BigInt(Number.MAX_SAFE_INTEGER)) assert.equal(readVarint(bytesOf(encoded)), Number(value));
        else assert.throws(() => readVarint(bytesOf(encoded)), OperatorError);
        assert.throws(() => readWideVarint(bytesOf(encoded.subarray(0, -1))), OperatorError);
      },
    ),
  );
  assert.equal(unzigzag(0n), 0n);
  assert.equal(unzigzag(1n), -1n);
  assert.equal(unzigzag(2n), 1n);
  assert.equal(unzigzag(2n ** 64n - 1n), -(2n ** 63n));
});

test('length-encoded integers, and no byte beyond the end', () => {
  for (const [bytes, value] of [
    [[0xfa], 0xfa],
    [[0xfc, 1, 2], 0x201],
    [[0xfd, 1, 2, 3], 0x30201],
    [[0xfe, 1, 0, 0, 0, 1, 0, 0, 0], 2 ** 32 + 1],
  ] as const) {
    assert.equal(bytesOf(Buffer.from(bytes)).length(), value);
    assert.throws(() => bytesOf(Buffer.from(bytes.slice(0, -1))).length(), OperatorError);
  }
  for (const bytes of [[0xfb], [0xff], [0xfe, 0, 0, 0, 0, 0, 0, 0x20, 0]]) {
    assert.throws(() => bytesOf(Buffer.from(bytes)).length(), OperatorError);
  }
});

/** A GTID_TAGGED event's body, with the fields that are given. */
function tagged(fields: readonly (readonly [number, Buffer])[], { version = 1, required = 2 } = {}): Buffer {
  const parts = fields.map(([id, data]) => Buffer.concat([varint(BigInt(id)), data]));
  return Buffer.concat([varint(BigInt(version)), varint(99n), varint(BigInt(required)), ...parts]);
}

const UUID = Buffer.from('0011223344556677889900aabbccddee'.replace('00aa', 'aaff'), 'hex');

test('a tagged GTID: fields in order, those that are not known passed over where that is allowed', () => {
  const uuid: [number, Buffer] = [1, Buffer.concat([...UUID].map((byte) => varint(BigInt(byte))))];
  const flags: [number, Buffer] = [0, varint(1n)];
  const number: [number, Buffer] = [2, varint(2n * 123456789012345678n)];
  const tag: [number, Buffer] = [3, Buffer.concat([varint(5n), Buffer.from('batch')])];
  const time: [number, Buffer] = [6, varint(1_700_000_000_123_456n)];
  const unknown: [number, Buffer] = [12, Buffer.from('whatever')];
  const reader = new GtidReader();
  const read = (buffer: Buffer) => reader.tagged(bytesOf(buffer), 7);

  const full = read(tagged([flags, uuid, number, tag, time, unknown]));
  assert.deepEqual(full, {
    gtid: { flavour: 'mysql', origin: '00112233-4455-6677-8899-aaffbbccddee:batch', number: 123456789012345678n },
    commitTime: 1_700_000_000_123_456,
    standalone: false,
    prepares: false,
  });
  const plain = read(tagged([flags, uuid, number]));
  assert.equal(plain.commitTime, 7e6);
  assert.deepEqual(plain.gtid, {
    flavour: 'mysql',
    origin: '00112233-4455-6677-8899-aaffbbccddee',
    number: 123456789012345678n,
  });

  for (const refused of [
    tagged([flags, uuid, number], { version: 2 }),
    tagged([flags, uuid]),
    tagged([flags, number, uuid]),
    tagged([flags, uuid, number, unknown], { required: 12 }),
    tagged([flags, uuid, [2, varint(1n)]]),
    tagged([flags, uuid, number, [3, Buffer.concat([varint(3n), Buffer.from('A-B')])]]),
  ]) {
    assert.throws(() => read(refused), OperatorError);
  }
});

test('MariaDB: what a GTID says of its transaction', () => {
  const body = Buffer.alloc(19);
  body.writeBigUInt64LE(77n, 0);
  body.writeUInt32LE(3, 8);
  const read = (flags: number) => {
    body[12] = flags;
    return new GtidReader().mariadb(bytesOf(body), 9, 5);
  };
  assert.deepEqual(read(0x04), {
    gtid: { flavour: 'mariadb', domain: 3, server: 5, sequence: 77n },
    commitTime: 9e6,
    standalone: false,
    prepares: false,
  });
  assert.equal(read(0x01).standalone, true);
  assert.equal(read(0x44).prepares, true);
});

test('savepoints: what is rolled back is what a list of rows would lose', () => {
  const name = fc.constantFrom('a', 'b', 'C', 'c');
  const step = fc.oneof(
    fc.constant({ kind: 'row' as const, name: '' }),
    fc.record({ kind: fc.constantFrom('set', 'release', 'rollback'), name }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const savepoints = new Savepoints();
      const rows: { part: number; lost: boolean }[] = [];
      // The model: savepoints are places in the list of rows that are left.
      let model: { name: string; at: number }[] = [];
      let left: (typeof rows)[number][] = [];
      for (const { kind, name } of steps) {
        const index = model.findIndex((savepoint) => savepoint.name === name.toLowerCase());
        if (kind === 'row') {
          const row = { part: savepoints.current, lost: false };
          rows.push(row);
          left.push(row);
        } else if (kind === 'set') {
          savepoints.set(name);
          model = [...model.filter((_, i) => i !== index), { name: name.toLowerCase(), at: left.length }];
        } else if (kind === 'release') {
          savepoints.release(name);
          if (index >= 0) model = model.slice(0, index);
        } else {
          const parts = savepoints.rollbackTo(name);
          assert.equal(parts !== undefined, index >= 0);
          for (const row of rows) if (parts?.includes(row.part)) row.lost = true;
          if (index >= 0) {
            left = left.slice(0, model[index].at);
            model = model.slice(0, index + 1);
          }
        }
      }
      assert.deepEqual(
        rows.filter(({ lost }) => !lost),
        left,
      );
    }),
  );
});
