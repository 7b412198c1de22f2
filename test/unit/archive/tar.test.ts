import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type ArchivedFile, readTar, TarWriter } from '../../../src/archive/tar.ts';
import { scratchDirectory } from '../../servers/scratch.ts';

async function packed(files: readonly ArchivedFile[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const writer = new TarWriter(async (piece) => void pieces.push(piece));
  for (const file of files) await writer.add(file);
  await writer.end();
  return Buffer.concat(pieces);
}

async function unpacked(path: string, wanted = (_: string) => true, largest = 1e9): Promise<ArchivedFile[]> {
  const files: ArchivedFile[] = [];
  for await (const file of readTar(path, wanted, largest)) files.push(file);
  return files;
}

const folder = scratchDirectory('tar');
let number = 0;
function file(content: Buffer): string {
  const path = join(folder, `${number++}.tar.gz`);
  writeFileSync(path, content);
  return path;
}

test('files of any size come back as they were', async () => {
  const name = fc.stringMatching(/^[a-z0-9._-]{1,90}(\/[a-z0-9._-]{1,90})?$/);
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc.constantFrom(0, 511, 512, 513, 70_000).map((n) => new Uint8Array(n).fill(7)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(name, content), { maxLength: 6, selector: ([one]) => one }),
      async (list) => {
        const files = list.map(([one, bytes]) => ({
          name: one,
          content: Buffer.from(bytes),
          modified: 1_700_000_000_000,
        }));
        assert.deepEqual(await unpacked(file(await packed(files))), files);
      },
    ),
    { numRuns: 60 },
  );
});

test("the system's tar reads it: names, contents, modes and times", async () => {
  const long = `${'a'.repeat(80)}/${'b'.repeat(90)}`;
  const files = [
    { name: 'top/one.txt', content: Buffer.from('one\n'), modified: 1_600_000_000_000 },
    { name: long, content: Buffer.alloc(100_000, 'x'), modified: 0 },
    { name: 'top/empty', content: Buffer.alloc(0), modified: 1_600_000_000_000 },
  ];
  const into = join(folder, 'into');
  mkdirSync(into);
  execFileSync('tar', ['-xzf', file(await packed(files)), '-C', into]);
  for (const { name, content } of files) assert.deepEqual(readFileSync(join(into, name)), content, name);
  const { mode, mtimeMs } = statSync(join(into, 'top/one.txt'));
  assert.deepEqual([mode & 0o777, mtimeMs], [0o600, 1_600_000_000_000]);
  assert.deepEqual(readdirSync(join(into, 'top')).toSorted(), ['empty', 'one.txt']);
  await assert.rejects(packed([{ name: 'c'.repeat(300), content: Buffer.alloc(1), modified: 0 }]), /too long/);
});

test("what the system's tar has written is read, folders passed over", async () => {
  const from = join(folder, 'from');
  mkdirSync(join(from, 'inner'), { recursive: true });
  writeFileSync(join(from, 'inner', 'file.txt'), 'text');
  const path = join(folder, 'made.tar.gz');
  execFileSync('tar', ['-czf', path, '-C', folder, 'from']);
  const found = await unpacked(path);
  assert.deepEqual(
    found.map(({ name, content }) => [name, content.toString()]),
    [['from/inner/file.txt', 'text']],
  );
});

test('only what is wanted is read; what is too large is not', async () => {
  const files = ['a', 'b', 'c'].map((name, at) => ({ name, content: Buffer.alloc(1000 * at, name), modified: 0 }));
  const path = file(await packed(files));
  assert.deepEqual(
    (await unpacked(path, (name) => name !== 'b')).map(({ name }) => name),
    ['a', 'c'],
  );
  assert.deepEqual(
    (await unpacked(path, () => true, 1500)).map(({ name }) => name),
    ['a', 'b'],
  );
});

test('what is cut off or no archive is told as such', async () => {
  const random = Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at * 7919 * (at % 13)) % 251));
  const whole = await packed([{ name: 'a', content: random, modified: 0 }]);
  await assert.rejects(unpacked(file(whole.subarray(0, whole.length / 2))));
  await assert.rejects(unpacked(file(gzipSync('no archive '.repeat(100)))), /it is no archive/);
  await assert.rejects(unpacked(file(gzipSync('short'))), /it is cut off/);
  await assert.rejects(unpacked(file(Buffer.from('plain text'))));
  await assert.rejects(unpacked(join(folder, 'missing.tar.gz')), { code: 'ENOENT' });
});

test('a disk that fails rejects, and does not crash', async () => {
  const writer = new TarWriter(async () => {
    throw new Error('no room');
  });
  const big = {
    name: 'a',
    content: Buffer.from(Array.from({ length: 300_000 }, () => Math.random() * 256)),
    modified: 0,
  };
  await assert.rejects(async () => {
    for (let times = 0; times < 20; times++) await writer.add(big);
    await writer.end();
  }, /no room/);
});
