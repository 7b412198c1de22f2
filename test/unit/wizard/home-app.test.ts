import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { processIdentity } from '../../../src/sessions/process-identity.ts';
import type { Replication } from '../../../src/sessions/replication.ts';
import { SecretsFile } from '../../../src/sessions/secrets.ts';
import { ReplicationStore } from '../../../src/sessions/store.ts';
import { App } from '../../../src/wizard/app.tsx';
import type { First, Parting } from '../../../src/wizard/places.ts';
import { openTerminal } from '../../harness/terminal.ts';
import { launched } from './saved.ts';

/** Nothing listens there, so whatever asks is refused at once. */
const NOBODY = 'postgresql://app@127.0.0.1:1/shop';

function folder(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'instar-app-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const env: NodeJS.ProcessEnv = { HOME: home, INSTAR_HOME: home, PATH: process.env.PATH };
  return { home, env, store: ReplicationStore.open(env), secrets: SecretsFile.open(env) };
}

async function open(t: TestContext, saved: ReturnType<typeof folder>, first: First = 'home') {
  let parting: Parting | undefined;
  const element = createElement(App, {
    store: saved.store,
    secrets: saved.secrets,
    env: saved.env,
    first,
    onPlace: (next) => {
      parting = next;
    },
  });
  const terminal = await openTerminal(element);
  t.after(async () => {
    await terminal.close();
    parting?.close();
  });
  return { terminal, parting: () => parting! };
}

/** A replication that was stopped, whose servers are gone. */
function stopped(name: string, change: Partial<Replication> = {}): Replication {
  const base = launched(name);
  return launched(name, {
    answers: { ...base.answers, source: { display: NOBODY }, target: { display: NOBODY } },
    run: { ...base.run!, pid: 2 ** 30 },
    ending: { at: new Date().toISOString(), how: 'stopped' },
    ...change,
  });
}

test('with nothing saved the setup begins at once; leaving it says that nothing was created', async (t) => {
  const saved = folder(t);
  const { terminal, parting } = await open(t, saved);
  await terminal.waitFor('Set up replication');
  await terminal.waitFor('PostgreSQL');
  assert.match(parting().lines().join('\n'), /Nothing has been created on any server\./);
  await terminal.press('tab', 'return');
  await terminal.waitFor(/● source/);
  await terminal.press('ctrl+x');
  await terminal.waitFor('Leave the setup');
  await terminal.press('down', 'return');
  await terminal.waitFor('Saved replications');
  assert.match(terminal.screen(), /Nothing has been created on any server\./);
  assert.match(terminal.screen(), /replication +▲ setup unfinished/);
});

test('a setup that is forgotten leaves nothing, and the program ends with the truth', async (t) => {
  const saved = folder(t);
  const { terminal } = await open(t, saved);
  await terminal.waitFor('PostgreSQL');
  await terminal.press('ctrl+x');
  await terminal.waitFor('Leave the setup');
  await terminal.press('down', 'down', 'return');
  assert.deepEqual(await terminal.ended, [
    'Nothing has been created on any server.',
    'The answers of replication were forgotten.',
  ]);
  assert.deepEqual(saved.store.list(), []);
});

test('an unfinished setup goes on where it was left', async (t) => {
  const saved = folder(t);
  saved.store.save({
    name: 'draft',
    created: new Date().toISOString(),
    answers: { kind: 'pglogical' },
    made: [],
    step: 'source',
  });
  const { terminal } = await open(t, saved);
  await terminal.waitFor(/❯ draft +▲ setup unfinished/);
  await terminal.press('return');
  await terminal.waitFor(/Set up draft/);
  await terminal.waitFor(/● source/);
});

test('a setup that was left in the middle of its launch goes on at the review, not with a launch', async (t) => {
  const saved = folder(t);
  const { answers } = stopped('draft');
  saved.store.save({ name: 'draft', created: new Date().toISOString(), answers, made: [], step: 'launch' });
  saved.secrets.set('draft', 'source', NOBODY);
  saved.secrets.set('draft', 'target', NOBODY);
  const { terminal } = await open(t, saved);
  await terminal.waitFor(/❯ draft/);
  await terminal.press('return');
  await terminal.waitFor('Nothing has been created yet. Enter launches.');
});

test('a setup that is open in another process is refused, naming the process', async (t) => {
  const saved = folder(t);
  saved.store.save({ name: 'draft', created: new Date().toISOString(), answers: {}, made: [], step: 'kind' });
  // The parent of this process is another, and lives.
  const holder = `${process.ppid} ${processIdentity(process.ppid)}`;
  writeFileSync(join(saved.home, 'replications', 'draft.setup.lock'), holder, { mode: 0o600 });
  const { terminal } = await open(t, saved);
  await terminal.waitFor(/❯ draft/);
  await terminal.press('return');
  const screen = await terminal.waitFor('The setup cannot be opened');
  assert.match(screen, new RegExp(`open in another instar, process ${process.ppid}`));
});

test('a resume that is not safe stops there, and home is one key away', async (t) => {
  const saved = folder(t);
  saved.store.save(stopped('shop'));
  saved.secrets.set('shop', 'source', NOBODY);
  saved.secrets.set('shop', 'target', NOBODY);
  const { terminal } = await open(t, saved);
  await terminal.waitFor(/❯ shop +○ stopped/);
  await terminal.press('r');
  await terminal.waitFor('Not resumed; nothing was started or changed.', 15_000);
  assert.match(terminal.screen(), /does not accept connections/);
  await terminal.press('escape');
  await terminal.waitFor(/❯ shop +○ stopped/);
});

test('a connection whose variable is not set is told so, with the export to run', async (t) => {
  const saved = folder(t);
  const base = stopped('shop');
  saved.store.save({ ...base, answers: { ...base.answers, source: { display: NOBODY, reference: '$NOT_THERE' } } });
  const { terminal } = await open(t, saved, { resume: 'shop' });
  const screen = await terminal.waitFor('It does not run');
  assert.match(screen, /environment variable NOT_THERE is not set/);
  assert.match(screen, /export NOT_THERE=/);
});

test('what is removed is gone from home; with nothing left the program ends and says what stays behind', async (t) => {
  const saved = folder(t);
  saved.store.save(stopped('shop'));
  saved.store.save(stopped('orders', { created: '2026-11-01T00:00:00.000Z' }));
  const { terminal } = await open(t, saved);
  await terminal.waitFor(/❯ (shop|orders)/);
  for (const last of [false, true]) {
    await terminal.press('x');
    await terminal.waitFor('slot molt_slot on the source: stays');
    await terminal.press('return');
    await terminal.waitFor('Forget ');
    await terminal.press('y');
    if (!last) await terminal.waitFor('is forgotten; left slot molt_slot on the source');
  }
  const lines = (await terminal.ended) as string[];
  assert.match(lines[0], /is forgotten; left slot molt_slot on the source/);
  assert.deepEqual(saved.store.list(), []);
});

test('options that are edited are saved, and home says so', async (t) => {
  const saved = folder(t);
  saved.store.save(stopped('shop'));
  const { terminal } = await open(t, saved);
  await terminal.waitFor(/❯ shop/);
  await terminal.press('e');
  await terminal.waitFor('Edit shop');
  await terminal.press('return');
  await terminal.waitFor('Options of shop');
  await terminal.press('down', 'down');
  await terminal.type(':30005');
  await terminal.press('return');
  await terminal.waitFor('shop: metricsAddr saved');
  assert.deepEqual(saved.store.get('shop')?.answers.options, { metricsAddr: ':30005' });
});

test('a connection is edited where the resume needs another one, and the resume goes on', async (t) => {
  const saved = folder(t);
  saved.store.save(stopped('shop'));
  saved.secrets.set('shop', 'target', NOBODY);
  const { terminal } = await open(t, saved, { resume: 'shop' });
  const screen = await terminal.waitFor('It does not run');
  assert.match(screen, /source connection of shop is not saved on this machine/);
  await terminal.press('e');
  await terminal.waitFor('Edit shop');
  await terminal.press('down', 'return');
  await terminal.waitFor('Connection of shop to its source');
  await terminal.press('escape');
  await terminal.waitFor(/❯ Connection to the source/);
  saved.secrets.set('shop', 'source', NOBODY);
  await terminal.press('escape');
  await terminal.waitFor('Not resumed; nothing was started or changed.', 15_000);
});

test('what another process has removed meanwhile is told, not opened', async (t) => {
  const saved = folder(t);
  saved.store.save(stopped('shop'));
  const { terminal } = await open(t, saved);
  await terminal.waitFor(/❯ shop/);
  saved.store.remove('shop');
  await terminal.press('e');
  await terminal.waitFor('shop is not saved here any more');
});
