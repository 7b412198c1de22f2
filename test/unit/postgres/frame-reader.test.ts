import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader } from '../../../src/sources/postgres/frame-reader.ts';

function frame(type: string, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([head, payload]);
}

test('messages come out whole and in order however the stream is cut into chunks', () => {
  const messages = fc.array(fc.tuple(fc.constantFrom('d', 'd', 'C', 'N', 'Z'), fc.uint8Array({ maxLength: 40 })));
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sent, sizes) => {
      const received: [string, string][] = [];
      const reader = new FrameReader({
        copyData: (buffer, start, end) => received.push(['d', buffer.toString('hex', start, end)]),
        other: (whole) => received.push([String.fromCharCode(whole[0]), whole.toString('hex', 5)]),
      });
      const bytes = Buffer.concat(sent.map(([type, payload]) => frame(type, payload)));
      for (let at = 0, i = 0; at < bytes.length; i++) {
        // A copy that is overwritten afterwards: nothing may be kept of a chunk.
        const chunk = Buffer.from(bytes.subarray(at, at + sizes[i % sizes.length]));
        reader.read(chunk);
        at += chunk.length;
        chunk.fill(0xee);
      }
      assert.deepEqual(
        received,
        sent.map(([type, payload]) => [type, Buffer.from(payload).toString('hex')]),
      );
    }),
  );
});

test('a message much larger than the chunks is copied once, not once per chunk', () => {
  const payload = Buffer.alloc(8 * 1024 * 1024, 7);
  let length = 0;
  const reader = new FrameReader({
    copyData: (_, start, end) => {
      length = end - start;
    },
    other: () => assert.fail(),
  });
  const bytes = frame('d', payload);
  const seen = new Set<ArrayBufferLike>();
  const { allocUnsafe } = Buffer;
  Buffer.allocUnsafe = ((size: number) => {
    const made = allocUnsafe(size);
    if (size > 1024 * 1024) seen.add(made.buffer);
    return made;
  }) as typeof Buffer.allocUnsafe;
  try {
    for (let at = 0; at < bytes.length; at += 65536) reader.read(bytes.subarray(at, at + 65536));
  } finally {
    Buffer.allocUnsafe = allocUnsafe;
  }
  assert.equal(length, payload.length);
  assert.equal(seen.size, 1);
});
