import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepPicture, TAKING_PICTURES } from '../harness/pictures.ts';
import { startTerminal } from '../harness/pseudo-terminal.ts';

const START = 60_000;

for (const [key, meaning] of [
  ['q', 'leaving'],
  ['ctrl+c', 'Ctrl-C'],
] as const) {
  test(`the demo in a terminal opens the dashboard; ${meaning} drains and compares both sides`, async (t) => {
    const terminal = startTerminal(t, ['demo', '--rate', '100']);
    const screen = await terminal.waitFor(/order_items +[1-9]/, START);
    assert.match(screen, /Demo: a shop +● (following|caught up)/);
    assert.match(screen, /applied 0\/[0-9A-F]+ +source 0\/[0-9A-F]+/);
    assert.ok(terminal.isAlternate());
    // A picture with some history in it.
    if (TAKING_PICTURES) await terminal.waitFor(/[▁▂▃▄▅▆▇█]{16}/, START);
    keepPicture(terminal, 'demo');
    await terminal.press(key);
    assert.deepEqual(await terminal.exit, { code: 0, signal: 0 });
    assert.match(terminal.screen(), /total +[\d,]+ +[\d,]+ +equal/);
    assert.ok(!terminal.isAlternate());
    assert.ok(terminal.cursorShown());
  });
}

test('the demo on the dashboard ends by itself after --seconds', async (t) => {
  const terminal = startTerminal(t, ['demo', '--rate', '50', '--seconds', '3']);
  await terminal.waitFor('Demo: a shop', START);
  assert.deepEqual(await terminal.exit, { code: 0, signal: 0 });
  assert.match(terminal.screen(), /total +[\d,]+ +[\d,]+ +equal/);
});
