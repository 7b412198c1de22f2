import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UsageError } from '../../../src/errors.ts';
import type { Replication } from '../../../src/sessions/replication.ts';
import { readChanges } from '../../../src/wizard/change-file.ts';
import { launched } from './saved.ts';

const folder = mkdtempSync(join(tmpdir(), 'instar-change-file-'));
after(() => rmSync(folder, { recursive: true }));

const { answers } = launched('shop');
const SHOP = launched('shop', {
  answers: { ...answers, options: { flushSize: '500', gracePeriod: '5s', enableParallelApplies: 'true' } },
});

function changes(content: string, { mode = 0o600, of = SHOP }: { mode?: number; of?: Replication } = {}) {
  const path = join(folder, 'changes.yaml');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return readChanges(path, of);
}

test('what a file does not name stays; an option without a value, or with its default, has the default again', () => {
  assert.deepEqual(changes('source: $OTHER\n', { mode: 0o644 }), { connections: { source: '$OTHER' }, options: {} });
  const found = changes(`name: shop
target: postgresql://app:MARKER@db2/shop
options:
  flushSize:
  gracePeriod: 30s
  enableParallelApplies: true
  metricsAddr: :30005
`);
  assert.deepEqual(found, {
    connections: { target: 'postgresql://app:MARKER@db2/shop' },
    options: { flushSize: undefined, gracePeriod: undefined, metricsAddr: ':30005' },
  });
});

test('what is launched stays: other tables, another slot, another staging schema are refused with the line', () => {
  const cases: [string, RegExp, Replication?][] = [
    ['tables: all\n', /line 1: tables cannot be changed after the launch/],
    ['source: $A\nslot: other\n', /line 2: slot cannot be changed after the launch/],
    ['options:\n  stagingSchema: other\n', /line 2: stagingSchema: .*holds the checkpoint/],
    ['name: orders\nsource: $A\n', /line 1: these are changes of orders, not of shop/],
    ['staging: $S\n', /line 1: the checkpoint of shop is on the target and stays there/],
    ['options:\n  flushsize: 1\n', /line 2: flushsize is not an option; did you mean flushSize\?/],
    ['options:\n  flushSize: many\n', /flushSize must be a number/],
    ['options: 7\n', /options are "flag: value" lines/],
    ['# nothing\n', /changes nothing/],
    [
      'options:\n  userscript: /tmp/other.ts\n',
      /userscript: /,
      launched('shop', { answers: { ...answers, kind: 'mylogical', script: '/tmp/filter.ts', tables: ['shop.a'] } }),
    ],
  ];
  for (const [content, reason, of] of cases) {
    assert.throws(
      () => changes(content, { of }),
      (error) => error instanceof UsageError && reason.test(error.message),
      content,
    );
  }
});

test('the options as they are can stand in the file, those that cannot be changed as well', () => {
  assert.deepEqual(changes('options:\n  stagingSchema: _replicator.public\n  flushSize: 500\n').options, {});
});

test('the default of an option that cannot be changed is another value, where it has another', () => {
  const of = launched('shop', { answers: { ...answers, options: { stagingSchema: 'defaultdb.progress' } } });
  assert.throws(() => changes('options:\n  stagingSchema: _replicator.public\n', { of }), /holds the checkpoint/);
  assert.deepEqual(changes('options:\n  stagingSchema: defaultdb.progress\n', { of }).options, {});
});

test('a file with a password in it must be for its owner alone', () => {
  assert.throws(
    () => changes('source: postgresql://app:MARKER@db1/shop\n', { mode: 0o644 }),
    (error) =>
      error instanceof UsageError && /other users .* can read it/.test(error.message) && !/MARKER/.test(error.message),
  );
});
