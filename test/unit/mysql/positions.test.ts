import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import {
  type Gtid,
  gtidText,
  parseMysqlPosition,
  PositionTracker,
  transactionsBetween,
} from '../../../src/sources/mysql/positions.ts';

const A = '11111111-aaaa-4bbb-8ccc-dddddddddddd';
const B = '99999999-aaaa-4bbb-8ccc-dddddddddddd';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function mysql(origin: string, number: number): Gtid {
  return { flavour: 'mysql', origin, number: BigInt(number) };
}

function mariadb(domain: number, server: number, sequence: number): Gtid {
  return { flavour: 'mariadb', domain, server, sequence: BigInt(sequence) };
}

describe('positions of MySQL and MariaDB', () => {
  test('a stream is followed from the checkpoint on, and every position can be looked at, in any order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(A, B, `${A}:blue`), fc.integer({ min: 1, max: 30 })), { minLength: 1 }),
        fc.infiniteStream(fc.nat()),
        (steps, picks) => {
          const start = parseMysqlPosition(`${A}:1-3`);
          const tracker = new PositionTracker('mysql', start);
          const positions = steps.map(([origin, number]) => tracker.add(mysql(origin, number)));
          const expected = steps.map((_, i) =>
            steps
              .slice(0, i + 1)
              .map(([origin, number]) => `${origin}:${number}`)
              .join(),
          );
          for (let i = 0; i < 2 * steps.length; i++) {
            const at = (picks.next().value as number) % steps.length;
            const same = parseMysqlPosition(`${A}:1-3,${expected[at]}`);
            assert.equal(positions[at].toString(), same.toString());
            assert(positions[at].covers(same) && same.covers(positions[at]));
            assert(positions[at].covers(positions[0]) && positions[at].covers(start));
          }
        },
      ),
    );
  });

  test('transactions that nobody looks at cost next to nothing, and are not kept for ever', () => {
    const tracker = new PositionTracker('mysql', undefined);
    const add = (from: number, to: number) => {
      for (let i = from; i <= to; i++) tracker.add(mysql(A, i));
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = add(1, 10_000);
    const began = performance.now();
    const after = add(10_001, 400_000);
    const took = performance.now() - began;
    assert(after - before < 2_000_000, `${after - before} bytes more`);
    // A second of a fast source's transactions is a third of this.
    assert(took < 1500, `${took} ms`);
    assert.equal(tracker.current.toString(), `${A}:1-400000`);
  });

  test('two positions of one tracker are compared without making their sets', () => {
    // Ten thousand gaps: each set that is made costs what a thousand transactions do.
    const gaps = Array.from({ length: 10_000 }, (_, i) => `:${3 * i + 1}`).join('');
    const tracker = new PositionTracker('mysql', parseMysqlPosition(`${B}${gaps}`));
    const began = performance.now();
    let earlier = tracker.current;
    for (let i = 1; i <= 4000; i++) {
      const later = tracker.add(mysql(B, 1_000_000 + i));
      assert(later.covers(earlier) && !earlier.covers(later));
      earlier = later;
    }
    assert(performance.now() - began < 1000);
  });

  test('two transactions that count together are one step', () => {
    const tracker = new PositionTracker('mysql', parseMysqlPosition(`${A}:1-3:5`));
    assert.equal(tracker.add(mysql(A, 4), mysql(A, 6)).toString(), `${A}:1-6`);
  });

  test('of MariaDB: the last transaction of each domain', () => {
    const start = parseMysqlPosition('7-2-5, 0-1-100');
    assert.equal(start.toString(), '0-1-100,7-2-5');
    const tracker = new PositionTracker('mariadb', start);
    const next = tracker.add(mariadb(0, 3, 101));
    assert.equal(next.toString(), '0-3-101,7-2-5');
    assert.equal(tracker.add(mariadb(1, 1, 1)).toString(), '0-3-101,1-1-1,7-2-5');
    assert(next.covers(parseMysqlPosition('0-1-101')));
    assert(!next.covers(parseMysqlPosition('0-1-102')));
    assert(!next.covers(parseMysqlPosition('2-1-1')));
    assert.throws(() => next.encode(), TypeError);
  });

  test('what cannot be read is refused by name', () => {
    for (const text of ['0-1', '0-1-1,0-1-2', '0-1-1,x', '1-2-3-4', '9999999999-1-1', '0-1-99999999999999999999']) {
      assert.throws(() => parseMysqlPosition(text), { code: 'MYSQL_GTID_SYNTAX' }, text);
    }
  });

  test('how many transactions lie between two', () => {
    const between = (from: string, to: string) => transactionsBetween(parseMysqlPosition(from), parseMysqlPosition(to));
    assert.equal(between(`${A}:1-3`, `${A}:1-10,${B}:2`), 8);
    assert.equal(between(`${A}:1-10`, `${A}:1-3`), 0);
    assert.equal(between('0-1-5', '0-1-8,1-1-2'), 5);
    assert.equal(between('', '0-1-8'), undefined);
    assert.equal(transactionsBetween(parseMysqlPosition('', 'mariadb'), parseMysqlPosition('0-1-8')), 8);
  });

  test('a GTID is printed as the servers do', () => {
    assert.equal(gtidText(mysql(`${A}:blue`, 7)), `${A}:blue:7`);
    assert.equal(gtidText(mariadb(0, 1, 7)), '0-1-7');
  });
});
