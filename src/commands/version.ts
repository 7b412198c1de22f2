import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type BuiltModule,
  PACKAGE_ROOT,
  type PackageManifest,
  readBuiltModules,
  readManifest,
  VERSION,
} from '../config/build.ts';
import { parseCommandLine } from '../config/command-line.ts';
import { UsageError } from '../errors.ts';
import type { CommandContext } from './command.ts';

/** A package that the program is made of. */
interface Module {
  readonly name: string;
  readonly version: string;
  /** Of the package of that version, as it was locked when the program was built; absent for another version, and without a build. */
  readonly integrity?: string | undefined;
  /** It is part of the program's own files. */
  readonly bundled: boolean;
}

/** Prints the versions of the program, of what it runs on, and of every package that is in it or that it loads, with its hash. */
export async function run({ args, env, program, stdout }: CommandContext): Promise<number> {
  if (args.some((word) => !word.startsWith('-'))) throw new UsageError('version takes no arguments');
  const { settings } = parseCommandLine('version', args, env);
  if (settings.json) {
    stdout.write(`${JSON.stringify({ ...about(program), modules: modulesOf(readBuiltModules()) }, undefined, 2)}\n`);
    return 0;
  }
  stdout.write(versionText(program));
  return 0;
}

function about(program: string): Readonly<Record<string, string>> {
  return { [program]: VERSION, node: process.versions.node, platform: process.platform, arch: process.arch };
}

/** The versions, a line each. */
export function versionText(program: string): string {
  const modules = modulesOf(readBuiltModules());
  const lines = [
    ...Object.entries(about(program)).map(([name, version]) => name.padEnd(36) + version),
    '',
    ...modules.map(({ name, version, integrity = '' }) =>
      `${name.padEnd(36)}${version.padEnd(18)}${integrity}`.trimEnd(),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is in the program's files, as it was built; and what it finds in node_modules, as it is there now. */
function modulesOf(built: readonly BuiltModule[]): Module[] {
  const inside = built.filter(({ bundled }) => bundled === true);
  const beside = [...installedModules()]
    .filter(([name]) => !inside.some((module) => module.name === name))
    .map(([name, version]) => {
      const { integrity } = built.find((module) => module.name === name && module.version === version) ?? {};
      return { name, version, integrity };
    });
  return [...inside, ...beside]
    .map(({ name, version, integrity }, at) => ({ name, version, integrity, bundled: at < inside.length }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Versions by name of the packages that this one needs, and those that they need; absent optional ones are left out. */
function installedModules(directory = PACKAGE_ROOT, found = new Map<string, string>()): Map<string, string> {
  const manifest: PackageManifest = readManifest(directory);
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const place = found.has(name) ? undefined : findModule(name, realpathSync(directory));
    if (place === undefined) continue;
    found.set(name, readManifest(place).version);
    installedModules(place, found);
  }
  return found;
}

/** Node's own search: the nearest node_modules above the package that asks. */
function findModule(name: string, from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (at === dirname(at)) return undefined;
  }
}
