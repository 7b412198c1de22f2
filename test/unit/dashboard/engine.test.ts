import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import { busy, NOW } from '../../harness/fake-replicator.ts';
import { show } from './shown.ts';

test('p pauses and continues', async (t) => {
  const { screen, look, asked } = await show(t);
  await screen.press('p');
  await look();
  await screen.waitFor('stalled: paused');
  assert.match(screen.screen(), /paused on request/);
  await screen.waitFor('p continue');
  await screen.press('p');
  await look(1, busy);
  await screen.waitFor('● following');
  assert.deepEqual(asked, ['pause', 'continue']);
});

test('s stops only after a question whose first answer is harmless; then r resumes', async (t) => {
  const { screen, asked, look } = await show(t);
  await screen.press('s');
  await screen.waitFor('Stop the engine?');
  await screen.press('return');
  assert.deepEqual(asked, []);
  await screen.press('s', 'right', 'return');
  const stopped = await screen.waitFor('The engine was stopped');
  assert.match(stopped, /everything up to 0\/[0-9A-F]+ is on the target and stays there/);
  assert.match(stopped, /r resumes, l shows the log, q leaves/);
  assert.doesNotMatch(stopped, /p pause/);
  await screen.press('r');
  await look(2, busy);
  await screen.waitFor(/● (following|caught up)|✓ caught up/);
  assert.deepEqual(asked, ['stop', 'resume']);
});

test('q asks: leave it running, stop it, or stay', async (t) => {
  const { screen, asked, left } = await show(t);
  await screen.press('q');
  await screen.waitFor('Leave the dashboard?');
  await screen.press('escape');
  assert.equal(left(), 0);
  await screen.press('q', 'down', 'down', 'return');
  assert.equal(left(), 0, 'stay');
  await screen.press('q', 'return');
  assert.equal(left(), 1);
  assert.deepEqual(asked, []);
  await screen.press('q', 'down', 'return');
  assert.deepEqual(asked, ['stop']);
  assert.equal(left(), 2);
});

test('an engine that died: why, what is safe, the fix, and r resumes; a resume that fails says so', async (t) => {
  const { screen, engine, look, state, asked } = await show(t, { terminal: { columns: 100, rows: 30 } });
  engine.gone = true;
  state.ending = {
    at: new Date(NOW + 30_000).toISOString(),
    how: 'failed',
    code: 'TARGET_TABLE_MISSING',
    message: 'table shop.public.items is not there on the target; nothing of the transaction was applied',
    fix: 'CREATE TABLE items (id INT8 PRIMARY KEY);\nSELECT 1;',
  };
  await look(2);
  const ended = await screen.waitFor('The engine has ended');
  assert.match(ended, /✗ not running/);
  assert.match(ended, /why +TARGET_TABLE_MISSING: table shop\.public\.items is not there/);
  assert.match(ended, /safe +everything up to 0\/[0-9A-F]+ is on the target and stays there; the slot keeps the rest/);
  assert.match(ended, /fix +CREATE TABLE items \(id INT8 PRIMARY KEY\);\n\s+SELECT 1;/);
  const { resume } = state;
  state.resume = () =>
    Promise.reject(new OperatorError('PG_SLOT_LOST', 'the slot is lost', { fix: 'make a new copy' }));
  await screen.press('r');
  const failed = await screen.waitFor(/resuming failed: the slot is lost \(PG_SLOT_LOST\)/);
  assert.match(failed, /fix +make a new copy/);
  state.resume = resume;
  await screen.press('r');
  state.ending = undefined;
  await look(2, busy);
  await screen.waitFor('Tables 3');
  assert.deepEqual(asked, ['resume', 'resume']);
});

test('an engine that died of an error that is explained: what it means for the data, in place of what is true of others', async (t) => {
  const { screen, engine, look, state } = await show(t);
  engine.gone = true;
  const at = new Date(NOW).toISOString();
  state.ending = { at, how: 'failed', code: 'PG_SLOT_LOST', message: 'the slot is lost', fix: 'SELECT 1;' };
  await look(2);
  const ended = await screen.waitFor('The engine has ended');
  const text = ended.replaceAll(/\s+/g, ' ');
  assert.match(text, /is on the target and stays there\. Changes behind the checkpoint cannot be delivered any more/);
  assert.match(text, /more instar explain PG_SLOT_LOST/);
  assert.doesNotMatch(text, /the slot keeps the rest/);
});

test('an engine that vanished', async (t) => {
  const { screen, engine, look, state } = await show(t);
  engine.gone = true;
  state.ending = { at: new Date(NOW).toISOString(), how: 'killed' };
  await look(1);
  await screen.waitFor(/vanished without a word: killed, out of memory/);
});

test('a viewer has no keys to pause, stop or resume, and q leaves at once', async (t) => {
  const { screen, left } = await show(t, { viewer: true });
  assert.doesNotMatch(screen.screen(), /p pause|s stop/);
  await screen.press('p', 's', 'r');
  assert.doesNotMatch(screen.screen(), /Stop the engine/);
  await screen.press('q');
  assert.equal(left(), 1);
});
