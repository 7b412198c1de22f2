import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { ChangeLog } from '../../../../src/changes/change-log.ts';
import { OperatorError } from '../../../../src/errors.ts';
import type { ChangeSink } from '../../../../src/sources/source.ts';
import { ReaderRig } from '../../../harness/binlog.ts';
import { event, gtid, query, unsealed, XID } from './build.ts';
import { captured } from './captured.ts';

const events = captured('mysql');
const FORMAT = events[0];
const [TABLE, ROWS] = events.slice(8, 10).map(unsealed);

/** A transaction of `count` rows events (2 rows each) packed into one event. `size`: what it says that it comes to. */
function payload(
  count: number,
  { size, tail = [unsealed(XID)] }: { size?: number; tail?: readonly Buffer[] } = {},
): Buffer {
  const parts = [unsealed(query('BEGIN')), TABLE, ...Array<Buffer>(count).fill(ROWS), ...tail];
  const plain = Buffer.concat(parts);
  const uncompressed = Buffer.alloc(9);
  uncompressed[0] = 0xfe;
  uncompressed.writeBigUInt64LE(BigInt(size ?? plain.length), 1);
  return event(
    40,
    Buffer.concat([Buffer.from([2, 1, 0, 3, 9]), uncompressed, Buffer.from([0]), zstdCompressSync(plain)]),
  );
}

function isRefused(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof OperatorError && error.code === 'MYSQL_PROTOCOL' && pattern.test(error.message);
}

/** Counts, and is full after every thousand changes until somebody waits. */
class CountingSink implements ChangeSink {
  readonly changes = new ChangeLog();
  full = false;
  count = 0;
  waits = 0;
  committed = false;
  targetColumns = () => [];

  async drained(): Promise<void> {
    this.waits++;
    await new Promise((resolve) => setImmediate(resolve));
    this.full = false;
  }

  begin(): void {}
  entryAppended(): void {
    this.changes.clear();
    if (++this.count % 1000 === 0) this.full = true;
  }
  commit(): void {
    this.committed = true;
  }
  spillStarted(): void {}
  commitSpilled(): void {}
  progress(): void {}
}

test('a large payload comes in pieces: memory stays small, and a sink that is full is waited for', async () => {
  const count = 600_000;
  const packed = payload(count);
  const sink = new CountingSink();
  const rig = new ReaderRig('mysql', { sink });
  global.gc?.();
  const before = process.memoryUsage().rss;
  await rig.feed([FORMAT, gtid(1), packed]);
  const grown = process.memoryUsage().rss - before;
  assert.equal(sink.count, 2 * count);
  assert.equal(sink.committed, true);
  assert.ok(sink.waits > 5, `${sink.waits} waits`);
  assert.ok(ROWS.length * count > 40e6);
  assert.ok(grown < 40e6, `${Math.round(grown / 1e6)} MB`);
});

test('the size that a payload says is not believed', async () => {
  for (const size of [0, 1, 2 ** 40]) {
    const sink = new CountingSink();
    await new ReaderRig('mysql', { sink }).feed([FORMAT, gtid(1), payload(60_000, { size })]);
    assert.equal(sink.count, 120_000);
  }
});

test('a payload that is damaged, does not end its transaction, or holds what it cannot', async () => {
  const refused = async (packed: Buffer, pattern: RegExp) => {
    await assert.rejects(new ReaderRig('mysql').feed([FORMAT, gtid(1), packed]), isRefused(pattern));
  };
  const inner = (changed: Buffer) => payload(1, { tail: [changed, unsealed(XID)] });
  await refused(payload(1, { tail: [] }), /does not end/);
  await refused(payload(60_000, { tail: [] }), /does not end/);
  await refused(payload(1, { tail: [unsealed(XID).subarray(0, 20)] }), /cut short/);
  await refused(payload(60_000, { tail: [unsealed(XID).subarray(0, 20)] }), /cut short/);
  await refused(inner(unsealed(gtid(2))), /a GTID in it/);
  await refused(inner(unsealed(FORMAT)), /a FORMAT_DESCRIPTION in it/);
  await refused(inner(unsealed(payload(1))), /a TRANSACTION_PAYLOAD in it/);
  const damaged = event(40, payload(1).subarray(19, -20));
  await refused(damaged, /cut short|decompressed/);
  await refused(event(40, Buffer.from([2, 1, 7, 0])), /method 7/);
  await refused(event(40, Buffer.from([2, 1, 0, 0, 1, 2, 3, 4])), /decompressed/);
  const large = payload(60_000);
  await refused(event(40, large.subarray(19, -10)), /cut short|decompressed/);
});

test('what a reader was reading when it was given up is not handed on', async () => {
  const sink = new CountingSink();
  const rig = new ReaderRig('mysql', { sink });
  await rig.feed([FORMAT, gtid(1)]);
  sink.drained = async () => {
    rig.reader.discard();
    sink.full = false;
  };
  await rig.feed([payload(100_000)]);
  assert.ok(sink.count < 200_000);
  assert.equal(sink.committed, false);
});
