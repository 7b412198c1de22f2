import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectDialect } from '../../../src/target/dialect.ts';

test('products and versions are read from version()', () => {
  assert.deepEqual(
    detectDialect('CockroachDB CCL v26.2.0 (x86_64-pc-linux-gnu, built 2026/04/20 18:00:00, go1.25.3)'),
    { product: 'cockroachdb', version: 26.02 },
  );
  assert.deepEqual(detectDialect('CockroachDB CCL v25.4.0-rc.1 (aarch64-unknown-linux-gnu)'), {
    product: 'cockroachdb',
    version: 25.04,
  });
  assert.deepEqual(detectDialect('PostgreSQL 14.23 on x86_64-pc-linux-gnu'), { product: 'postgresql', version: 14.23 });
  assert.deepEqual(detectDialect('PostgreSQL 18beta1 on aarch64'), { product: 'postgresql', version: 18 });
});

test('anything else is refused by name', () => {
  for (const text of ['8.0.36', 'YugabyteDB 2.20', 'EnterpriseDB PostgreSQL 15', '']) {
    assert.throws(() => detectDialect(text), { code: 'TARGET_PRODUCT_UNKNOWN' }, text);
  }
});
