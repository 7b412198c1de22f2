import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OperatorError } from '../../../src/errors.ts';
import { GtidSet } from '../../../src/sources/mysql/gtid-set.ts';

const A = '11111111-aaaa-4bbb-8ccc-dddddddddddd';
const B = '99999999-aaaa-4bbb-8ccc-dddddddddddd';

/** A set as a plain list of its transactions. */
type Model = Set<string>;

const ORIGINS = [A, B, `${A}:blue`, `${A}:green`, `${B}:blue`];
const transaction = fc.tuple(fc.constantFrom(...ORIGINS), fc.integer({ min: 1, max: 24 }));
const transactions = fc.array(transaction, { maxLength: 40 });

function modelOf(list: readonly (readonly [string, number])[]): Model {
  return new Set(list.map(([origin, number]) => `${origin}:${number}`));
}

function setOf(list: readonly (readonly [string, number])[]): GtidSet {
  return GtidSet.empty.with(list.map(([origin, number]) => [origin, BigInt(number)] as const));
}

/** What a set's text names, expanded by hand. */
function expand(text: string): Model {
  const model: Model = new Set();
  for (const entry of text.split(',')) {
    const [uuid, ...items] = entry.split(':');
    let origin = uuid;
    for (const item of items) {
      if (/^[a-z_]/.test(item)) {
        origin = `${uuid}:${item}`;
        continue;
      }
      const [first, last = first] = item.split('-').map(Number);
      for (let number = first; number <= last; number++) model.add(`${origin}:${number}`);
    }
  }
  return model;
}

describe('GTID sets', () => {
  test('whatever people and servers write is read, and printed in the normal form', () => {
    const cases: [string, string][] = [
      ['', ''],
      [' , ', ''],
      [`${A}:1-38`, `${A}:1-38`],
      [`\t${A.toUpperCase()} : 1 - 2 `, `${A}:1-2`],
      [`{${A}}:1`, `${A}:1`],
      [`${A.replaceAll('-', '')}:5`, `${A}:5`],
      [`${A}:7-9:1-5:6`, `${A}:1-9`],
      [`${B}:1,\n${A}:2,\n${B}:2-3`, `${A}:2,${B}:1-3`],
      [`${A}:1:Blue:2-3:4:green:9`, `${A}:1:blue:2-4:green:9`],
      [`${A}:9223372036854775806`, `${A}:9223372036854775806`],
    ];
    for (const [text, printed] of cases) assert.equal(GtidSet.parse(text).toString(), printed, text);
  });

  test('anything else is refused by name, with an example', () => {
    const bad = [
      'x',
      A,
      `${A}:`,
      `${A}:0`,
      `${A}:1-`,
      `${A}:9223372036854775807`,
      `${A}:tag`,
      `${A}:1:tag`,
      `${A}:a-b:1`,
      `${A}:9-5`,
      `${A}:1-2-3`,
      `${A}:1 2`,
      `{${A}:1`,
      `${A.replace('-', '')}:1`,
      `${A}:${'t'.repeat(33)}:1`,
      '0-1-100',
    ];
    for (const text of bad) {
      assert.throws(
        () => GtidSet.parse(text),
        (error) => error instanceof OperatorError && error.code === 'MYSQL_GTID_SYNTAX' && error.fix !== undefined,
        text,
      );
    }
  });

  test('they hold what a plain list of transactions holds', () => {
    fc.assert(
      fc.property(transactions, transactions, (left, right) => {
        const [a, b] = [setOf(left), setOf(right)];
        const [x, y] = [modelOf(left), modelOf(right)];
        assert.deepEqual(expand(a.toString()), x.size === 0 ? expand('') : x);
        assert.equal(a.count, BigInt(x.size));
        assert.equal(GtidSet.parse(a.toString()).toString(), a.toString());
        assert.deepEqual(expand(a.union(b).toString()), expand([...x, ...y].join()));
        assert.deepEqual(expand(a.subtract(b).toString()), expand([...x].filter((each) => !y.has(each)).join()));
        assert.equal(
          a.isSubsetOf(b),
          [...x].every((each) => y.has(each)),
        );
        assert.equal(a.isEmpty, x.size === 0);
      }),
      { numRuns: 1000 },
    );
  });

  test('the binary form is the same set', () => {
    fc.assert(
      fc.property(transactions, (list) => {
        const set = setOf(list);
        const bytes = set.encode();
        assert.equal(GtidSet.decode(bytes, 0, bytes.length).toString(), set.toString());
      }),
    );
  });

  test('tags, and only they, make the newer binary form, as older servers refuse it', () => {
    assert.equal(
      GtidSet.parse(`${A}:1-5`).encode().toString('hex'),
      `0100000000000000${A.replaceAll('-', '')}010000000000000001000000000000000600000000000000`,
    );
    const tagged = GtidSet.parse(`${A}:1:blue:2`).encode();
    assert.deepEqual([tagged[0], tagged[1], tagged[7]], [1, 2, 1]);
    assert.equal(tagged.subarray(8 + 16, 8 + 17).toString('hex'), '00');
  });

  test('a binary form that is cut short is no set', () => {
    const bytes = GtidSet.parse(`${A}:1:blue:2-3,${B}:7`).encode();
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => GtidSet.decode(bytes, 0, length), RangeError);
    }
  });
});
