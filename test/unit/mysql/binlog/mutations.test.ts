import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { OperatorError } from '../../../../src/errors.ts';
import type { Flavour } from '../../../../src/sources/mysql/flavour.ts';
import { ReaderRig, sealed } from '../../../harness/binlog.ts';
import { seeded } from '../../../harness/seed.ts';
import { captured } from './captured.ts';

const CAPTURES: readonly (readonly [string, Flavour])[] = [
  ['mysql', 'mysql'],
  ['mysql-payload', 'mysql'],
  ['mariadb', 'mariadb'],
];

const logs = new Map(CAPTURES.map(([name]) => [name, captured(name)]));
const capture = fc.constantFrom(...CAPTURES);
const index = fc.nat();

const change = fc.record({
  which: index,
  at: index,
  byte: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff), fc.integer({ min: 0, max: 255 })),
});

/** Sets a byte, but none of the event's own length. */
function mutate(event: Buffer, at: number, byte: number): void {
  if (at < 9 || at > 12) event[at] = byte;
}

/** Offset of the packed events: behind fields of a type, a length and a value, and the byte that ends them. */
function packedAt(event: Buffer): number {
  let at = 19;
  while (event[at] !== 0) at += 2 + event[at + 1];
  return at + 1;
}

function isCompressed(data: Buffer): boolean {
  return data.length >= 4 && data.readUInt32LE(0) === 0xfd2fb528;
}

function unpacked(event: Buffer): Buffer {
  const data = event.subarray(packedAt(event), -4);
  return isCompressed(data) ? zstdDecompressSync(data) : Buffer.from(data);
}

/** The payload with other contents, compressed or not. */
function packed(event: Buffer, plain: Buffer, compress: boolean): Buffer {
  const fields = compress ? [2, 1, 0, 0] : [2, 3, 0xfc, 255, 0, 0];
  const made = Buffer.concat([
    event.subarray(0, 19),
    Buffer.from(fields),
    compress ? zstdCompressSync(plain) : plain,
    Buffer.alloc(4),
  ]);
  made.writeUInt32LE(made.length, 9);
  return sealed(made);
}

/** Reads the events; an error must be one for operators. Returns its code. */
async function outcome(flavour: Flavour, events: readonly Buffer[]): Promise<string | undefined> {
  const rig = new ReaderRig(flavour, { gather: new Set(['0-1-7']) });
  try {
    await rig.feed(events);
    return undefined;
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return error.code;
  } finally {
    rig.reader.discard();
  }
}

/** The lines of a log that is whole. */
async function lines(name: string, flavour: Flavour): Promise<string> {
  const rig = new ReaderRig(flavour, { gather: new Set(['0-1-7']) });
  await rig.feed(logs.get(name) as Buffer[]);
  return rig.lines.join('\n');
}

test('a flipped bit anywhere in an event is found by its checksum', async (t) => {
  await fc.assert(
    fc.asyncProperty(capture, index, index, async ([name, flavour], which, bit) => {
      const events = (logs.get(name) as Buffer[]).map((event) => Buffer.from(event));
      const event = events[which % events.length];
      event[(bit >>> 3) % event.length] ^= 1 << (bit & 7);
      const code = await outcome(flavour, events);
      // The mark of a file that is being written does not count, and a length that is wrong is seen first.
      if (code === undefined) assert.ok(event[4] === 15 && (bit >>> 3) % event.length === 17);
      else assert.ok(code === 'MYSQL_CHECKSUM' || code === 'MYSQL_PROTOCOL', code);
    }),
    seeded(t, 400),
  );
});

test('whatever stands in an event whose checksum is right: a named error, or it is read', async (t) => {
  await fc.assert(
    fc.asyncProperty(capture, fc.array(change, { minLength: 1, maxLength: 4 }), async ([name, flavour], changes) => {
      const events = [...(logs.get(name) as Buffer[])];
      for (const { which, at, byte } of changes) {
        const event = Buffer.from(events[which % events.length]);
        mutate(event, at % (event.length - 4), byte);
        events[which % events.length] = sealed(event);
      }
      await outcome(flavour, events);
    }),
    seeded(t, 3000),
  );
});

test('whatever stands in the events of a payload: a named error, or it is read', async (t) => {
  const events = logs.get('mysql-payload') as Buffer[];
  const places = events.flatMap((event, i) => (event[4] === 40 ? [i] : []));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean(), async (changes, packs) => {
      const copy = [...events];
      for (const { which, at, byte } of changes) {
        const place = places[which % places.length];
        const plain = unpacked(copy[place]);
        mutate(plain, at % plain.length, byte);
        copy[place] = packed(copy[place], plain, packs);
      }
      await outcome('mysql', copy);
    }),
    seeded(t, 2000),
  );
});

test('events that are cut short: a named error', async (t) => {
  await fc.assert(
    fc.asyncProperty(capture, index, index, fc.boolean(), async ([name, flavour], which, length, honest) => {
      const events = [...(logs.get(name) as Buffer[])];
      const place = which % events.length;
      let event: Buffer = Buffer.from(events[place].subarray(0, length % events[place].length));
      if (honest && event.length >= 23) {
        event.writeUInt32LE(event.length, 9);
        event = sealed(event);
      }
      events[place] = event;
      await outcome(flavour, events);
    }),
    seeded(t, 1500),
  );
});

test('events that are missing, doubled, moved or of another log: a named error, or whole transactions', async (t) => {
  const move = fc.record({
    kind: fc.constantFrom('drop', 'double', 'move', 'splice'),
    from: index,
    to: index,
    other: capture,
  });
  await fc.assert(
    fc.asyncProperty(capture, fc.array(move, { minLength: 1, maxLength: 3 }), async ([name, flavour], moves) => {
      const events = [...(logs.get(name) as Buffer[])];
      for (const { kind, from, to, other } of moves) {
        const [event] = kind === 'double' ? [events[from % events.length]] : events.splice(from % events.length, 1);
        if (kind === 'splice') {
          const strange = logs.get(other[0]) as Buffer[];
          events.splice(to % events.length, 0, strange[from % strange.length]);
        } else if (kind !== 'drop') {
          events.splice(to % events.length, 0, event);
        }
      }
      await outcome(flavour, events);
    }),
    seeded(t, 1500),
  );
});

test('an error leaves only whole transactions behind', async (t) => {
  const wholes = new Map<string, string>();
  for (const [name, flavour] of CAPTURES) wholes.set(name, await lines(name, flavour));
  await fc.assert(
    fc.asyncProperty(capture, index, async ([name, flavour], end) => {
      const events = logs.get(name) as Buffer[];
      const rig = new ReaderRig(flavour, { gather: new Set(['0-1-7']) });
      await rig.feed(events.slice(0, end % events.length));
      rig.reader.discard();
      assert.ok(wholes.get(name)?.startsWith(rig.lines.join('\n')));
    }),
    seeded(t, 200),
  );
});
