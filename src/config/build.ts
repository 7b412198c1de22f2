import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The parts of a package.json that the program reads. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Directory of this package: two levels above this file, in the sources as in the build. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The package.json in `directory`. Throws when there is none. */
export function readManifest(directory: string): PackageManifest {
  return JSON.parse(readFileSync(`${directory}/package.json`, 'utf8')) as PackageManifest;
}

/** This program's version. */
export const VERSION = readManifest(PACKAGE_ROOT).version;
