import type { Found } from './config-file.ts';
import { type CommandName, FLAGS, type FlagName, flagNamed, flagsOf } from './flags.ts';
import { nearest } from './nearest.ts';

const PREFIX = 'INSTAR_';

/** Variables that are no flags. */
export const OTHER_VARIABLES = ['INSTAR_ASCII', 'INSTAR_CONTROL_TOKEN', 'INSTAR_HOME', 'INSTAR_SCREEN_READER'];

/** The environment variable of a flag: `sourceConn` is set by `INSTAR_SOURCE_CONN`. */
export function variableOf(name: string): string {
  const words = name.replaceAll(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3_$2$4');
  return PREFIX + words.replaceAll('-', '_').toUpperCase();
}

/**
 * The flags that the environment sets; an empty variable counts as not set. `warnings` tell of variables that look
 * like a misspelt flag.
 */
export function readEnvironment(
  command: CommandName,
  env: NodeJS.ProcessEnv,
): { found: Map<FlagName, Found>; warnings: string[] } {
  const found = new Map<FlagName, Found>();
  for (const name of flagsOf(command)) {
    const label = variableOf(name);
    const text = env[label];
    if (text && !flagNamed(name).commandLineOnly) found.set(name, { text, label });
  }
  const known = [...Object.keys(FLAGS).map(variableOf), ...OTHER_VARIABLES];
  const warnings: string[] = [];
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith(PREFIX) || known.includes(variable)) continue;
    const meant = nearest(
      variable.slice(PREFIX.length),
      known.map((name) => name.slice(PREFIX.length)),
    );
    if (meant !== undefined)
      warnings.push(`the environment variable ${variable} is not known; did you mean ${PREFIX}${meant}?`);
  }
  return { found, warnings };
}
