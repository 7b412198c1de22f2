import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { InputSplitter } from '../../../src/terminal/input-splitter.ts';
import { OneKeyInput } from '../../../src/terminal/one-key-input.ts';

const ESCAPE_KEY = '\x1b[27u';

function split(...chunks: string[]): string[] {
  const splitter = new InputSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.flush()];
}

test('what arrives at once is split into single keys', () => {
  assert.deepEqual(split('\x1b[B\x1b[B\r'), ['\x1b[B', '\x1b[B', '\r']);
  assert.deepEqual(split('ab\x7f\x7f\x1b[DX'), ['a', 'b', '\x7f', '\x7f', '\x1b[D', 'X']);
  assert.deepEqual(split('secret\r'), [...'secret', '\r']);
  assert.deepEqual(split('\x1b[1;5C\x1bOP\x1b[<0;3;3M\x1bb'), ['\x1b[1;5C', '\x1bOP', '\x1b[<0;3;3M', '\x1bb']);
  assert.deepEqual(split('日👩‍👩‍👧e\u0301'), ['日', '👩‍👩‍👧', 'e\u0301']);
  assert.deepEqual(split('\t\x01\x0b'), ['\t', '\x01', '\x0b']);
});

test('sequences and pastes that come in pieces are put together', () => {
  assert.deepEqual(split('\x1b', '[', 'B'), ['\x1b[B']);
  assert.deepEqual(split('\x1b[20', '0~two\rlin', 'es\r\x1b[20', '1~x'), ['\x1b[200~two\rlines\r\x1b[201~', 'x']);
});

test('Escape is a key when nothing follows it', () => {
  assert.deepEqual(split('\x1b'), [ESCAPE_KEY]);
  assert.deepEqual(split('\x1b\x1b'), [ESCAPE_KEY, ESCAPE_KEY]);
  assert.deepEqual(split('\x1b\x1b[A'), ['\x1b\x1b[A']);
});

test('much text at once is one text, several lines of it are a paste', () => {
  const line = 'postgresql://u:p@h/db?sslmode=require';
  assert.deepEqual(split(`${line}\r`), [line, '\r']);
  assert.deepEqual(split(`${line}\r${line}\r`), [`\x1b[200~${line}\r${line}\r\x1b[201~`]);
  assert.deepEqual(split('a\rb\r'), ['a', '\r', 'b', '\r']);
});

class Source extends EventEmitter {
  raw = false;
  paused = true;
  setRawMode(raw: boolean): void {
    this.raw = raw;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
}

/** An input whose renderings end when the test says so, and what has been read from it. */
function slowlyRendered() {
  const source = new Source();
  const input = new OneKeyInput(source);
  const read: string[] = [];
  const renderings: (() => void)[] = [];
  input.rendered = () => new Promise((resolve) => renderings.push(resolve));
  input.on('readable', () => {
    for (let key = input.read(); key !== null; key = input.read()) read.push(key);
  });
  input.setRawMode(true);
  return { source, input, read, renderings };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test('the next key is handed over when the one before has been rendered, not earlier', async () => {
  const { source, read, renderings, input } = slowlyRendered();
  source.emit('data', Buffer.from('abc'));
  await until(() => renderings.length === 1);
  assert.deepEqual(read, ['a']);
  renderings[0]();
  await until(() => renderings.length === 2);
  assert.deepEqual(read, ['a', 'b']);
  renderings[1]();
  await until(() => renderings.length === 3);
  renderings[2]();
  await input.idle();
  assert.deepEqual(read, ['a', 'b', 'c']);
});

test('Ctrl-C goes ahead of keys that wait', async () => {
  const { source, read, renderings } = slowlyRendered();
  source.emit('data', 'abcdef');
  await until(() => renderings.length === 1);
  source.emit('data', 'ghi\x03');
  renderings[0]();
  await until(() => renderings.length === 2);
  assert.deepEqual(read, ['a', '\x03']);
});

test('a rendering that never ends does not stop the keys', async () => {
  const { source, read } = slowlyRendered();
  source.emit('data', 'ab');
  await until(() => read.length === 2);
});

test('characters cut in two by the line are put together', async () => {
  const { source, read, input } = slowlyRendered();
  input.rendered = async () => {};
  const bytes = Buffer.from('日');
  source.emit('data', bytes.subarray(0, 1));
  source.emit('data', bytes.subarray(1));
  await input.idle();
  assert.deepEqual(read, ['日']);
});

test('the terminal is given back with nothing left to be typed into what comes next', async () => {
  const { source, read, renderings, input } = slowlyRendered();
  source.emit('data', 'abc');
  await until(() => renderings.length === 1);
  input.setRawMode(false);
  renderings[0]();
  await input.idle();
  assert.deepEqual(read, ['a']);
  assert.deepEqual([source.raw, source.paused, source.listenerCount('data')], [false, true, 0]);
});
