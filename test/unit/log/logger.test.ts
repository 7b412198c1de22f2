import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { registerSecret } from '../../../src/config/secrets.ts';
import { DefectError, OperatorError, UsageError } from '../../../src/errors.ts';
import { createLogger, type LoggerOptions } from '../../../src/log/create-logger.ts';
import { fluentLine, textLine } from '../../../src/log/format.ts';
import { errorText, logError } from '../../../src/log/log-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'instar-log-'));
after(() => rmSync(folder, { recursive: true }));

/** A logger and what it has written so far. */
function captured(options: Partial<LoggerOptions> = {}) {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const logger = createLogger({ format: 'text', verbosity: 0, stdout, ...options });
  return { logger, written: () => String(stdout.read() ?? '') };
}

test('a text line: stamp with the local offset, level, message, fields', () => {
  process.env.TZ = 'America/New_York';
  const time = new Date('2026-02-02T15:20:32.123Z');
  const fields = { table: 'public.t', rows: 3, position: 12345678901234567890n, ok: true, none: undefined };
  assert.equal(
    textLine({ time, level: 'info', message: 'upserted rows', fields }),
    '[2026-02-02T10:20:32-05:00] INFO  upserted rows table=public.t rows=3 position=12345678901234567890 ok=true\n',
  );
  process.env.TZ = 'Asia/Kolkata';
  assert.match(
    textLine({ time, level: 'warning', message: 'm', fields: {} }),
    /^\[2026-02-02T20:50:32\+05:30\] WARN {2}m\n$/,
  );
  process.env.TZ = 'UTC';
  assert.match(
    textLine({ time, level: 'error', message: 'm', fields: {} }),
    /^\[2026-02-02T15:20:32\+00:00\] ERROR m\n$/,
  );
});

test('values with spaces, quotes or line breaks are quoted', () => {
  const { logger, written } = captured();
  logger.info('m', { a: 'x y', b: 'say "hi"', c: 'one\ntwo', d: '', e: 'k=v', f: 'plain' });
  assert.match(written(), / m a="x y" b="say \\"hi\\"" c="one\\ntwo" d="" e="k=v" f=plain\n$/);
});

test('no message or value can look like a further line or move the cursor', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
      const record = { time: new Date(0), level: 'info', message, fields: { value } } as const;
      for (const line of [textLine(record), fluentLine(record)]) {
        assert.match(line, /^[^\n]*\n$/);
        assert.doesNotMatch(line.slice(0, -1), /\p{Cc}/u);
      }
    }),
  );
});

test('commands that mend an error stand below the line, each indented', () => {
  const line = textLine({
    time: new Date(0),
    level: 'error',
    message: 'm',
    fields: { fix: 'SELECT 1;\nSELECT 2;', code: 'PG_CONNECT' },
  });
  assert.match(line, / ERROR m code=PG_CONNECT\n {4}fix: SELECT 1;\n {8}SELECT 2;\n$/);
});

test('a fluent line is JSON with severity, time and message; nothing is lost when a field has their name', () => {
  const time = new Date('2026-02-02T15:20:32.123Z');
  const fields = { lsn: 2n ** 63n, rows: 3, message: 'other', ok: true };
  assert.deepEqual(JSON.parse(fluentLine({ time, level: 'warning', message: 'a "b"\nc', fields })), {
    severity: 'WARNING',
    time: '2026-02-02T15:20:32.123Z',
    message: 'a "b"\nc',
    lsn: '9223372036854775808',
    rows: 3,
    'fields.message': 'other',
    ok: true,
  });
});

test('-v lets debug lines through, -vv traces; each written line is counted by its level', () => {
  for (const [verbosity, expected] of [
    [0, ['error', 'warning', 'info']],
    [1, ['error', 'warning', 'info', 'debug']],
    [2, ['error', 'warning', 'info', 'debug', 'trace']],
    [7, ['error', 'warning', 'info', 'debug', 'trace']],
  ] as const) {
    const levels: string[] = [];
    const { logger, written } = captured({ verbosity, onLine: (level) => levels.push(level) });
    logger.error('m');
    logger.warn('m');
    logger.info('m');
    logger.debug('m');
    logger.trace('m');
    assert.deepEqual(levels, expected);
    assert.equal(written().split('\n').length - 1, expected.length);
    assert.equal(logger.enabled('debug'), verbosity > 0);
    assert.equal(logger.enabled('trace'), verbosity > 1);
  }
});

test('no secret reaches the log, in either format', () => {
  registerSecret('tr0ub4dor "3"\\');
  for (const format of ['text', 'fluent'] as const) {
    const { logger, written } = captured({ format, verbosity: 2 });
    logger.info('connecting to postgres://u:hunter22@h/d', { url: 'postgres://u:hunter22@h/d', password: 'hunter22' });
    logger.debug('host=h password=hunter22', { note: 'it is tr0ub4dor "3"\\ indeed' });
    logError(
      logger,
      new OperatorError('PG_CONNECT', 'postgres://u:hunter22@h', {
        fix: "password='hunter22'",
        cause: new Error('tr0ub4dor "3"\\'),
      }),
    );
    logError(logger, new Error('postgres://u:hunter22@h/d'));
    const log = written();
    assert.match(log, /\*{5}/);
    assert.doesNotMatch(log, /hunter22|tr0ub4dor/);
  }
});

test('an operator error is logged with code and fix, and with its causes at -v', () => {
  const server = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (id)=(1) exists.' });
  const error = new OperatorError('APPLY_FAILED', 'the target refused a row', {
    fix: 'DELETE FROM t;',
    cause: new Error('apply failed', { cause: server }),
  });
  const quiet = captured();
  logError(quiet.logger, error, { table: 't' });
  assert.match(
    quiet.written(),
    / ERROR the target refused a row table=t code=APPLY_FAILED\n {4}fix: DELETE FROM t;\n {4}more: instar explain APPLY_FAILED\n$/,
  );
  const verbose = captured({ verbosity: 1 });
  logError(verbose.logger, error);
  assert.match(
    verbose.written(),
    /cause="apply failed; caused by duplicate key \(code: 23505, detail: Key \(id\)=\(1\) exists\.\)"\n/,
  );
});

test('an error that is none of ours keeps its stack; anything can be thrown', () => {
  const { logger, written } = captured({ verbosity: 1 });
  logError(logger, new TypeError('a defect'));
  assert.match(written(), / ERROR a defect\n {4}stack: TypeError: a defect\n +at /);
  const circle = new Error('round');
  circle.cause = circle;
  for (const thrown of ['text', undefined, null, 5, circle, new Error('', { cause: null })]) {
    assert.doesNotThrow(() => logError(logger, thrown));
    assert.doesNotThrow(() => errorText(thrown));
  }
});

test('a defect is one record with the stack of what was thrown, masked', () => {
  registerSecret('hunter2x');
  const thrown = new TypeError('undefined is no password: hunter2x');
  const { logger, written } = captured({ format: 'fluent' });
  logError(logger, new DefectError(thrown));
  const record = JSON.parse(written()) as Record<string, string>;
  assert.equal(record.code, 'INTERNAL');
  assert.match(record.message, /a defect in this program: undefined is no password/);
  assert.match(record.stack, /logger\.test\.ts/);
  assert.doesNotMatch(JSON.stringify(record), /hunter2x/);
  assert.equal(new DefectError('thrown text').code, 'INTERNAL');
});

test('a file is appended to, made for its owner only, and complete when the call returns', async () => {
  const destination = join(folder, 'instar.log');
  for (const message of ['first', 'second']) {
    const logger = createLogger({ format: 'text', verbosity: 0, destination });
    logger.info(message);
    assert.match(readFileSync(destination, 'utf8'), new RegExp(`INFO {2}${message}\n$`));
    await logger.close();
  }
  assert.equal(readFileSync(destination, 'utf8').split('\n').length, 3);
  assert.equal(statSync(destination).mode & 0o777, 0o600);
});

test('a file that cannot be opened is a usage error', () => {
  const open = () => createLogger({ format: 'text', verbosity: 0, destination: join(folder, 'none', 'x.log') });
  assert.throws(
    open,
    (error) => error instanceof UsageError && error.message.startsWith('could not open log output file'),
  );
});

test('output that its reader has closed does not end the process', async () => {
  let writes = 0;
  const stdout = new Writable({
    write(_chunk, _encoding, callback) {
      writes++;
      callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  const { logger } = captured({ stdout });
  logger.info('one');
  await new Promise(setImmediate);
  logger.info('two');
  await logger.flush();
  assert.equal(writes, 1);
});

test('flush waits for a slow reader', async () => {
  const seen: string[] = [];
  const stdout = new Writable({
    write(chunk, _encoding, callback) {
      setTimeout(() => {
        seen.push(String(chunk));
        callback();
      }, 5);
    },
  });
  const { logger } = captured({ stdout });
  for (let i = 0; i < 5; i++) logger.info(`line ${i}`);
  await logger.flush();
  assert.equal(seen.filter((line) => line.includes('line')).length, 5);
});
