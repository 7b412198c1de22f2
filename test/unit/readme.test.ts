import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { FLAGS } from '../../src/config/flags.ts';

const README = readFileSync('README.md', 'utf8');

/** Every string in the sources that looks like the code of an error. */
function codesInSources(): Set<string> {
  const codes = new Set<string>();
  for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
    for (const [, code] of text.matchAll(/new OperatorError\(\s*'([A-Z_]+)'/g)) codes.add(code);
    for (const [, code] of text.matchAll(/code: '((?:PG|TARGET|STAGING)_[A-Z_]+)'/g)) codes.add(code);
  }
  codes.delete('USAGE');
  return codes;
}

test('troubleshooting explains every error code of the program', () => {
  const explained = new Set(
    Array.from(README.matchAll(/^\| (`[A-Z_]+`.*?) \|/gm)).flatMap(([, cell]) => cell.match(/[A-Z_]{5,}/g) ?? []),
  );
  const missing = [...codesInSources()].filter((code) => !explained.has(code));
  assert.deepEqual(missing, []);
});

test('every flag that is named exists, and the command lines are accepted', () => {
  for (const [, name] of README.matchAll(/`--([a-zA-Z]+)/g)) {
    assert(name in FLAGS || name === 'help' || name === 'scale', `--${name}`);
  }
  const lines = README.replaceAll('\\\n', ' ').match(/^replicator pglogical .*$/gm) ?? [];
  assert.equal(lines.length, 2);
  for (const line of lines) {
    const args = line
      .replaceAll('$SOURCE', 'postgres://s/d')
      .replaceAll('$TARGET', 'postgres://t/d')
      .split(/\s+/)
      .slice(2);
    assert.equal(parseCommandLine('pglogical', args, {}).settings.slotName, 'molt_slot');
  }
});
