import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT, type PackageManifest, readManifest, VERSION } from '../config/build.ts';
import { UsageError } from '../errors.ts';
import type { CommandContext } from './command.ts';

/** Prints the versions of the program, of what it runs on, and of every package that it depends on. */
export async function run({ args, program, stdout }: CommandContext): Promise<number> {
  if (args.length > 0) throw new UsageError('version takes no arguments');
  stdout.write(versionText(program));
  return 0;
}

/** The versions, a line each. */
export function versionText(program: string): string {
  const about = { [program]: VERSION, node: process.versions.node, platform: process.platform, arch: process.arch };
  const modules = [...installedModules()].sort(([a], [b]) => a.localeCompare(b));
  const lines = [...Object.entries(about), ['', ''], ...modules].map(
    ([name, version]) => `${name.padEnd(36)}${version}`,
  );
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
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
