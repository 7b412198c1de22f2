import { maySet } from './grants.ts';
import type { ServerFacts } from './server-facts.ts';

/** How settings are changed on a server, and by which statements where this user may. */
export interface SettingChange {
  readonly fix: string;
  readonly statements?: readonly string[];
  readonly restart?: boolean;
}

/** A setting and its value, as SQL takes it. */
export type Setting = readonly [name: string, value: string];

/** SET PERSIST, which outlasts a restart. */
const PERSIST = 80000;

/** Changes settings that take no restart. Applied in the order given. */
export function settingChange(server: ServerFacts, ...settings: readonly Setting[]): SettingChange {
  const managed = providerFix(server, settings);
  if (managed !== undefined) return { fix: `${managed}.` };
  const persist = server.version.flavour === 'mysql' && server.version.number >= PERSIST;
  const statements = settings.map(([name, value]) => `SET ${persist ? 'PERSIST' : 'GLOBAL'} ${name} = ${value}`);
  const kept = persist ? [] : [`-- and in my.cnf, so that a restart does not undo it:`, ...configuration(settings)];
  return {
    fix: [...statements.map((statement) => `${statement};`), ...kept].join('\n'),
    ...(maySet(server.grants) && { statements }),
  };
}

/** Changes settings that only a restart takes up. */
export function restartChange(server: ServerFacts, ...settings: readonly Setting[]): SettingChange {
  const managed = providerFix(server, settings);
  if (managed !== undefined) return { fix: `${managed}, then restart the instance.`, restart: true };
  return { fix: ['in my.cnf:', ...configuration(settings), 'then restart the server'].join('\n'), restart: true };
}

/** Their consoles take values as they are. */
function providerFix({ provider }: ServerFacts, settings: readonly Setting[]): string | undefined {
  const assigned = (sign: string) => settings.map(([name, value]) => `${name}${sign}${value.replaceAll("'", '')}`);
  switch (provider) {
    case 'rds':
      return `Set ${assigned(' = ').join(', ')} in the parameter group`;
    case 'cloudsql':
      return `gcloud sql instances patch INSTANCE --database-flags=${assigned('=').join(',')}  # name the other flags too`;
    default:
      return undefined;
  }
}

/** Lines of my.cnf; of one setting the last value counts. */
function configuration(settings: readonly Setting[]): string[] {
  const last = new Map(settings);
  return ['[mysqld]', ...[...last].map(([name, value]) => `${name} = ${value.replaceAll("'", '')}`)];
}
