import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Sent, TRAPS } from '../../harness/cockroachdb-traps.ts';

const sent = (each: string | Sent): Sent => (typeof each === 'string' ? { sql: each } : each);
const shown = (each: string | Sent) => sent(each).sql.slice(0, 100);

for (const trap of TRAPS) {
  test(`the trap "${trap.name}" catches what it is for, and nothing that looks alike`, () => {
    assert.ok(trap.caught.length > 0 && trap.passed.length > 0);
    for (const each of trap.caught) assert.notEqual(trap.catches(sent(each)), undefined, `not caught: ${shown(each)}`);
    for (const each of trap.passed) assert.equal(trap.catches(sent(each)), undefined, `caught: ${shown(each)}`);
  });
}

test('the traps have names of their own', () => {
  assert.equal(new Set(TRAPS.map(({ name }) => name)).size, TRAPS.length);
});
