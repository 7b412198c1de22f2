import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement, useState } from 'react';
import { Field } from '../../../src/terminal/field.tsx';
import { Form, type FormField } from '../../../src/terminal/form.tsx';
import { useKeys } from '../../../src/terminal/key-bindings.tsx';
import { Screen } from '../../../src/terminal/screen.tsx';
import { openTerminal } from '../../harness/terminal.ts';

function rig(fields: readonly FormField[], more: { rows?: number } = {}) {
  const submitted: Record<string, string>[] = [];
  const pressed: string[] = [];
  function Rig() {
    const [values, setValues] = useState(Object.fromEntries(fields.map(({ id, value }) => [id, value])));
    useKeys([{ keys: ['q'], label: 'quit', run: () => pressed.push('q') }]);
    return createElement(Form, {
      fields: fields.map((field) => ({ ...field, value: values[field.id] })),
      onChange: (id, value) => setValues((now) => ({ ...now, [id]: value })),
      onSubmit: () => submitted.push(values),
      ...more,
    });
  }
  return { element: createElement(Screen, { title: 'Source' }, createElement(Rig)), submitted, pressed };
}

const connection: FormField[] = [
  { id: 'host', label: 'host', value: '', hint: 'name or address' },
  { id: 'password', label: 'password', value: '', mask: true },
  { id: 'tls', label: 'TLS', value: 'require', choices: ['disable', 'require', 'verify-full'] },
  { id: 'database', label: 'database', value: '', error: 'there is no such database' },
];

test('a form filled by keys in one write is the form filled one by one', async () => {
  const keys = [
    'd',
    'q',
    'x',
    'backspace',
    'tab',
    's',
    '1',
    'return',
    'right',
    'down',
    'm',
    'up',
    'left',
    'left',
    'tab',
    'y',
    'return',
  ];
  for (const atOnce of [true, false]) {
    const { element, submitted, pressed } = rig(connection);
    const terminal = await openTerminal(element);
    if (atOnce) await terminal.pressAtOnce(...keys);
    else await terminal.press(...keys);
    assert.deepEqual(submitted, [{ host: 'dq', password: 's1', tls: 'disable', database: 'my' }]);
    assert.deepEqual(pressed, [], 'a letter typed is no command');
    await terminal.close();
  }
});

test('hints of the field with the cursor, errors of all', async () => {
  const { element } = rig(connection);
  const terminal = await openTerminal(element);
  assert.match(terminal.screen(), /❯ host.*\n +name or address/);
  assert.match(terminal.screen(), /database.*\n +✗ there is no such database/);
  await terminal.press('tab');
  assert.doesNotMatch(terminal.screen(), /name or address/);
  await terminal.press('tab');
  assert.match(terminal.screen(), /‹require›/);
  await terminal.close();
});

test('a masked value is never on the screen, nor is its length', async () => {
  const widths = new Set<string>();
  for (const secret of ['a', 'hunter2-hunter2-hunter2']) {
    const { element, submitted } = rig([{ id: 'password', label: 'password', value: '', mask: true }]);
    const terminal = await openTerminal(element);
    await terminal.paste(secret);
    widths.add(terminal.screen());
    await terminal.press('return');
    assert.deepEqual(submitted, [{ password: secret }]);
    if (secret.length > 1) assert.ok(!terminal.raw().includes('hunter'));
    await terminal.close();
  }
  assert.equal(widths.size, 1);
});

test('a mask of its own hides a part, and the cursor is where it belongs in the rest', async () => {
  const mask = (value: string) => value.replace(/:[^:@/]+@/, ':***@');
  function Url() {
    const [value, setValue] = useState('postgresql://u:geheim@host/db');
    return createElement(Field, { label: 'URL', value, onChange: setValue, focus: true, mask });
  }
  const terminal = await openTerminal(createElement(Screen, { title: 'Source' }, createElement(Url)));
  assert.match(terminal.screen(), /postgresql:\/\/u:\*\*\*@host\/db/);
  await terminal.press('backspace', '2', 'home', 'right', 'right', 'delete');
  assert.match(terminal.screen(), /potgresql:\/\/u:\*\*\*@host\/d2/);
  assert.ok(!terminal.raw().includes('geheim'));
  await terminal.close();
});

test('a value longer than the line is shown around the cursor', async () => {
  const { element } = rig([{ id: 'url', label: 'URL', value: `start${'x'.repeat(200)}end` }]);
  const terminal = await openTerminal(element, { columns: 60, rows: 15 });
  assert.match(terminal.screen(), /xend/);
  assert.doesNotMatch(terminal.screen(), /start/);
  await terminal.press('home');
  assert.match(terminal.screen(), /startx/);
  assert.doesNotMatch(terminal.screen(), /xend/);
  await terminal.close();
});

test('text typed as fast as a line brings it is all there, and Enter behind it submits', async () => {
  const { element, submitted } = rig([{ id: 'url', label: 'URL', value: '' }]);
  const terminal = await openTerminal(element);
  await terminal.type('postgresql://someone:secret@db.example.com:5432/shop?sslmode=verify-full\r');
  assert.deepEqual(submitted, [{ url: 'postgresql://someone:secret@db.example.com:5432/shop?sslmode=verify-full' }]);
  await terminal.close();
});

test('of more fields than lines, those around the cursor are shown', async () => {
  const many = Array.from({ length: 12 }, (_, index) => ({
    id: `f${index}`,
    label: `field ${index}`,
    value: `v${index}.`,
  }));
  const { element } = rig(many, { rows: 6 });
  const terminal = await openTerminal(element, { columns: 40, rows: 10 });
  assert.match(terminal.screen(), /v0\./);
  await terminal.press(...Array<string>(11).fill('down'));
  assert.match(terminal.screen(), /❯ field 11 +v11\./);
  assert.doesNotMatch(terminal.screen(), /v0\./);
  await terminal.close();
});
