import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogFile } from '../../../src/dashboard/log-file.ts';
import { makeWay } from '../../../src/log/rotation.ts';
import { LogPager } from '../../../src/dashboard/log-pager.ts';

function logFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'instar-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'engine.log');
  writeFileSync(path, text);
  return path;
}

const numbered = (from: number, to: number, pad = 0) =>
  Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}${' '.repeat(pad)}\n`).join('');
const texts = (lines: readonly { text: string }[]) => lines.map(({ text }) => text.trimEnd());
const never = new AbortController().signal;

test('lines before and after a place, whole, also where the pieces that are read end', async (t) => {
  const file = new LogFile(logFile(t, numbered(1, 9000, 30)));
  const size = (await file.extent()).end;
  assert.deepEqual(texts(await file.before(size, 3)), ['line 8998', 'line 8999', 'line 9000']);
  assert.deepEqual(texts(await file.after(0, 2)), ['line 1', 'line 2']);
  assert.deepEqual(texts(await file.before(0, 5)), []);
  assert.deepEqual(texts(await file.after(size, 5)), []);
  // From the end to the beginning and back, page by page: each line once, in order.
  const up: string[] = [];
  for (let end = size; end > 0; ) {
    const lines = await file.before(end, 700);
    up.unshift(...texts(lines));
    end = lines[0].at;
  }
  assert.deepEqual(
    up,
    texts(
      numbered(1, 9000)
        .trimEnd()
        .split('\n')
        .map((text) => ({ text })),
    ),
  );
  const down: string[] = [];
  for (let start = 0; start < size; ) {
    const lines = await file.after(start, 700);
    down.push(...texts(lines));
    start = lines.at(-1)!.end;
  }
  assert.deepEqual(down, up);
});

test('characters of several bytes, Windows line ends, a last line without an end, an empty file', async (t) => {
  const file = new LogFile(logFile(t, 'Grüße ✓\r\n\nlast'));
  assert.deepEqual(
    (await file.before(1e9, 10)).map(({ text }) => text),
    ['Grüße ✓', '', 'last'],
  );
  assert.deepEqual(await new LogFile(logFile(t, '')).before(0, 10), []);
});

test('a line of many megabytes neither fills the memory nor stops the way up', async (t) => {
  const file = new LogFile(logFile(t, `first\n${'x'.repeat(9e6)}\nlast\n`));
  const [line] = await file.before((await file.extent()).end - 5, 1);
  assert(line.text.length <= 4096);
  let end = (await file.extent()).end;
  let steps = 0;
  while (end > 0 && steps++ < 20) end = (await file.before(end, 5))[0].at;
  assert.equal(end, 0);
});

test('a search goes through a file of any size, up and down, whatever the case', async (t) => {
  const path = logFile(
    t,
    `${numbered(1, 3000, 50)}Needle one\n${numbered(3001, 9000, 50)}a NEEDLE two\n${numbered(9001, 12_000, 50)}`,
  );
  const file = new LogFile(path);
  const size = (await file.extent()).end;
  const two = (await file.findBefore(size, 'needle', never))!;
  assert.equal(two.text, 'a NEEDLE two');
  const one = (await file.findBefore(two.at, 'needle', never))!;
  assert.equal(one.text, 'Needle one');
  assert.equal(await file.findBefore(one.at, 'needle', never), undefined);
  assert.equal((await file.findAfter(one.end, 'needle', never))!.at, two.at);
  assert.equal(await file.findAfter(two.end, 'needle', never), undefined);
  const aborted = AbortSignal.abort();
  assert.equal(await file.findBefore(size, 'needle', aborted), undefined);
});

test('the pager follows the end, holds when moved up, and follows again at the end', async (t) => {
  const path = logFile(t, numbered(1, 100));
  const pager = new LogPager(new LogFile(path));
  const shown = () => texts(pager.getPage().lines);
  await pager.resize(4);
  await pager.look();
  assert.deepEqual(shown(), ['line 97', 'line 98', 'line 99', 'line 100']);
  appendFileSync(path, numbered(101, 102));
  await pager.look();
  assert.deepEqual(shown(), ['line 99', 'line 100', 'line 101', 'line 102']);
  await pager.move(-2);
  assert.deepEqual(shown(), ['line 97', 'line 98', 'line 99', 'line 100']);
  appendFileSync(path, numbered(103, 104));
  await pager.look();
  assert.deepEqual(shown(), ['line 97', 'line 98', 'line 99', 'line 100'], 'what one reads does not run away');
  assert.equal(pager.getPage().following, false);
  await pager.page(1);
  assert.deepEqual(shown(), ['line 100', 'line 101', 'line 102', 'line 103']);
  await pager.page(1);
  assert.deepEqual(shown(), ['line 101', 'line 102', 'line 103', 'line 104']);
  assert.equal(pager.getPage().following, true);
  await pager.top();
  assert.deepEqual(shown(), ['line 1', 'line 2', 'line 3', 'line 4']);
  await pager.move(-1);
  assert.deepEqual(shown(), ['line 1', 'line 2', 'line 3', 'line 4']);
  await pager.follow();
  assert.equal(shown().at(-1), 'line 104');
});

test('a search from the end upwards, older and newer, and a word when there is no more', async (t) => {
  const pager = new LogPager(new LogFile(logFile(t, numbered(1, 500))));
  await pager.resize(6);
  await pager.find('line 4');
  const found = () => pager.getPage().lines.find(({ at }) => at === pager.getPage().found)?.text;
  assert.equal(found(), 'line 499');
  await pager.next('up');
  assert.equal(found(), 'line 498');
  await pager.next('down');
  assert.equal(found(), 'line 499');
  await pager.next('down');
  assert.equal(found(), 'line 499');
  assert.equal(pager.getPage().message, 'not found further down');
  await pager.find('line 123');
  assert.equal(found(), 'line 123');
  assert.equal(pager.getPage().following, false);
  await pager.find('nowhere');
  assert.equal(pager.getPage().message, 'not found further up');
});

test('places stay what they are when the file is put aside, the oldest is dropped, and its number is given to a new one', async (t) => {
  const path = logFile(t, numbered(1, 100));
  const rotation = { maxSize: 1, maxFiles: 2 };
  const file = new LogFile(path);
  const { end, begin } = await file.extent();
  assert.equal(begin, 0);
  let next = 101;
  let place = end;
  for (let turn = 0; turn < 12; turn++) {
    makeWay(path, rotation.maxFiles);
    // Between the two steps of a rotation there is no file under the name.
    assert.deepEqual(await file.after(place, 10), []);
    writeFileSync(path, numbered(next, next + 19));
    const lines = await file.after(place, 1000);
    assert.deepEqual(texts(lines)[0], `line ${next}`);
    assert.equal(lines.length, 20);
    place = lines.at(-1)!.end;
    next += 20;
    // A process that died wrote its last words to the file that was put aside: they stand nowhere twice.
    appendFileSync(`${path}.1`, 'last words\n');
    const extent = await file.extent();
    assert.deepEqual([extent.end, extent.generation], [place, 0]);
    assert.equal((await file.before(place, 1000)).length, Math.min(next - 1, turn === 0 ? 120 : turn === 1 ? 140 : 60));
  }
  // Whoever reads what is dropped goes on at the oldest that is kept.
  assert.equal(texts(await file.after(0, 1))[0], `line ${next - 60}`);
});

test('a log that is not there yet, that comes, and that is put in place of another', async (t) => {
  const path = logFile(t, numbered(1, 50));
  rmSync(path);
  const pager = new LogPager(new LogFile(path));
  await pager.resize(3);
  await pager.look();
  assert.match(pager.getPage().message!, /no log file yet/);
  writeFileSync(path, numbered(1, 50));
  await pager.look();
  assert.deepEqual(texts(pager.getPage().lines), ['line 48', 'line 49', 'line 50']);
  assert.equal(pager.getPage().message, undefined);
  await pager.top();
  writeFileSync(path, 'new file\n');
  await pager.look();
  assert.deepEqual(texts(pager.getPage().lines), ['new file']);
});
