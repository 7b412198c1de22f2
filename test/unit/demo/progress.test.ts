import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type Progress, ProgressDisplay } from '../../../src/demo/progress.ts';

const PROGRESS: Progress = {
  seconds: 12.4,
  phase: 'replicating',
  transactions: 3600,
  rows: 1234567,
  rowsPerSecond: 987.6,
  lagSeconds: 0.00123,
  lagBytes: 2048,
  checkpoint: '0/1A2B3C4',
};

function screen(isTTY: boolean): { out: Writable; text: () => string } {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { out: Object.assign(out, { isTTY }), text: () => text };
}

test('without a terminal there is one plain line per second', () => {
  const { out, text } = screen(false);
  const display = new ProgressDisplay(out);
  assert.equal(display.period, 1000);
  display.show(PROGRESS);
  display.end();
  assert.equal(
    text(),
    '12s replicating transactions=3600 rows=1234567 rows/s=988 lag=1.2 ms behind=2048B checkpoint=0/1A2B3C4\n',
  );
});

test('on a terminal the same lines are drawn again, within 80 columns, and the cursor comes back', () => {
  const { out, text } = screen(true);
  const display = new ProgressDisplay(out);
  display.show({ ...PROGRESS, seconds: 123456, rows: 10 ** 12, lagSeconds: 86400, lagBytes: 10 ** 12 });
  const first = text();
  display.show(PROGRESS);
  const lines = stripVTControlCharacters(first).trimEnd().split('\n');
  assert.ok(lines.every((line) => line.length <= 80));
  assert.ok(text().slice(first.length).startsWith(`\x1b[${lines.length}A\x1b[2K`));
  assert.equal(text().includes('\x1b[?25h'), false);
  display.end();
  assert.ok(text().endsWith('\x1b[?25h'));
});

test('NO_COLOR leaves no colour on a terminal', (t) => {
  const before = process.env.NO_COLOR;
  t.after(() => {
    if (before === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = before;
  });
  for (const [value, styled] of [
    ['1', false],
    ['', true],
  ] as const) {
    process.env.NO_COLOR = value;
    const { out, text } = screen(true);
    const display = new ProgressDisplay(out);
    display.show(PROGRESS);
    display.summarize([{ table: 't', sourceRows: 1, targetRows: 1, different: 0 }]);
    assert.equal(text().includes('\x1b[1m'), styled);
  }
});

test('the summary names tables that differ and adds up', () => {
  const { out, text } = screen(false);
  new ProgressDisplay(out).summarize([
    { table: 'orders', sourceRows: 1200, targetRows: 1200, different: 0 },
    { table: 'events', sourceRows: 34, targetRows: 33, different: 1 },
  ]);
  const rows = text()
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}/));
  assert.deepEqual(rows, [
    ['table', 'rows source', 'rows target', 'equal?'],
    ['orders', '1,200', '1,200', 'equal'],
    ['events', '34', '33', '1 different'],
    ['total', '1,234', '1,233', '1 different'],
  ]);
});
