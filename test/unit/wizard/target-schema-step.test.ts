import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TargetSchemaStep } from '../../../src/wizard/steps/target-schema.tsx';
import type { TerminalOptions } from '../../harness/terminal.ts';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { setupOn } from './setup-rig.ts';

async function open(t: TestContext, size: TerminalOptions = {}) {
  const session = await setupOn(t, {
    readSchemas: async () => [
      { name: 'public', tables: 12 },
      { name: 'Sales 2026', tables: 1 },
    ],
  });
  session.keepConnection('target', 'postgresql://root@crdb:26257/defaultdb');
  const shown = await showStep(t, TargetSchemaStep, session, size);
  await shown.terminal.waitFor('Which schema of the target');
  return { session, ...shown };
}

for (const size of SIZES) {
  test(`a schema that is there is chosen from a list, ${sizeName(size)}`, async (t) => {
    const { terminal, session, went } = await open(t, size);
    assert.match(terminal.screen(), /❯ defaultdb\.public +12 tables/);
    await terminal.press('down', 'return');
    assert.equal(session.replication.answers.targetSchema, 'defaultdb."Sales 2026"');
    assert.match(terminal.screen(), /❯ Staging schema {2}_replicator\.public/);
    await terminal.press('return');
    assert.deepEqual(went, ['next']);
    assert.deepEqual(session.replication.answers.options, {});
  });
}

test('a schema that is not there yet is typed, and checked as a name', async (t) => {
  const { terminal, session, went } = await open(t);
  await terminal.press('down', 'down', 'return');
  await terminal.type('a.b.c');
  await terminal.press('return');
  assert.match(terminal.screen(), /✗ a schema, or database\.schema/);
  await terminal.press('backspace', 'backspace', 'return', 'return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.replication.answers.targetSchema, 'a.b');
});

test('the staging schema is an option like others, checked as it is typed', async (t) => {
  const { terminal, session, went } = await open(t);
  await terminal.press('return', 'ctrl+u');
  await terminal.type('a.b.c');
  assert.match(terminal.screen(), /✗ stagingSchema takes a schema or database\.schema/);
  await terminal.press('return');
  assert.deepEqual(went, []);
  await terminal.press('backspace', 'backspace', 'return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.options, { stagingSchema: 'a.b' });
  const again = await showStep(t, TargetSchemaStep, session);
  await again.terminal.waitFor(/Staging schema +a\.b/);
});

test('what is typed is there again after going back', async (t) => {
  const { terminal, session, went } = await open(t);
  await terminal.press('up', 'return');
  await terminal.type('half');
  await terminal.press('escape');
  assert.deepEqual(went, ['back']);
  const again = await showStep(t, TargetSchemaStep, session);
  await again.terminal.waitFor('Which schema');
  await again.terminal.press('up');
  assert.match(again.terminal.screen(), /Schema +half/);
});
