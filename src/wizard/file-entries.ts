import { mask } from '../config/secrets.ts';
import type { YamlEntry } from '../config/yaml-file.ts';
import { UsageError } from '../errors.ts';

/** An answer that is text. @throws UsageError naming file and line */
export function textOf({ key, place, value }: YamlEntry): string {
  if (value.kind === 'scalar' && typeof value.value === 'string' && value.value.trim() !== '') return value.value;
  throw new UsageError(`${place}: ${key} must be text`);
}

/**
 * Something at the source that is created, or that is there already: a name, or a map of `name` and `create`.
 * @throws UsageError naming file and line
 */
export function thingOf(entry: YamlEntry | undefined, otherwise: string): { name: string; create: boolean } {
  if (entry === undefined) return { name: otherwise, create: true };
  const { key, place, value } = entry;
  if (value.kind !== 'map') return { name: textOf(entry), create: true };
  let found: string | undefined;
  let create = true;
  for (const part of value.entries) {
    if (part.key === 'name') found = textOf(part);
    else if (part.key === 'create' && part.value.kind === 'scalar' && typeof part.value.value === 'boolean') {
      create = part.value.value;
    } else {
      throw new UsageError(`${part.place}: ${key} has a name (text) and create (true or false), not ${mask(part.key)}`);
    }
  }
  if (found === undefined) throw new UsageError(`${place}: ${key} has no name`);
  return { name: found, create };
}
