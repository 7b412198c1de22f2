import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement } from 'react';
import { isInteractive, useExit } from '../../../src/terminal/app.tsx';
import { useKeys } from '../../../src/terminal/key-bindings.tsx';
import { Screen } from '../../../src/terminal/screen.tsx';
import { Select } from '../../../src/terminal/select.tsx';
import { openTerminal } from '../../harness/terminal.ts';

test('somebody is there when both ends are a terminal that can draw, and nothing is automated', () => {
  const terminal = { isTTY: true };
  const inter = (
    env: NodeJS.ProcessEnv,
    stdin: { isTTY?: boolean } = terminal,
    stdout: { isTTY?: boolean } = terminal,
  ) => isInteractive({ stdin, stdout, env });
  assert.equal(inter({ TERM: 'xterm' }), true);
  assert.equal(inter({ TERM: 'xterm', CI: 'false' }), true);
  assert.equal(inter({ TERM: 'dumb' }), false);
  assert.equal(inter({ TERM: 'xterm', CI: 'true' }), false);
  assert.equal(inter({ TERM: 'xterm' }, {}), false);
  assert.equal(inter({ TERM: 'xterm' }, terminal, {}), false);
});

test('the app ends with the value given to exit', async () => {
  function Leaves() {
    const exit = useExit();
    useKeys([{ keys: ['q'], label: 'quit', run: () => exit({ left: true }) }]);
    return null;
  }
  const terminal = await openTerminal(createElement(Screen, { title: 'x' }, createElement(Leaves)));
  await terminal.press('q');
  assert.deepEqual(await terminal.ended, { left: true });
});

test('what a choice throws is shown, not lost with the program', async () => {
  const items = [{ value: 'a', label: 'A' }];
  const onSelect = () => {
    throw new Error('thrown by a choice');
  };
  const terminal = await openTerminal(
    createElement(Screen, { title: 'x' }, createElement(Select, { items, onSelect, focus: true })),
  );
  await terminal.press('return');
  assert.match(terminal.screen(), /thrown by a choice/);
  await terminal.close();
});
