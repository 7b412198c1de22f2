import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratchDirectory } from '../servers/scratch.ts';

/** A disk of its own with so many KiB, in memory; undefined where this user may not mount one. Removed after the test. */
export function smallDisk(t: TestContext, kibibytes: number): string | undefined {
  const folder = join(scratchDirectory('disk'), 'mounted');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  t.after(() => execFileSync('umount', [folder]));
  return folder;
}
