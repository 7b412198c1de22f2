import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OperatorError } from '../../../src/errors.ts';
import { PacketReader } from '../../../src/sources/mysql/packets.ts';

const SPLIT = 0xffffff;

/** The payloads as a server sends them in one answer. */
function packets(payloads: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let sequence = 1;
  for (const payload of payloads) {
    for (let at = 0, last = false; !last; at += SPLIT) {
      const body = payload.subarray(at, at + SPLIT);
      last = body.length < SPLIT;
      const header = Buffer.alloc(4);
      header.writeUIntLE(body.length, 0, 3);
      header[3] = sequence++;
      parts.push(header, body);
    }
  }
  return Buffer.concat(parts);
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length];
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

/** Reads chunks; each payload for which `waits` is true makes the reader wait. */
async function read(chunks: readonly Buffer[], waits: (index: number) => boolean = () => false): Promise<Buffer[]> {
  const seen: Buffer[] = [];
  let busy = false;
  const reader = new PacketReader((buffer, start, end) => {
    assert.equal(busy, false, 'a payload came before the one before it was done with');
    const index = seen.push(Buffer.from(buffer.subarray(start, end))) - 1;
    if (!waits(index)) return undefined;
    const before = Buffer.from(buffer.subarray(start, end));
    busy = true;
    return new Promise((resolve) =>
      setImmediate(() => {
        assert.ok(before.equals(buffer.subarray(start, end)), 'the bytes changed while they were in use');
        busy = false;
        resolve();
      }),
    );
  });
  for (const chunk of chunks) await reader.read(chunk);
  return seen;
}

test('payloads come whole and in order, however the chunks are cut and whoever waits', async () => {
  const payload = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(
      fc.array(payload, { maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
      fc.func(fc.boolean()),
      async (payloads, lengths, waits) => {
        assert.deepEqual(await read(cut(packets(payloads), lengths), waits), payloads);
      },
    ),
  );
});

test('what the server splits at 16 MiB is joined, at every edge', async () => {
  const sizes = [SPLIT - 1, SPLIT, SPLIT + 1, 2 * SPLIT - 1, 2 * SPLIT, 2 * SPLIT + 5, 3];
  const payloads = sizes.map((size, i) => {
    const payload = Buffer.alloc(size, i + 1);
    // As in an event: its length stands behind the status byte and nine bytes more. The third one lies.
    if (size > 14) payload.writeUInt32LE(i === 2 ? 0xfffffff0 : size - 1, 10);
    payload[size - 1] = 0xee;
    return payload;
  });
  for (const lengths of [[65536], [SPLIT], [SPLIT + 4], [1, 2, 3, 65536, 40_000_000]]) {
    const seen = await read(cut(packets(payloads), lengths), (index) => index % 2 === 0);
    assert.deepEqual(
      seen.map((payload, i) => payload.equals(payloads[i])),
      sizes.map(() => true),
    );
  }
});

test('a payload that stands whole in its chunk is not copied', () => {
  const chunk = packets([Buffer.from('one'), Buffer.from('two')]);
  const buffers: Buffer[] = [];
  const reader = new PacketReader((buffer) => {
    buffers.push(buffer);
    return undefined;
  });
  reader.read(chunk);
  assert.deepEqual(
    buffers.map((buffer) => buffer === chunk),
    [true, true],
  );
});

test('a packet that is missing, and one that comes twice, are noticed', () => {
  const bytes = packets([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
  const missing = Buffer.concat([bytes.subarray(0, 5), bytes.subarray(10)]);
  const twice = Buffer.concat([bytes.subarray(0, 5), bytes.subarray(0, 5)]);
  for (const [stream, words] of [
    [missing, /packet 2 was expected and packet 3 came/],
    [twice, /packet 2 was expected and packet 1 came/],
  ] as const) {
    const reader = new PacketReader(() => undefined);
    assert.throws(
      () => reader.read(stream),
      (error) => error instanceof OperatorError && error.code === 'MYSQL_PROTOCOL' && words.test(error.message),
    );
  }
});

test('the numbers start again with each answer', () => {
  let count = 0;
  const reader = new PacketReader(() => {
    count++;
    return undefined;
  });
  reader.read(packets([Buffer.from('ok')]));
  reader.expectAnswer();
  reader.read(packets([Buffer.from('event')]));
  assert.equal(count, 2);
});

test('an event that is too long is refused before there is memory for it', () => {
  const reader = new PacketReader(() => undefined, 40_000_000);
  const body = Buffer.alloc(SPLIT);
  const packet = (sequence: number) => {
    reader.read(Buffer.from([0xff, 0xff, 0xff, sequence]));
    reader.read(body);
  };
  packet(1);
  packet(2);
  assert.throws(
    () => packet(3),
    (error) => error instanceof OperatorError && /an event of more than 40000000 bytes/.test(error.message),
  );
});
