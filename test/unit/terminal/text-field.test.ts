import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Key, keyFrom, keyLabel, matches, pasteKey } from '../../../src/terminal/keys.ts';
import { editField, emptyField, fieldReducer, fieldValue } from '../../../src/terminal/text-field.ts';

function key(combination: string): Key {
  const name = combination.replace(/^(?:(?:ctrl|alt|shift)\+)+/, '');
  const held = combination.slice(0, combination.length - name.length);
  const [ctrl, alt, shift] = ['ctrl', 'alt', 'shift'].map((modifier) => held.includes(modifier));
  return { name, ctrl, alt, shift, text: name.length === 1 && !ctrl && !alt ? name : undefined };
}

function typed(value: string, ...keys: (string | Key)[]): string {
  const state = keys.reduce(
    (field, next) => fieldReducer(field, typeof next === 'string' ? key(next) : next),
    emptyField(value),
  );
  return `${state.characters.slice(0, state.cursor).join('')}|${state.characters.slice(state.cursor).join('')}`;
}

test('a field knows the keys of a line', () => {
  assert.equal(typed('abc', 'left', 'X'), 'abX|c');
  assert.equal(typed('abc', 'home', 'delete', 'Z'), 'Z|bc');
  assert.equal(typed('abc', 'backspace', 'backspace'), 'a|');
  assert.equal(typed('one two ', 'ctrl+w'), 'one |');
  assert.equal(typed('one two', 'alt+b', 'ctrl+k'), 'one |');
  assert.equal(typed('one two', 'ctrl+left', 'alt+backspace'), '|two');
  assert.equal(typed('one two', 'ctrl+a', 'alt+f'), 'one| two');
  assert.equal(typed('abc', 'left', 'ctrl+u'), '|c');
  assert.equal(typed('abc', 'ctrl+a', 'ctrl+d', 'ctrl+e', '!'), 'bc!|');
});

test('what a reader takes for a character is one', () => {
  assert.equal(typed('日👩‍👩‍👧', 'backspace'), '日|');
  assert.equal(typed('e', { ...key('x'), name: '\u0301', text: '\u0301' }, 'backspace'), '|');
});

test('a paste loses line breaks at its end, and control characters', () => {
  assert.equal(typed('', pasteKey('postgres://u@h/db\r\n')), 'postgres://u@h/db|');
  assert.equal(typed('', pasteKey('a\nb\x1b[31mc\x07')), 'a bc|');
});

test('keys without a meaning in a line are left to others', () => {
  for (const name of ['up', 'down', 'tab', 'return', 'escape', 'pageup', 'ctrl+p']) {
    assert.equal(editField(emptyField('a'), key(name)), undefined, name);
  }
  // At the end of its way a key that moves has a meaning still, and must not move anything else.
  assert.equal(fieldValue(editField(emptyField(''), key('backspace'))!), '');
});

test('names of keys match what was pressed', () => {
  assert.ok(matches(key('ctrl+c'), 'ctrl+c'));
  assert.ok(!matches(key('c'), 'ctrl+c'));
  assert.ok(!matches(key('ctrl+c'), 'c'));
  assert.ok(matches({ ...key('R'), shift: true }, 'R'));
  assert.ok(!matches(key('r'), 'R'));
  assert.ok(matches(key('shift+tab'), 'shift+tab'));
  assert.ok(!matches(key('shift+tab'), 'tab'));
  assert.ok(matches(key('+'), '+'));
});

test('keys are written as a reader knows them', () => {
  assert.deepEqual(
    ['ctrl+p', 'return', 'escape', 'up', ' ', 'R', 'shift+tab'].map((name) => keyLabel(name, false)),
    ['^P', 'enter', 'esc', '↑', 'space', 'R', 'shift+tab'],
  );
  assert.equal(keyLabel('up', true), 'up');
});

test('keys that mean nothing here come to nothing', () => {
  const none = {
    ...{ upArrow: false, downArrow: false, leftArrow: false, rightArrow: false, pageUp: false, pageDown: false },
    ...{ home: false, end: false, return: false, escape: false, tab: false, backspace: false, delete: false },
    ...{ ctrl: false, shift: false, meta: false },
  };
  assert.equal(keyFrom('', none), undefined);
  assert.equal(keyFrom('\x00', none), undefined);
  assert.equal(keyFrom('abc', none)?.name, 'text');
  assert.equal(keyFrom('é', none)?.name, 'é');
  assert.equal(keyFrom('\n', none)?.name, 'return');
});
