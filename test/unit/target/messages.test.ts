import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeTuple } from '../../../src/changes/change-log.ts';
import { MessageBuffer } from '../../../src/target/messages.ts';
import { seeded } from '../../harness/seed.ts';

/** The frames of a buffer: type letter and payload. */
function frames(script: MessageBuffer): { type: string; payload: Buffer }[] {
  const found: { type: string; payload: Buffer }[] = [];
  for (let at = 0; at < script.length; ) {
    const length = script.buffer.readInt32BE(at + 1);
    found.push({
      type: String.fromCharCode(script.buffer[at]),
      payload: Buffer.from(script.buffer.subarray(at + 5, at + 1 + length)),
    });
    at += 1 + length;
    assert.ok(at <= script.length, 'a frame is longer than the buffer');
  }
  return found;
}

/** What stands between the two NULs and counts of a Bind: its parameters. */
function parametersOf(bind: Buffer): (string | null)[] {
  let at = bind.indexOf(0) + 1;
  at = bind.indexOf(0, at) + 1;
  assert.equal(bind.readInt16BE(at), 0, 'all parameters are text');
  const count = bind.readInt16BE(at + 2);
  at += 4;
  const values: (string | null)[] = [];
  for (let i = 0; i < count; i++) {
    const length = bind.readInt32BE(at);
    at += 4;
    if (length < 0) {
      values.push(null);
    } else {
      values.push(bind.toString('utf8', at, at + length));
      at += length;
    }
  }
  assert.equal(bind.length, at + 2, 'nothing but the result formats follows');
  return values;
}

const types = (script: MessageBuffer) => frames(script).map((frame) => frame.type);

test('a sync is sent once after a run of extended messages, and before a simple query', () => {
  const script = new MessageBuffer();
  script.sync();
  assert.equal(script.length, 0);
  script.parse('s1', 'SELECT $1::text');
  const mark = script.bind('s1', 1);
  script.text('ä');
  script.execute(mark);
  script.query('COMMIT');
  script.sync();
  assert.deepEqual(types(script), ['P', 'B', 'E', 'S', 'Q']);
  assert.equal(script.syncs, 2);
  script.clear();
  assert.deepEqual([script.length, script.syncs], [0, 0]);
});

test('frames hold whatever they are given, wherever the buffer has to grow', (t) => {
  const text = fc.string({ unit: 'binary', maxLength: 80 }).filter((value) => !value.includes('\0'));
  const message = fc.oneof(
    fc.record({ query: text }),
    fc.record({ name: fc.stringMatching(/^s\d{1,5}$/), parse: text }),
    fc.record({ bind: fc.array(fc.option(text), { maxLength: 6 }) }),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), fc.integer({ min: 1, max: 300 }), (messages, capacity) => {
      const script = new MessageBuffer(capacity);
      for (const each of messages) {
        if ('query' in each) script.query(each.query);
        else if ('parse' in each) script.parse(each.name, each.parse);
        else {
          const mark = script.bind('', each.bind.length);
          for (const value of each.bind) {
            const tuple = encodeTuple([value]);
            if (value !== null && value.length % 2 === 0) script.text(value);
            else script.value(tuple, 2);
          }
          script.execute(mark);
        }
      }
      script.sync();
      const sent = frames(script);
      assert.equal(sent.filter(({ type }) => type === 'S' || type === 'Q').length, script.syncs);
      const content = sent.filter(({ type }) => 'QPB'.includes(type));
      assert.equal(content.length, messages.length);
      messages.forEach((each, i) => {
        const { type, payload } = content[i];
        if ('query' in each) assert.deepEqual([type, payload.toString()], ['Q', `${each.query}\0`]);
        else if ('parse' in each) {
          assert.deepEqual([type, payload.toString()], ['P', `${each.name}\0${each.parse}\0\0\0`]);
        } else {
          assert.equal(type, 'B');
          assert.deepEqual(parametersOf(payload), each.bind);
        }
      });
    }),
    seeded(t, 300),
  );
});

test('COPY frames are closed between rows near 256 KiB, and a row is never cut', () => {
  const script = new MessageBuffer();
  let mark = script.openCopy();
  for (const length of [10, 200_000, 100_000, 5, 600_000, 1]) {
    const tuple = encodeTuple(['x'.repeat(length), null]);
    script.copyText(tuple, 2);
    script.copyText(tuple, 2 + 5 + length);
    mark = script.copyRowDone(mark);
  }
  script.closeCopy(mark);
  const sent = frames(script);
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['d', 'd', 'd', 'c'],
  );
  assert.deepEqual(
    sent.map(({ payload }) =>
      payload
        .toString()
        .split('\n')
        .slice(0, -1)
        .map((line) => line.length),
    ),
    [[13, 200_003, 100_003], [8, 600_003], [4], []],
  );
});

test('an array literal: NULL is bare, the word NULL is not, and no element runs into the next', () => {
  const script = new MessageBuffer(1);
  const mark = script.bind('s', 3);
  for (const [values, plain] of [
    [['NULL', null, '', 'a,b', '{}', '"\\'], false],
    [['1', null, '-2.5', 'NaN'], true],
    [[], false],
  ] as const) {
    const array = script.openArray();
    for (const value of values) script.element(encodeTuple([value]), 2, plain);
    script.closeArray(array);
  }
  script.execute(mark);
  const [bind] = frames(script);
  assert.deepEqual(parametersOf(bind.payload), ['{"NULL",NULL,"","a,b","{}","\\"\\\\"}', '{1,NULL,-2.5,NaN}', '{}']);
});

test('in a plain array what is not a bare word is quoted all the same', () => {
  for (const value of ['a b', 'NULL', 'null', '', 'a,b', '{', '}', '"', '\\', 'x\ty', ' 1']) {
    const script = new MessageBuffer();
    const mark = script.bind('s', 1);
    const array = script.openArray();
    script.element(encodeTuple([value]), 2, true);
    script.closeArray(array);
    script.execute(mark);
    const [text] = parametersOf(frames(script)[0].payload);
    assert.match(text ?? '', /^\{".*"\}$/s, JSON.stringify(value));
  }
});
