import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const made = new Set<string>();

process.once('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** Makes a directory of its own for a test's files; removed when the test process ends. */
export function scratchDirectory(label = 'test'): string {
  const directory = mkdtempSync(path.join(tmpdir(), `instar-${label}-`));
  made.add(directory);
  return directory;
}
