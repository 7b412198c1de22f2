import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The parts of a package.json that the program reads. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Directory of this package, which the sources and the build are at different depths of. */
export const PACKAGE_ROOT = rootOf(dirname(fileURLToPath(import.meta.url)));

function rootOf(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : rootOf(dirname(directory));
}

/** The package.json in `directory`. Throws when there is none. */
export function readManifest(directory: string): PackageManifest {
  return JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')) as PackageManifest;
}

/** This program's version. */
export const VERSION = readManifest(PACKAGE_ROOT).version;

/** A package that was locked when the program was built. */
export interface BuiltModule {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of its archive: `sha512-…`. */
  readonly integrity?: string;
  /** It is part of the program's own files. */
  readonly bundled?: true;
}

/** What the build wrote down; nothing for sources that were not built. */
export function readBuiltModules(): BuiltModule[] {
  const path = join(PACKAGE_ROOT, 'dist', 'modules.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as BuiltModule[]) : [];
}
