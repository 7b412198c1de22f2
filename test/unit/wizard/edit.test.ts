import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { OperatorError } from '../../../src/errors.ts';
import { Edit } from '../../../src/wizard/edit.tsx';
import { EditConnection } from '../../../src/wizard/edit-connection.tsx';
import { LaunchedConnections } from '../../../src/wizard/launched-connections.ts';
import type { Servers } from '../../../src/wizard/servers.ts';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { launched } from './saved.ts';
import { SIZES, sizeName } from './setup-frames.ts';
import { CONNECTED, passwordOf, savedPlace } from './setup-rig.ts';

const URL = 'postgresql://app:OLD-MARKER@db1:5432/shop';

/** Lets in who knows the new password. */
const testConnection: Servers['testConnection'] = async (description, side) => {
  if (passwordOf(description) === 'NEW-MARKER') return CONNECTED;
  throw new OperatorError('PG_PASSWORD', `${side} database does not accept the password`, { fix: 'check it' });
};

async function open(t: TestContext, size: TerminalOptions = {}, running = false) {
  const place = savedPlace(t);
  const replication = launched('shop');
  place.store.save(replication);
  place.secrets.set('shop', 'source', URL);
  const keeper = new LaunchedConnections(replication, place, { testConnection });
  const left: unknown[] = [];
  const terminal = await openTerminal(
    createElement(EditConnection, { keeper, side: 'source', running, onLeave: (news) => left.push(news) }),
    size,
  );
  t.after(() => terminal.close());
  return { place, terminal, left, keeper };
}

for (const size of SIZES) {
  test(`another password of a launched replication is saved once it works, ${sizeName(size)}`, async (t) => {
    const { place, terminal, left } = await open(t, size, true);
    const first = await terminal.waitFor('The password is not accepted');
    assert.match(first, /Connection of shop to its source/);
    assert.match(first, /db1/);
    await terminal.press('up', 'up', 'up');
    for (let presses = 0; !/❯ Password/.test(terminal.screen()); presses++) {
      assert.ok(presses < 12, terminal.screen());
      await terminal.press('down');
    }
    await terminal.press('ctrl+u');
    await terminal.type('NEW-MARKER');
    assert.equal(place.secrets.get('shop', 'source'), URL, 'what is typed is not saved yet');
    await terminal.press('return', 'return', 'return');
    await terminal.waitFor('Connected');
    assert.deepEqual(left, [
      'shop: connection to the source saved; counts from its next start on: stop it, then resume it',
    ]);
    assert.equal(place.secrets.get('shop', 'source'), URL.replace('OLD', 'NEW'));
    assert.doesNotMatch(terminal.raw(), /MARKER/);
    assert.doesNotMatch(JSON.stringify(place.store.get('shop')), /MARKER/);
  });
}

test('what does not work is not saved, and Escape leaves everything as it was', async (t) => {
  const { place, terminal, left } = await open(t);
  const before = place.store.get('shop');
  await terminal.press('ctrl+u');
  await terminal.paste('postgresql://app:wrong@db2/shop');
  await terminal.waitFor(/db2/);
  await terminal.waitFor('The password is not accepted');
  await terminal.press('return', 'return');
  assert.deepEqual(left, []);
  await terminal.press('escape');
  assert.deepEqual(left, [undefined]);
  assert.equal(place.secrets.get('shop', 'source'), URL);
  assert.deepEqual(place.store.get('shop'), before);
});

test('what was saved meanwhile by the engine stays when a connection is saved', async (t) => {
  const { place, keeper } = await open(t);
  place.store.update('shop', (now) => ({ ...now, replicated: true }));
  keeper.keepConnection('source', URL, 'SHOP_THAT_IS_SET');
  const saved = place.store.get('shop');
  assert.equal(saved?.replicated, true);
  assert.equal(saved?.answers.source?.reference, '$SHOP_THAT_IS_SET');
  assert.equal(place.secrets.get('shop', 'source'), undefined, 'a reference leaves no string behind');
});

for (const size of SIZES) {
  test(`what can be edited is asked, ${sizeName(size)}`, async (t) => {
    const went: unknown[] = [];
    const terminal = await openTerminal(
      createElement(Edit, {
        replication: launched('shop'),
        onChoose: (what) => went.push(what),
        onLeave: () => went.push('leave'),
      }),
      size,
    );
    t.after(() => terminal.close());
    const screen = terminal.screen();
    assert.match(screen, /Edit shop/);
    assert.match(screen, /❯ Options/);
    assert.match(screen, /Connection to the source +postgresql:\/\/app:\*+@db1/);
    assert.match(screen, /other ones are another\s+replication/);
    await terminal.press('down', 'return', 'down', 'return', 'up', 'up', 'return', 'escape');
    assert.deepEqual(went, ['source', 'target', 'options', 'leave']);
  });
}
