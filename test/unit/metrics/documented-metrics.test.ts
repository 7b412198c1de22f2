import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definitions } from '../../../src/metrics/names.ts';
import { DOCUMENTED_METRICS } from '../../documented/metrics.ts';

/** Documented metrics of PostgreSQL, MySQL and Oracle sources that are not here, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  mutations_received_count: 'renamed in 1.2.0: acceptor_mutations_total{type="received"}',
  mutations_success_count: 'renamed in 1.2.0: acceptor_mutations_total{type="success"}',
  mutations_error_count: 'renamed in 1.2.0: acceptor_mutations_total{type="error"}',
  apply_mutation_age_seconds: 'renamed in 1.2.0: target_apply_mutation_age_seconds',
};

const OURS = DOCUMENTED_METRICS.filter(([, , , sources]) => sources.some((source) => source !== 'cockroachdb'));

test('every documented metric of PostgreSQL, MySQL and Oracle is here with its type and labels, or left out for a reason', () => {
  assert.equal(OURS.length, 74);
  const missing = OURS.map(([name]) => name).filter((name) => !(name in definitions));
  assert.deepEqual(missing.sort(), Object.keys(LEFT_OUT).sort());
  for (const [name, type, labels] of OURS) {
    if (name in LEFT_OUT) continue;
    const here = definitions[name as keyof typeof definitions];
    assert.deepEqual([here.type, [...here.labels].sort()], [type, [...labels].sort()], name);
  }
});

test('what is not documented is named as our own', () => {
  const documented = new Set(DOCUMENTED_METRICS.map(([name]) => name));
  for (const name of Object.keys(definitions)) assert(documented.has(name) || name.startsWith('instar_'), name);
});
