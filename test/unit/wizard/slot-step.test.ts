import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Answers } from '../../../src/sessions/replication.ts';
import type { SourceChoices } from '../../../src/wizard/servers.ts';
import { SlotStep } from '../../../src/wizard/steps/slot.tsx';
import type { TerminalOptions } from '../../harness/terminal.ts';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { publication, setupOn, slot } from './setup-rig.ts';

const NEW: Partial<Answers> = { tables: 'all', publication: { name: 'molt_fetch', create: true } };
const THEIRS: Partial<Answers> = { tables: ['public.orders'], publication: { name: 'theirs', create: false } };

async function open(
  t: TestContext,
  answers: Partial<Answers>,
  choices: Partial<SourceChoices> = {},
  size: TerminalOptions = {},
) {
  const session = await setupOn(t, {
    readChoices: async () => ({ tables: [], publications: [], slots: [], ...choices }),
  });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  session.change(answers);
  const shown = await showStep(t, SlotStep, session, size);
  await shown.terminal.waitFor('What shall they be called');
  return { session, ...shown };
}

for (const size of SIZES) {
  test(`publication and slot get the customary names, or others, ${sizeName(size)}`, async (t) => {
    const { terminal, session, went } = await open(t, NEW, { slots: [slot('theirs')] }, size);
    assert.match(terminal.screen(), /Publication +molt_fetch/);
    assert.match(terminal.screen(), /❯ Slot +molt_slot/);
    assert.match(terminal.screen(), /theirs .*free +3\.10 MB/);
    await terminal.type('_2');
    await terminal.press('return');
    assert.deepEqual(went, ['next']);
    assert.deepEqual(session.replication.answers.slot, { name: 'molt_slot_2', create: true });
    assert.deepEqual(session.replication.answers.publication, { name: 'molt_fetch', create: true });
  });
}

test('a slot that exists is an offer', async (t) => {
  const { terminal, session, went } = await open(t, THEIRS, {
    publications: [publication('theirs')],
    slots: [slot('molt_slot')],
  });
  assert.doesNotMatch(terminal.screen(), /Publication +molt/);
  await terminal.press('return');
  assert.match(terminal.screen(), /The source has a slot molt_slot already\./);
  assert.match(terminal.screen(), /replication begins at 0\/167A220, with the 3\.10 MB of log/);
  await terminal.press('down', 'return');
  assert.deepEqual(went, []);
  await terminal.press('return', 'return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.slot, { name: 'molt_slot', create: false });
});

test('a publication that exists is an offer, which changes what is replicated', async (t) => {
  const { terminal, session, went } = await open(t, NEW, { publications: [publication('molt_fetch')] });
  await terminal.press('return');
  assert.match(terminal.screen(), /The source has a publication molt_fetch already\./);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.publication, { name: 'molt_fetch', create: false });
  assert.deepEqual(session.replication.answers.tables, ['public.orders']);
  assert.deepEqual(session.replication.answers.slot, { name: 'molt_slot', create: true });
});

test('both may exist and be used', async (t) => {
  const { terminal, session, went } = await open(t, NEW, {
    publications: [publication('molt_fetch', { allTables: true })],
    slots: [slot('molt_slot')],
  });
  await terminal.press('return', 'return');
  assert.match(terminal.screen(), /The source has a slot molt_slot already\./);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.replication.answers.tables, 'all');
  assert.equal(session.replication.answers.slot?.create, false);
});

test('a slot cannot be older than its publication', async (t) => {
  const { terminal, went } = await open(t, NEW, { slots: [slot('molt_slot')] });
  await terminal.press('return');
  assert.match(terminal.screen(), /✗ it is older than the publication that is to be made/);
  assert.deepEqual(went, []);
});

test('a slot of somebody else says why it cannot be used', async (t) => {
  const busy = slot('molt_slot', { activePid: 4711, problem: 'it is in use by another connection (PID 4711)' });
  const { terminal, went } = await open(t, THEIRS, { publications: [publication('theirs')], slots: [busy] });
  await terminal.press('return');
  assert.match(terminal.screen(), /✗ it is in use by another connection \(PID 4711\)/);
  assert.match(terminal.screen(), /molt_slot +shop +pgoutput +in use/);
  assert.deepEqual(went, []);
});

test('a name that PostgreSQL would refuse is refused here', async (t) => {
  const { terminal, went } = await open(t, NEW);
  await terminal.type('-X');
  assert.match(terminal.screen(), /✗ .*(lower|letters)/i);
  await terminal.press('return');
  assert.deepEqual(went, []);
});

test('what a launch that was broken off has made is used without a question', async (t) => {
  const session = await setupOn(t, {
    readChoices: async () => ({ tables: [], publications: [publication('molt_fetch')], slots: [slot('molt_slot')] }),
  });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  session.change(NEW);
  session.store.update('replication', (saved) => ({
    ...saved,
    made: [
      { what: 'publication', side: 'source', name: 'molt_fetch', at: '2026-11-20T10:05:00.000Z' },
      { what: 'slot', side: 'source', name: 'molt_slot', at: '2026-11-20T10:05:00.000Z' },
    ],
  }));
  session.open('slot');
  const { terminal, went } = await showStep(t, SlotStep, session);
  await terminal.waitFor('What shall they be called');
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.slot, { name: 'molt_slot', create: true });
});

test('names that are half typed are there again', async (t) => {
  const { terminal, session, went } = await open(t, NEW);
  await terminal.type('_half');
  await terminal.press('escape');
  assert.deepEqual(went, ['back']);
  const again = await showStep(t, SlotStep, session);
  await again.terminal.waitFor('molt_slot_half');
});
