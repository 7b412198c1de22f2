import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { textLine } from '../../../src/log/format.ts';
import type { LogFields, LogLevel } from '../../../src/log/logger.ts';
import type { Ending } from '../../../src/sessions/replication.ts';
import { readEnding, readTail } from '../../../src/sessions/run-log.ts';
import { scratchDirectory } from '../../servers/scratch.ts';

const STARTED = Date.parse('2026-01-02T03:04:05.678Z');

/** A line of a log, `seconds` after the start of the run. */
function line(seconds: number, level: LogLevel, message: string, fields: LogFields = {}): string {
  return textLine({ time: new Date(STARTED + seconds * 1000), level, message, fields });
}

function ending(...lines: readonly string[]): Ending {
  const logFile = join(scratchDirectory('sessions'), 'shop.log');
  writeFileSync(logFile, lines.join(''));
  return readEnding({ logFile, started: STARTED });
}

test('a run ends as its log says: asked to, failed with code and fix, or without a word', () => {
  assert.deepEqual(ending(line(1, 'info', 'replicating'), line(9, 'info', 'stopped as asked; resume with …')), {
    at: '2026-01-02T03:04:14.000Z',
    how: 'stopped',
  });
  assert.equal(ending(line(1, 'info', 'Interrupted: finishing what is in hand')).how, 'stopped');
  assert.equal(ending(line(2, 'warning', 'stopping at once; what was not committed …')).how, 'stopped');
  const fix = 'ALTER TABLE item\n  ADD COLUMN v text;\n-- then resume';
  assert.deepEqual(ending(line(3, 'error', 'the target lacks a column', { code: 'TARGET_SCHEMA_DRIFT', fix })), {
    at: '2026-01-02T03:04:08.000Z',
    how: 'failed',
    code: 'TARGET_SCHEMA_DRIFT',
    message: 'the target lacks a column',
    fix,
  });
  assert.deepEqual(ending(line(1, 'info', 'replicating'), line(7, 'debug', 'applied')), {
    at: '2026-01-02T03:04:12.000Z',
    how: 'killed',
  });
});

test('what fails while it stops is a failure; the stack of a defect is no advice', () => {
  const failed = ending(
    line(1, 'info', 'Interrupted: finishing what is in hand'),
    line(2, 'error', 'a defect', { code: 'INTERNAL', stack: 'Error: x\n    at y', fix: 'report it' }),
  );
  assert.deepEqual([failed.how, failed.code, failed.fix], ['failed', 'INTERNAL', 'report it']);
  assert.equal(ending(line(2, 'error', 'a defect', { code: 'INTERNAL', stack: 'Error: x\n    at y' })).fix, undefined);
});

test('the endings of earlier runs in the same file do not count, nor does a log that is gone', () => {
  const earlier = line(-60, 'error', 'the slot is gone', { code: 'PG_SLOT_MISSING', fix: 'x' });
  assert.equal(ending(earlier, line(1, 'info', 'replicating')).how, 'killed');
  const gone = readEnding({ logFile: join(scratchDirectory('sessions'), 'none.log'), started: STARTED });
  assert.deepEqual(gone, { at: new Date(STARTED).toISOString(), how: 'killed' });
});

test('only the end of a long log is read, in whole lines', () => {
  const logFile = join(scratchDirectory('sessions'), 'shop.log');
  writeFileSync(logFile, `${'x'.repeat(100)}\n${'y'.repeat(100)}\nlast\n`);
  assert.deepEqual(readTail(logFile, 50), ['last']);
  assert.deepEqual(readTail(logFile).length, 3);
});

test('a run whose log was put aside in its last moments has ended as the older file says', () => {
  const logFile = join(scratchDirectory('sessions'), 'shop.log');
  writeFileSync(`${logFile}.1`, line(1, 'error', 'the slot is gone', { code: 'PG_SLOT_MISSING', fix: 'x' }));
  writeFileSync(logFile, '');
  assert.equal(readEnding({ logFile, started: STARTED }).code, 'PG_SLOT_MISSING');
  writeFileSync(logFile, line(2, 'info', 'stopped as asked; resume with …'));
  assert.equal(readEnding({ logFile, started: STARTED }).how, 'stopped');
  assert.equal(readTail(logFile).length, 3);
});

test('a run that was killed in the second in which the one before it stopped was killed', () => {
  const before = line(0, 'info', 'stopped as asked; resume with …');
  const begun = line(0, 'info', 'starting the engine of shop');
  assert.equal(ending(before, begun, line(0, 'info', 'Instar starting')).how, 'killed');
  assert.equal(ending(before, begun, line(1, 'info', 'stopped as asked; resume with …')).how, 'stopped');
});
