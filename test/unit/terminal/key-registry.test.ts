import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitHints, footerHints } from '../../../src/terminal/hints.ts';
import { type Binding, type KeyLayer, KeyRegistry } from '../../../src/terminal/key-registry.ts';
import type { Key } from '../../../src/terminal/keys.ts';

function press(name: string): Key {
  const ctrl = name.startsWith('ctrl+');
  const bare = name.replace('ctrl+', '');
  return { name: bare, ctrl, alt: false, shift: false, text: bare.length === 1 && !ctrl ? bare : undefined };
}

function rig() {
  const registry = new KeyRegistry();
  const done: string[] = [];
  const binding = (key: string, label: string, more: Partial<Binding> = {}): Binding => ({
    keys: [key],
    label,
    run: () => done.push(label),
    ...more,
  });
  const layer = (more: Partial<KeyLayer>): object => {
    const owner = {};
    registry.set(owner, { scope: 'screen', order: registry.nextOrder(), modal: undefined, bindings: [], ...more });
    return owner;
  };
  return { registry, done, binding, layer };
}

test('controls are asked before screens, screens before what is global, later ones before earlier ones', () => {
  const { registry, done, binding, layer } = rig();
  layer({ scope: 'global', bindings: [binding('x', 'global'), binding('g', 'only global')] });
  const control = layer({ scope: 'control', bindings: [binding('x', 'control')] });
  layer({ bindings: [binding('x', 'first screen')] });
  layer({ bindings: [binding('x', 'second screen')] });
  registry.dispatch(press('x'));
  registry.delete(control);
  registry.dispatch(press('x'));
  registry.dispatch(press('g'));
  assert.deepEqual(done, ['control', 'second screen', 'only global']);
  assert.equal(registry.dispatch(press('z')), false);
});

test('a field gets what is typed before the keys of its screen', () => {
  const { registry, done, binding, layer } = rig();
  layer({ bindings: [binding('r', 'resume'), binding('escape', 'back')] });
  layer({ scope: 'control', onOther: (key) => key.text !== undefined && done.push(key.text) > 0 });
  for (const name of ['r', 'escape']) registry.dispatch(press(name));
  assert.deepEqual(done, ['r', 'back']);
});

test('a dialog keeps every key but Ctrl-C to itself', () => {
  const { registry, done, binding, layer } = rig();
  const dialog = {};
  layer({ scope: 'global', bindings: [binding('ctrl+c', 'quit'), binding('ctrl+l', 'draw'), binding('?', 'help')] });
  layer({ scope: 'control', bindings: [binding('return', 'submit')] });
  registry.openDialog(dialog, registry.nextOrder());
  layer({ scope: 'modal', modal: dialog, bindings: [binding('y', 'yes')] });
  for (const name of ['return', '?', 'y', 'ctrl+l', 'ctrl+c']) registry.dispatch(press(name));
  registry.closeDialog(dialog);
  registry.dispatch(press('return'));
  assert.deepEqual(done, ['yes', 'draw', 'quit', 'submit']);
});

test('of two dialogs the later one has the keys', () => {
  const { registry, done, binding, layer } = rig();
  const [first, second] = [{}, {}];
  const [orderOfFirst, orderOfSecond] = [registry.nextOrder(), registry.nextOrder()];
  registry.openDialog(second, orderOfSecond);
  registry.openDialog(first, orderOfFirst);
  layer({ modal: first, bindings: [binding('y', 'first')] });
  layer({ modal: second, bindings: [binding('y', 'second')] });
  registry.dispatch(press('y'));
  registry.closeDialog(second);
  registry.dispatch(press('y'));
  assert.deepEqual(done, ['second', 'first']);
});

test('a second Ctrl-C leaves, whoever takes the first', () => {
  const { registry, done, binding, layer } = rig();
  layer({ scope: 'global', bindings: [binding('ctrl+c', 'quit')] });
  layer({ bindings: [binding('ctrl+c', 'save first?')] });
  registry.dispatch(press('ctrl+c'), 0);
  registry.dispatch(press('ctrl+c'), 1500);
  registry.dispatch(press('ctrl+c'), 9000);
  assert.deepEqual(done, ['save first?', 'quit', 'save first?']);
});

test('a key that cannot be used now says why', () => {
  const { registry, done, binding, layer } = rig();
  registry.onDisabled = (reason) => done.push(reason);
  layer({ bindings: [binding('p', 'pause', { disabled: 'it is not running' })] });
  registry.dispatch(press('p'));
  registry.perform(1, 'pause');
  assert.deepEqual(done, ['it is not running', 'it is not running']);
});

test('listeners are told when keys or labels change, and only then', () => {
  const { registry, binding } = rig();
  let told = 0;
  registry.subscribe(() => told++);
  const owner = {};
  const set = (label: string) =>
    registry.set(owner, { scope: 'screen', order: 1, modal: undefined, bindings: [binding('p', label)] });
  set('pause');
  const shown = registry.reachable();
  set('pause');
  assert.deepEqual([told, registry.reachable() === shown], [1, true]);
  set('continue');
  assert.equal(told, 2);
});

test('the footer tells what can be pressed: no key twice, none that would be typed, always the help', () => {
  const { registry, binding, layer } = rig();
  layer({ scope: 'global', bindings: [binding('?', 'help'), { keys: [':', 'ctrl+p'], label: 'menu', run() {} }] });
  layer({
    bindings: [
      binding('r', 'resume'),
      binding('escape', 'back'),
      binding('x', 'never shown', { footer: false }),
      binding('d', 'not now', { disabled: 'why' }),
    ],
  });
  const list = layer({
    scope: 'control',
    bindings: [binding('up', 'move'), binding('down', 'move'), binding('escape', 'clear')],
  });
  const hints = footerHints(registry.reachable(), false);
  assert.deepEqual(
    hints.map(({ key, label }) => `${key} ${label}`),
    ['↑↓ move', 'esc clear', 'r resume', '? help', ': menu'],
  );
  assert.deepEqual(
    fitHints(hints, 27, 1).map((line) => line.map(({ label }) => label)),
    [['move', 'help']],
  );
  registry.delete(list);
  layer({ scope: 'control', bindings: [binding('return', 'accept')], onOther: () => true });
  assert.deepEqual(
    footerHints(registry.reachable(), false).map(({ key, label }) => `${key} ${label}`),
    ['enter accept', 'esc back', '^P menu'],
  );
});
