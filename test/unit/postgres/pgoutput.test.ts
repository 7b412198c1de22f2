import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OperatorError } from '../../../src/errors.ts';
import { Lsn } from '../../../src/sources/postgres/lsn.ts';
import { PgoutputDecoder, type TruncatePolicy } from '../../../src/sources/postgres/pgoutput.ts';
import { Relations } from '../../../src/sources/postgres/relations.ts';
import { CollectingSink } from '../../harness/collecting-sink.ts';
import { RecordingLogger } from '../../harness/recording-logger.ts';
import { scratchDirectory } from '../../servers/scratch.ts';
import * as m from './messages.ts';

const spillDirectory = scratchDirectory('pgoutput');

function setUp(options: { checkpoint?: string; truncate?: TruncatePolicy; relations?: Relations } = {}) {
  const sink = new CollectingSink();
  const log = new RecordingLogger();
  const counted = { mutations: {} as Record<string, number>, unchanged: 0, empty: 0 };
  const decoder = new PgoutputDecoder(
    options.relations ?? new Relations(),
    sink,
    options.checkpoint === undefined ? undefined : Lsn.parse(options.checkpoint),
    {
      truncate: options.truncate ?? 'apply',
      spillDirectory,
      log,
      metrics: {
        dialSuccess() {},
        dialFailure() {},
        unchangedToast(count) {
          counted.unchanged += count;
        },
        emptyTransaction() {
          counted.empty++;
        },
        mutation(kind, count) {
          counted.mutations[kind] = (counted.mutations[kind] ?? 0) + count;
        },
      },
    },
  );
  const send = (...messages: Buffer[]) => {
    for (const message of messages) {
      // As on the wire: within a larger buffer, which is overwritten afterwards.
      const wire = Buffer.concat([Buffer.from('before'), message, Buffer.from('after')]);
      decoder.decode(wire, 6, 6 + message.length);
      wire.fill(0xff);
    }
  };
  return { sink, log, decoder, send, counted };
}

const ITEMS = m.relation({ id: 1, name: 'items', columns: ['*id', 'name'] });

function refusedWith(code: string, pattern = /./) {
  return (error: unknown) => error instanceof OperatorError && error.code === code && pattern.test(error.message);
}

test('inserts, updates, key changes and deletes arrive as they were sent, in their transaction', () => {
  const { sink, send, counted } = setUp();
  send(
    m.begin('0/100'),
    ITEMS,
    m.insert(1, ['1', 'a']),
    m.update(1, ['1', undefined]),
    m.update(1, ['2', 'é\u{1F600}'], { kind: 'K', row: ['1', null] }),
    m.remove(1, 'K', ['2', null]),
    m.commit('0/100', '0/128'),
  );
  assert.equal(sink.transactions.length, 1);
  const [transaction] = sink.transactions;
  assert.equal(transaction.position, '0/128');
  assert.equal(transaction.commitTime, m.COMMIT_TIME);
  const table = transaction.changes[0].table;
  assert.deepEqual(table, {
    schema: 'public',
    name: 'items',
    identity: 'key',
    columns: [
      { name: 'id', identity: true, type: undefined },
      { name: 'name', identity: false, type: undefined },
    ],
  });
  assert.deepEqual(transaction.changes, [
    { kind: 'insert', table, new: ['1', 'a'] },
    { kind: 'update', table, new: ['1', undefined] },
    { kind: 'update', table, oldKind: 'key', old: ['1', null], new: ['2', 'é\u{1F600}'] },
    { kind: 'delete', table, oldKind: 'key', old: ['2', null] },
  ]);
  assert.deepEqual(counted, { mutations: { insert: 1, update: 2, delete: 1 }, unchanged: 1, empty: 0 });
});

test('whole old rows of REPLICA IDENTITY FULL are kept', () => {
  const { sink, send } = setUp();
  const full = m.relation({ id: 1, name: 'log', identity: 'f', columns: ['*a', '*b'] });
  const old = { kind: 'O', row: ['1', null] } as const;
  send(m.begin('0/100'), full, m.update(1, ['2', 'x'], old), m.remove(1, 'O', ['2', 'x']), m.commit('0/100', '0/128'));
  const [change, removal] = sink.transactions[0].changes;
  assert.equal(change.table.identity, 'full');
  assert.deepEqual([change.oldKind, change.old, change.new], ['full', ['1', null], ['2', 'x']]);
  assert.deepEqual([removal.oldKind, removal.old], ['full', ['2', 'x']]);
});

test('an old row that cannot say which row is meant stops the stream', () => {
  const partitioned = m.relation({ id: 1, name: 'events', identity: 'f', columns: ['*id', '*at'] });
  const keyless = m.relation({ id: 2, name: 'log', identity: 'd', columns: ['line'] });
  for (const bad of [m.remove(1, 'K', ['1', null]), m.update(1, ['1', 'x']), m.update(2, ['x'])]) {
    const { send, sink } = setUp();
    send(m.begin('0/100'), partitioned, keyless);
    assert.throws(() => send(bad), refusedWith('PG_REPLICA_IDENTITY'));
    assert.equal(sink.transactions.length, 0);
  }
});

test('two schemas with the same table name stay apart (defect 12)', () => {
  const { sink, send } = setUp();
  send(
    m.begin('0/100'),
    m.relation({ id: 1, schema: 'a', name: 't', columns: ['*id'] }),
    m.relation({ id: 2, schema: 'b', name: 't', columns: ['*id'] }),
    m.insert(1, ['1']),
    m.insert(2, ['1']),
    m.commit('0/100', '0/128'),
  );
  assert.deepEqual(
    sink.transactions[0].changes.map((change) => change.table.schema),
    ['a', 'b'],
  );
});

test('a table that is described again as before keeps its object, also on the next stream; a real change makes a new one', () => {
  const relations = new Relations();
  const first = setUp({ relations });
  first.send(
    m.begin('0/100'),
    ITEMS,
    m.insert(1, ['1', 'a']),
    ITEMS,
    m.insert(1, ['2', 'b']),
    m.commit('0/100', '0/128'),
  );
  const second = setUp({ relations });
  second.send(m.begin('0/200'), ITEMS, m.insert(1, ['3', 'c']));
  second.send(m.relation({ id: 1, name: 'items', columns: ['*id', 'name', 'note'] }));
  second.send(m.insert(1, ['4', 'd', null]), m.commit('0/200', '0/228'));
  const [a, b] = first.sink.transactions[0].changes;
  const [c, d] = second.sink.transactions[0].changes;
  assert.equal(a.table, b.table);
  assert.equal(a.table, c.table);
  assert.notEqual(c.table, d.table);
  assert.equal(d.table.columns.length, 3);
});

test('a new stream knows no table until it is described', () => {
  const relations = new Relations();
  setUp({ relations }).send(m.begin('0/100'), ITEMS, m.commit('0/100', '0/128'));
  const { send } = setUp({ relations });
  send(m.begin('0/200'));
  assert.throws(() => send(m.insert(1, ['1', 'a'])), refusedWith('PG_PROTOCOL', /relation 1 was not described/));
});

test('Origin, Type and Message say nothing about rows and are passed over (defect 10)', () => {
  const { sink, send } = setUp();
  send(m.begin('0/100'), m.origin(), m.type(), m.logical(), ITEMS, m.insert(1, ['1', 'a']), m.commit('0/100', '0/128'));
  assert.equal(sink.transactions[0].changes.length, 1);
});

test('prepared transactions were not asked for', () => {
  for (const message of m.twoPhase) {
    assert.throws(() => setUp().send(message), refusedWith('PG_TWO_PHASE'));
  }
});

test('TRUNCATE is applied in its place, ignored, or refused, as asked (defect 10)', () => {
  const other = m.relation({ id: 2, name: 'others', columns: ['*id'] });
  const messages = [
    m.begin('0/100'),
    ITEMS,
    other,
    m.insert(1, ['1', 'a']),
    m.truncate([1, 2]),
    m.insert(1, ['2', 'b']),
  ];

  const apply = setUp();
  apply.send(...messages, m.commit('0/100', '0/128'));
  assert.deepEqual(
    apply.sink.transactions[0].changes.map((change) => `${change.kind} ${change.table.name}`),
    ['insert items', 'truncate items', 'truncate others', 'insert items'],
  );
  assert.equal(apply.counted.mutations.truncate, 2);

  const ignore = setUp({ truncate: 'ignore' });
  ignore.send(...messages, m.commit('0/100', '0/128'));
  assert.deepEqual(
    ignore.sink.transactions[0].changes.map((change) => change.kind),
    ['insert', 'insert'],
  );
  assert.equal(ignore.log.find('TRUNCATE ignored; the target keeps its rows').length, 2);

  const refuse = setUp({ truncate: 'error' });
  assert.throws(() => refuse.send(...messages), refusedWith('PG_TRUNCATE', /public\.items/));
  assert.equal(refuse.sink.transactions.length, 0);
});

test('what the checkpoint covers is passed over; the transaction that starts at it is not', () => {
  const { sink, send, counted } = setUp({ checkpoint: '0/200' });
  send(m.begin('0/100'), ITEMS, m.insert(1, ['1', 'a']), m.truncate([1]), m.commit('0/100', '0/200'));
  assert.deepEqual([sink.transactions.length, sink.progressed.length], [0, 0]);
  send(m.begin('0/200'), m.insert(1, ['2', 'b']), m.commit('0/200', '0/228'));
  assert.equal(sink.transactions.length, 1);
  assert.deepEqual(counted.mutations, { insert: 1 });
});

test('empty transactions and keepalives move the position on, never back (defect 11)', () => {
  const { sink, send, decoder, counted } = setUp({ checkpoint: '0/100' });
  decoder.keepalive(0x50n);
  send(m.begin('0/110'), m.commit('0/110', '0/138'));
  decoder.keepalive(0x138n);
  decoder.keepalive(0x200n);
  decoder.keepalive(0x180n);
  assert.deepEqual(sink.progressed, ['0/138', '0/200']);
  assert.equal(counted.empty, 1);
});

test('a keepalive within a transaction or a streamed block does not move the position', () => {
  const { sink, send, decoder } = setUp();
  send(m.begin('0/100'));
  decoder.keepalive(0x300n);
  send(m.commit('0/100', '0/128'), m.streamStart(9, true));
  decoder.keepalive(0x300n);
  send(m.streamStop());
  assert.deepEqual(sink.progressed, ['0/128']);
  decoder.keepalive(0x300n);
  assert.deepEqual(sink.progressed, ['0/128', '0/300']);
  decoder.discard();
});

const STREAMED_ITEMS = (xid: number) => m.relation({ id: 1, name: 'items', columns: ['*id', 'name'], xid });

test('a streamed transaction arrives whole at its commit, without what was rolled back', async () => {
  const { sink, send, counted } = setUp();
  send(
    m.streamStart(10, true),
    STREAMED_ITEMS(10),
    m.insert(1, ['1', 'a'], 10),
    m.insert(1, ['2', 'b'], 11),
    m.streamStop(),
    // another one in between, and a small one that commits first
    m.streamStart(20, true),
    STREAMED_ITEMS(20),
    m.insert(1, ['9', 'z'], 20),
    m.streamStop(),
    m.begin('0/90'),
    ITEMS,
    m.insert(1, ['5', 'small']),
    m.commit('0/90', '0/98'),
    m.streamStart(10, false),
    m.insert(1, ['3', 'c'], 12),
    m.update(1, ['1', 'aa'], undefined, 10),
    m.truncate([1], 12),
    m.remove(1, 'K', ['1', null], 10),
    m.streamStop(),
    m.streamAbort(10, 11),
    m.streamAbort(10, 12, true),
    m.streamAbort(20, 20),
    m.streamAbort(30, 30),
    m.streamCommit(10, '0/100', '0/128'),
  );
  await sink.read();
  assert.deepEqual(
    sink.transactions.map((transaction) => [transaction.spilled, transaction.position]),
    [
      [false, '0/98'],
      [true, '0/128'],
    ],
  );
  assert.deepEqual(
    sink.transactions[1].changes.map((change) => [change.kind, change.old, change.new]),
    [
      ['insert', undefined, ['1', 'a']],
      ['update', undefined, ['1', 'aa']],
      ['delete', ['1', null], undefined],
    ],
  );
  assert.equal(sink.transactions[1].commitTime, m.COMMIT_TIME);
  assert.equal(counted.mutations.insert, 5);
});

test('a streamed transaction that the checkpoint covers, or that has no change, is not handed over', () => {
  const { sink, send, counted } = setUp({ checkpoint: '0/200' });
  send(m.streamStart(10, true), STREAMED_ITEMS(10), m.insert(1, ['1', 'a'], 10), m.streamStop());
  send(m.streamCommit(10, '0/150', '0/200'));
  send(m.streamStart(11, true), m.streamStop(), m.streamCommit(11, '0/210', '0/238'));
  assert.equal(sink.transactions.length, 0);
  assert.deepEqual(sink.progressed, ['0/238']);
  assert.equal(counted.empty, 1);
});

test('a table described in a streamed transaction counts for others only after its commit', async () => {
  const wider = m.relation({ id: 1, name: 'items', columns: ['*id', 'name', 'note'], xid: 10 });
  const begun = [m.begin('0/90'), ITEMS, m.commit('0/90', '0/98'), m.streamStart(10, true), wider];
  const row = m.insert(1, ['1', 'a', 'n'], 10);

  const aborted = setUp();
  aborted.send(...begun, row, m.streamStop(), m.begin('0/a0'), m.insert(1, ['2', 'b']), m.commit('0/a0', '0/a8'));
  aborted.send(m.streamAbort(10, 10), m.begin('0/b0'), m.insert(1, ['3', 'c']), m.commit('0/b0', '0/b8'));
  assert.deepEqual(
    aborted.sink.transactions.map((transaction) => transaction.changes[0].table.columns.length),
    [2, 2],
  );

  const committed = setUp();
  committed.send(...begun, row, m.streamStop(), m.streamCommit(10, '0/a0', '0/a8'));
  committed.send(m.begin('0/b0'), m.insert(1, ['3', 'c', null]), m.commit('0/b0', '0/b8'));
  await committed.sink.read();
  assert.deepEqual(
    committed.sink.transactions.map((transaction) => transaction.changes[0].table.columns.length),
    [3, 3],
  );
});

test('a refused TRUNCATE in a streamed transaction counts only if it is not rolled back', async () => {
  const messages = [m.streamStart(10, true), STREAMED_ITEMS(10), m.insert(1, ['1', 'a'], 10), m.truncate([1], 11)];
  const kept = setUp({ truncate: 'error' });
  kept.send(...messages, m.streamStop());
  assert.throws(() => kept.send(m.streamCommit(10, '0/100', '0/128')), refusedWith('PG_TRUNCATE'));
  kept.decoder.discard();

  const rolledBack = setUp({ truncate: 'error' });
  rolledBack.send(...messages, m.streamStop(), m.streamAbort(10, 11), m.streamCommit(10, '0/100', '0/128'));
  await rolledBack.sink.read();
  assert.equal(rolledBack.sink.transactions.length, 1);
});

test('messages out of place are refused', () => {
  const open = m.begin('0/100');
  const block = m.streamStart(1, true);
  const cases: [string, Buffer[]][] = [
    ['a row without a transaction', [ITEMS, m.insert(1, ['1', 'a'])]],
    ['a truncate without a transaction', [ITEMS, m.truncate([1])]],
    ['a second begin', [open, m.begin('0/200')]],
    ['a commit without a begin', [m.commit('0/100', '0/128')]],
    ['the commit of another transaction', [open, m.commit('0/200', '0/228')]],
    ['a commit that ends before it starts', [open, m.commit('0/100', '0/100')]],
    ['a block within a transaction', [open, block]],
    ['a block within a block', [block, block]],
    ['a begin within a block', [block, open]],
    ['a transaction that begins twice', [block, m.streamStop(), block]],
    ['a transaction that goes on but never began', [m.streamStart(1, false)]],
    ['the end of no block', [m.streamStop()]],
    ['the commit of an unknown transaction', [m.streamCommit(1, '0/100', '0/128')]],
    ['a commit within its block', [block, m.streamCommit(1, '0/100', '0/128')]],
    ['an abort within a block', [block, m.streamAbort(1, 1)]],
    ['an unknown type', [Buffer.from('!')]],
    [
      'a commit before an earlier one',
      [
        open,
        ITEMS,
        m.insert(1, ['1', 'a']),
        m.commit('0/100', '0/128'),
        m.begin('0/90'),
        m.insert(1, ['1', 'a']),
        m.commit('0/90', '0/98'),
      ],
    ],
    ['nothing', [Buffer.alloc(0)]],
    ['an unknown replica identity', [m.relation({ id: 1, name: 't', identity: 'x', columns: [] })]],
  ];
  for (const [name, messages] of cases) {
    const { send, decoder } = setUp();
    assert.throws(() => send(...messages), refusedWith('PG_PROTOCOL'), name);
    decoder.discard();
  }
});

test('malformed rows are refused and say where', () => {
  const wrongCount = m.insert(1, ['1']);
  const binary = m.insert(1, ['1', 'a']);
  binary[binary.indexOf('t', 6)] = 'b'.charCodeAt(0);
  const negative = m.insert(1, ['1', 'a']);
  negative.writeInt32BE(-5, 9);
  const huge = m.insert(1, ['1', 'a']);
  huge.writeInt32BE(0x7fffffff, 9);
  const longer = Buffer.concat([m.insert(1, ['1', 'a']), m.u8(0)]);
  for (const [message, pattern] of [
    [wrongCount, /'I' at byte 6: 1 values for a table of 2 columns/],
    [binary, /a value of the kind 'b'/],
    [negative, /a value of -5 bytes/],
    [huge, /a value of 2147483647 bytes/],
    [longer, /1 bytes too many/],
    [m.insert(3, ['1', 'a']), /relation 3 was not described/],
    [Buffer.concat([Buffer.from('U'), m.u32(1), Buffer.from('X')]), /the new row is missing/],
    [Buffer.concat([Buffer.from('D'), m.u32(1), Buffer.from('N')]), /the old row is missing/],
  ] as const) {
    const { send, sink } = setUp();
    send(m.begin('0/100'), ITEMS);
    assert.throws(() => send(message), refusedWith('PG_PROTOCOL', pattern));
    assert.equal(sink.changes.count, 0);
  }
});

const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(null), fc.constant(undefined));
const row = fc.tuple(value, value);

/** Every message type, in an order in which the server could send it. */
const anyStream = fc
  .tuple(row, row, fc.boolean())
  .map(([a, b, parallel]) => [
    m.begin('0/100'),
    m.origin(),
    m.type(),
    ITEMS,
    m.insert(1, a),
    m.update(1, b, { kind: 'K', row: a }),
    m.update(1, b),
    m.remove(1, 'O', b),
    m.truncate([1]),
    m.logical(),
    m.commit('0/100', '0/128'),
    m.streamStart(10, true),
    STREAMED_ITEMS(10),
    m.insert(1, a, 10),
    m.update(1, a, { kind: 'O', row: b }, 11),
    m.remove(1, 'K', b, 10),
    m.streamStop(),
    m.streamAbort(10, 11, parallel),
    m.streamCommit(10, '0/200', '0/228'),
  ]);

test('any row survives the way through the decoder to the byte', async () => {
  await fc.assert(
    fc.asyncProperty(anyStream, row, async (stream, extra) => {
      const { sink, send } = setUp();
      send(...stream, m.begin('0/300'), m.insert(1, extra), m.commit('0/300', '0/328'));
      await sink.read();
      assert.deepEqual(
        sink.transactions.map((transaction) => transaction.changes.length),
        [5, 2, 1],
      );
      const expected = extra.map((each) => (typeof each === 'string' ? Buffer.from(each).toString() : each));
      assert.deepEqual(sink.transactions[2].changes[0].new, expected);
    }),
    { numRuns: 50 },
  );
});

/** Cuts, lengthens or changes one message of a stream. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('append' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
  fc.record({ kind: fc.constant('change' as const), at: fc.nat(), byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('word' as const), at: fc.nat(), word: fc.integer() }),
  fc.record({ kind: fc.constant('repeat' as const) }),
  fc.record({ kind: fc.constant('drop' as const) }),
);

test('a damaged stream gives a named error or is decoded, and never anything else', () => {
  let refused = 0;
  fc.assert(
    fc.property(anyStream, fc.nat(), damage, (stream, which, harm) => {
      const index = which % stream.length;
      const message = Buffer.from(stream[index]);
      let damaged: Buffer[] = [message];
      if (harm.kind === 'cut') damaged = [message.subarray(0, harm.at % (message.length + 1))];
      else if (harm.kind === 'append') damaged = [Buffer.concat([message, harm.bytes])];
      else if (harm.kind === 'change') message[harm.at % message.length] = harm.byte;
      else if (harm.kind === 'word' && message.length >= 4) {
        message.writeInt32BE(harm.word, harm.at % (message.length - 3));
      } else if (harm.kind === 'repeat') damaged = [message, message];
      else if (harm.kind === 'drop') damaged = [];
      const { send, decoder } = setUp();
      try {
        send(...stream.toSpliced(index, 1, ...damaged));
      } catch (error) {
        assert(error instanceof OperatorError, String(error));
        assert(['PG_PROTOCOL', 'PG_REPLICA_IDENTITY', 'PG_TWO_PHASE'].includes(error.code), error.code);
        refused++;
      } finally {
        decoder.discard();
      }
    }),
    { numRuns: 3000 },
  );
  assert(refused > 0);
});

test('a cut message is always refused where its end matters', () => {
  const { sink } = setUp();
  assert.equal(sink.begun, false);
  for (const message of [m.insert(1, ['1', 'abc']), m.update(1, ['1', 'abc'], { kind: 'K', row: ['0', null] })]) {
    for (let length = 1; length < message.length; length++) {
      const { send } = setUp();
      send(m.begin('0/100'), ITEMS);
      assert.throws(() => send(message.subarray(0, length)), refusedWith('PG_PROTOCOL'), `${length} bytes`);
    }
  }
});
