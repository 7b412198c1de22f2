import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../config/build.ts';

const run = promisify(execFile);

/** Where the typings and the examples are. */
export const ASSETS = join(PACKAGE_ROOT, 'assets', 'userscript');

/** Milliseconds that the compiler may take. */
const PATIENCE = 60_000;

const FLAGS = [
  ...['--ignoreConfig', '--noEmit', '--pretty', 'false', '--skipLibCheck', '--strict', 'false', '--allowJs'],
  ...['--target', 'es2022', '--lib', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'],
  ...['--moduleDetection', 'force', '--resolveJsonModule', '--allowImportingTsExtensions', '--types', ''],
];

/**
 * The type errors of a script as `tsc` tells them, one a line with file, line and column; undefined where the compiler, an
 * optional dependency, is not installed.
 */
export async function typeErrors(path: string): Promise<string[] | undefined> {
  const compiler = findCompiler();
  if (compiler === undefined) return undefined;
  const typings = join(ASSETS, 'replicator@v2.d.ts');
  try {
    const running = run(process.execPath, [compiler, ...FLAGS, typings, path], {
      timeout: PATIENCE,
      maxBuffer: 16 * 1024 * 1024,
    });
    // Rows must not wait for it.
    if (running.child.pid !== undefined) setPriority(running.child.pid, constants.priority.PRIORITY_LOW);
    await running;
    return [];
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (stdout === undefined || stdout === '') throw error;
    return stdout
      .split('\n')
      .filter((line) => /\berror TS\d+:/.test(line))
      .map(readable);
  }
}

/** `script.ts(3,5): error TS2322: text` as other tools write places. */
function readable(line: string): string {
  return line.replace(/^(.*?)\((\d+),(\d+)\): error (TS\d+): /, '$1:$2:$3: $4: ');
}

function findCompiler(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'lib', 'tsc.js');
  } catch {
    return undefined;
  }
}
