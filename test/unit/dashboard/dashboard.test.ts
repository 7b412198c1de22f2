import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createElement } from 'react';
import { Dashboard } from '../../../src/dashboard/dashboard.tsx';
import { busy, fakeEngine, NOW } from '../../harness/fake-replicator.ts';
import { openTerminal } from '../../harness/terminal.ts';
import { show } from './shown.ts';

test('80x24 shows how it is, with units: lag, rates, positions, log held, stages, tables', async (t) => {
  const { screen } = await show(t, { logFile: import.meta.filename });
  const text = screen.screen();
  for (const expected of [
    /● following {3}12 ms, 0 B behind {3}holds/,
    /lag {14}12 ms {2}.*p50 {8}6 ms {3}p99 {7}36 ms/,
    /rows {11}1,244\/s {2}[▁-█]+/,
    /bytes {8}12\.3 MB\/s/,
    /last {6}change just now, word from the source just now/,
    /applied 0\/[0-9A-F]+ {3}source 0\/[0-9A-F]+ {3}0 B apart/,
    /log {7}2 GB held of 64 GB allowed, not growing/,
    /source .*→ buffer .*→ queue .*→ target/,
    /Tables 3 in shop\.public, by errors/,
    /orders +12,3\d\d +300 +0/,
    /t tables.*e errors.*l log.*p pause.*s stop.*q leave.*\? help/,
  ]) {
    assert.match(text, expected);
  }
  const lines = text.split('\n');
  assert.equal(lines.length, 24);
  assert(lines.every((line) => line.length <= 80));
});

test('each size has its layout: two columns from 120 on, fewer lines where it is small, nothing wider than the window', async (t) => {
  for (const [columns, rows] of [
    [40, 10],
    [60, 15],
    [80, 24],
    [100, 30],
    [120, 30],
    [200, 60],
  ]) {
    const { screen } = await show(t, { terminal: { columns, rows } });
    const text = screen.screen();
    assert.match(text, /● following/, `${columns}x${rows}`);
    assert.match(text, /lag +12 ms/);
    assert.match(text, /Tables 3/);
    assert.match(text, /\? help/);
    if (rows >= 15) assert.match(text, /p50 {8}6 ms/);
    assert.equal(/from {6}postgresql:\/\/app@db1:5432\/shop/.test(text), rows >= 36, text);
    const besides = text.split('\n').some((line) => /following.*behind.*Tables 3/.test(line));
    assert.equal(besides, columns >= 120, text);
  }
});

test('a resize to 60x15 and back leaves the screen that was there before', async (t) => {
  const { screen } = await show(t);
  const before = screen.screen();
  await screen.resize(60, 15);
  assert.match(screen.screen(), /● following/);
  await screen.resize(80, 24);
  assert.equal(screen.screen(), before);
});

test('falling behind is told by word, sign, reason, trend and bottleneck; catching up by when', async (t) => {
  const { screen, look } = await show(t);
  let lag = 0;
  await look(40, (engine) => {
    busy(engine);
    lag += 1;
    Object.assign(engine, { lag, queued: 30, busy: 0.97, lagBytes: engine.lagBytes + 9e6 });
  });
  const behind = await screen.waitFor('▲ behind');
  assert.match(behind, /40 s, 360 MB behind {3}grows/);
  assert.match(behind, /changes are 40 s old when they reach the target/);
  assert.match(behind, /▲ target slowest/);
  assert.match(behind, /97% busy/);
  await look(20, (engine) => {
    busy(engine);
    engine.lagBytes -= 16e6;
    engine.lag -= 0.5;
  });
  assert.match(await screen.waitFor('shrinks'), /shrinks, caught up in \d+(\.\d)? s/);
});

test('digits change in place: a number that grows moves nothing else', async (t) => {
  const { screen, look } = await show(t);
  const column = (text: string, word: string) =>
    text
      .split('\n')
      .find((line) => line.includes(word))!
      .indexOf(word);
  const before = screen.screen();
  await look(3, (engine) => {
    engine.rows += 98_765;
    engine.received += 1e9;
    engine.lag = 185;
    engine.queued = 3;
  });
  const after = await screen.waitFor('3 min 05 s');
  for (const word of ['p50', 'p99', 'upserts', '→ queue'])
    assert.equal(column(after, word), column(before, word), word);
});

test('a silent endpoint: the word, why, and each number marked as old with its age', async (t) => {
  const { screen, look, engine } = await show(t);
  engine.gone = true;
  await look(12);
  const text = await screen.waitFor('numbers are 12 s old');
  assert.match(text, /✗ stalled .*numbers are 12 s old/);
  assert.match(text, /the endpoint does not answer: nobody listens on 127\.0\.0\.1:30005/);
  assert.match(text, /lag, old/);
  assert.match(text, /rows, old/);
  assert.match(text, /Tables 3 .*numbers are 12 s old/);
  engine.gone = false;
  await look(3, busy);
  const back = await screen.waitFor('● following');
  assert.doesNotMatch(back, / old/);
});

test('before the first answer it says who is asked and why there is none', async (t) => {
  const fake = fakeEngine({ gone: true });
  const screen = await openTerminal(createElement(Dashboard, { poller: fake.poller, title: 'x', onLeave() {} }));
  t.after(() => screen.close());
  await screen.waitFor('asking 127.0.0.1:30005');
  await fake.look();
  await screen.waitFor(/no answer from 127\.0\.0\.1:30005 yet\s+nobody listens/);
});

test('tables are sorted by o, turned around by O, filtered by /', async (t) => {
  const tables = Array.from({ length: 40 }, (_, n) => `table_${String(n).padStart(2, '0')}`);
  const { screen } = await show(t, { engine: { tables } });
  assert.match(screen.screen(), /Tables 40 in shop\.public, by errors/);
  await screen.press('t');
  const whole = await screen.waitFor('sort by rows/s');
  assert.doesNotMatch(whole, /bytes/);
  await screen.press('o', 'o', 'o');
  await screen.waitFor('by name');
  assert.match(screen.screen(), /❯ table_00/);
  await screen.press('O');
  assert.match(await screen.waitFor('by name reversed'), /❯ table_39/);
  await screen.press('down', 'pagedown');
  assert.match(screen.screen(), /❯ table_2\d/);
  await screen.press('/');
  await screen.type('table_3 !35');
  const filtered = await screen.waitFor('table_34');
  assert.doesNotMatch(filtered, /table_35|table_20/);
  await screen.press('return');
  await screen.waitFor('9 of 40 in shop.public, by name reversed, only table_3 !35');
  await screen.press('/', 'escape');
  await screen.waitFor('Tables 40 in');
  await screen.press('escape');
  await screen.waitFor(/bytes +12\.3 MB\/s/);
});

test('errors and dead letters with their text and fix', async (t) => {
  const troubles = [
    {
      at: NOW,
      code: 'APPLY_CONSTRAINT',
      message: 'null in column "price"\u001b[31m of items',
      fix: 'ALTER TABLE items ALTER price DROP NOT NULL;',
      table: 'shop.public.items',
    },
    { at: NOW - 60_000, code: 'TARGET_LOST', message: 'the connection to the target was lost' },
  ];
  const { screen } = await show(t, { engine: { troubles, deadLetters: 2 } });
  await screen.press('e');
  const shown = await screen.waitFor('Dead letters 2 source transactions');
  assert.match(shown, /table dlq/);
  assert.match(shown, /Errors shop\.public\.items 2/);
  assert.match(shown, /what +null in column "price" of items/);
  assert.match(shown, /fix +ALTER TABLE items ALTER price DROP NOT NULL;/);
  await screen.press('down');
  const lost = await screen.waitFor(/code +TARGET_LOST/);
  assert.match(lost, /data +Nothing is lost or doubled/);
  await screen.press('up', 'c');
  await screen.waitFor(/copied 1 line/);
  const clipboard = Buffer.from(screen.raw().split('\u001b]52;c;')[1].split('\u0007')[0], 'base64').toString();
  assert.equal(clipboard, troubles[0].fix);
});

test('the log is followed while it grows, searched, and read back from the end', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'instar-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const logFile = join(folder, 'engine.log');
  writeFileSync(
    logFile,
    Array.from({ length: 5000 }, (_, n) => `[2026-11-22T10:20:32Z] INFO  message ${n}\n`).join(''),
  );
  const { screen } = await show(t, { logFile });
  await screen.press('l');
  await screen.waitFor(/INFO {2}message 4999\n.*follows the end of 2\d\d kB/);
  appendFileSync(logFile, '[2026-11-22T10:20:33Z] ERROR the target\u001b[2J went away\n');
  await screen.waitFor('ERROR the target went away');
  await screen.press('pageup');
  await screen.waitFor(/held at 99%/);
  await screen.press('/');
  await screen.type('MESSAGE 123');
  await screen.press('return');
  await screen.waitFor(/INFO {2}message 1239[\s\S]*\/MESSAGE 123/);
  await screen.press('n');
  await screen.waitFor('message 1238');
  await screen.press('end');
  await screen.waitFor(/went away\n.*follows the end/);
  await screen.press('right');
  await screen.waitFor(/^ +\d*Z?\] ERROR the target went away|^ ?:\d\dZ\] ERROR/m);
  await screen.press('escape');
  await screen.waitFor('Tables 3');
});

test('without a log file the key says why there is none', async (t) => {
  const { screen } = await show(t);
  await screen.press('l');
  await screen.waitFor('the log is where the replicator was told to write it');
});

test('no screen has more than 15 keys', async (t) => {
  const { screen } = await show(t, {
    engine: { deadLetters: 1, troubles: [{ at: NOW, code: 'A', message: 'b', fix: 'c' }] },
    logFile: import.meta.filename,
    terminal: { columns: 100, rows: 40 },
  });
  for (const view of ['', 't', 'e', 'l']) {
    if (view !== '') await screen.press(view);
    if (view === 'l') {
      await screen.press('/');
      await screen.type('test');
      await screen.press('return');
    }
    await screen.press('?');
    const help = await screen.waitFor('Keys: shop');
    const keys = help.split('\n').filter((line) => /│ .*\S {3,}\S.* │/.test(line));
    assert(keys.length >= 8 && keys.length <= 15, `${view}: ${keys.length}\n${help}`);
    await screen.press('escape');
    if (view !== '') await screen.press('escape');
  }
});

test('without colours, and in ASCII, everything is still told', async (t) => {
  const { screen, look } = await show(t, { terminal: { env: { TERM: 'xterm', LANG: 'C', NO_COLOR: '1' } } });
  await look(30, (engine) => {
    engine.lag = 30;
    engine.queued = 2;
    engine.busy = 0.9;
    engine.rows += 10;
  });
  const text = await screen.waitFor('! behind');
  assert.match(text, /! target slowest/);
  // Frames and rules are of ASCII, too.
  assert.deepEqual(
    [...text].filter((character) => character > '~'),
    [],
  );
  assert.doesNotMatch(screen.raw(), /\[(3[0-7]|9[0-7])m/);
});

test('for a screen reader: lines of text that change when something happens, not each second', async (t) => {
  const { screen, look } = await show(t, {
    terminal: { env: { TERM: 'xterm', LANG: 'C.UTF-8', INSTAR_SCREEN_READER: '1' }, rows: 60 },
  });
  await screen.waitFor(/state +following/);
  const written = screen.raw().length;
  await look(5, busy);
  await screen.waitFor(/state +following/);
  // Ink brackets an update that has nothing in it, which nobody sees or hears.
  assert.equal(screen.raw().slice(written).replaceAll('\u001b[?2026h', '').replaceAll('\u001b[?2026l', ''), '');
  await look(40, (engine) => {
    engine.lag = 60;
    engine.queued = 2;
    engine.rows += 1;
  });
  await screen.waitFor(/state +behind: changes are/);
});

test('nothing is written when nothing has changed', async (t) => {
  const { screen, look } = await show(t);
  await look(140, (engine) => {
    engine.rows += 0;
  });
  await screen.waitFor('✓ caught up (idle)');
  await look(1);
  await screen.waitFor('caught up');
  const written = screen.raw().length;
  await look(20);
  await screen.waitFor('caught up');
  assert.equal(screen.raw().length - written, 0);
});

test('a MySQL source is followed by its GTIDs: those applied, and how many transactions wait', async (t) => {
  const { screen } = await show(t, { engine: { gtids: { applied: 1_234_567, waiting: 12 } } });
  const text = screen.screen();
  assert.match(text, /12 ms, 12 transactions behind/);
  assert.match(text, /applied {3}77263736-7899-11f0-81a5-0242ac120002:1-1234567 {3}12 waiting/);
  assert.doesNotMatch(text, /behind, 0 B|undefined| apart/);
  const narrow = await show(t, { engine: { gtids: { applied: 38, waiting: 0 } }, terminal: { columns: 60, rows: 15 } });
  assert.match(narrow.screen.screen(), /applied {3}77263736…:1-38 {3}0 waiting/);
});

test('stopping a MySQL replication says how long the source keeps what comes next', async (t) => {
  const { screen } = await show(t, { engine: { gtids: { applied: 38, waiting: 0 } } });
  await screen.press('s');
  const asked = (await screen.waitFor('Stop the engine?')).replaceAll(/[\s│]+/g, ' ');
  assert.match(asked, /binary logs/);
  assert.doesNotMatch(asked, /slot/);
});
