import { UsageError } from '../errors.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { type CommandName, type FLAGS, type Flag, type FlagName, flagNamed, flagsOf } from './flags.ts';
import { didYouMean } from './nearest.ts';
import { mask } from './secrets.ts';
import { formatSize, parseSize } from './size.ts';

type Table = typeof FLAGS;

/** A value that is there: an optional flag without a default may also be undefined. */
type Given<F, V> = F extends { default: null } ? (F extends { required: string } ? V : V | undefined) : V;

type ValueOf<F> = F extends { type: 'bool' }
  ? boolean
  : F extends { type: 'int' | 'size' | 'duration' | 'count' }
    ? Given<F, number>
    : F extends { choices: readonly (infer Choice)[] }
      ? Choice
      : Given<F, string>;

/**
 * What a command was told, by flag name: durations in milliseconds, sizes in bytes, undefined for what is neither set
 * nor has a default. Of several commands: what all of them are told.
 */
export type Settings<C extends CommandName> = {
  readonly [N in FlagName as [C] extends [Table[N]['commands'][number]] ? N : never]: ValueOf<Table[N]>;
};

/** A parsed value of any flag. */
export type SettingValue = string | number | boolean | undefined;

/** Node's timers take no more milliseconds than this; a longer pause would end at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * The value that `text` stands for. `label` is how the place that was read is called in errors (`--flushSize`,
 * `INSTAR_FLUSH_SIZE`). Throws UsageError when type or rule are broken; a zero is a zero, never "the default".
 */
export function parseValue(flag: Flag, label: string, text: string): SettingValue {
  const shown = JSON.stringify(mask(text));
  switch (flag.type) {
    case 'bool': {
      if (/^(true|t|1)$/i.test(text)) return true;
      if (/^(false|f|0)$/i.test(text)) return false;
      throw new UsageError(`${label} must be true or false, not ${shown}`);
    }
    case 'int':
    case 'count': {
      if (!/^[-+]?\d+$/.test(text)) throw new UsageError(`${label} must be a whole number, not ${shown}`);
      const [min, max] = flag.type === 'int' ? [flag.min, flag.max] : [0, undefined];
      return withinRange(Number(text), label, min, max ?? Number.MAX_SAFE_INTEGER, String);
    }
    case 'duration': {
      const milliseconds = parseDuration(text);
      if (milliseconds === undefined) {
        throw new UsageError(`${label} must be a duration such as 500ms, 1.5s or 1h2m3s, not ${shown}`);
      }
      if (milliseconds === 0 && flag.orZero) return 0;
      const longest = flag.max ?? (flag.effect === undefined ? LONGEST_TIMER : Number.POSITIVE_INFINITY);
      return withinRange(milliseconds, label, flag.min, longest, formatDuration);
    }
    case 'size': {
      const bytes = parseSize(text);
      if (bytes === undefined) {
        throw new UsageError(`${label} must be a size such as 64MiB or 1000000, not ${shown}`);
      }
      return withinRange(bytes, label, flag.min, flag.max ?? Number.MAX_SAFE_INTEGER, formatSize);
    }
    case 'choice': {
      if (flag.choices.includes(text)) return text;
      const hint = didYouMean(text, flag.choices);
      const complaint = label.endsWith('logFormat') ? `unknown log format: ${shown}: ` : '';
      throw new UsageError(`${complaint}${label} must be one of ${flag.choices.join(', ')}, not ${shown}${hint}`);
    }
    case 'string': {
      // Nothing is as good as not set where not being set is allowed; elsewhere it is a slip.
      if (text === '' && flag.default === null) return undefined;
      if (text === '' && flag.default !== '') throw new UsageError(`${label} must not be empty`);
      if (flag.pattern?.test(text) === false) throw new UsageError(`${label} must be ${flag.form}, not ${shown}`);
      return text;
    }
    case 'connection':
      return text === '' ? undefined : text;
  }
}

/** The value of a flag that nobody set. */
export function defaultValue(name: FlagName): SettingValue {
  const flag = flagNamed(name);
  return flag.default === null ? undefined : parseValue(flag, name, flag.default);
}

/**
 * The command line that gives these settings: only flags that differ from their defaults, in the table's order, each
 * argument one array element. Connection strings are secret and become their placeholders (`$SOURCE`).
 */
export function toArguments<C extends CommandName>(command: C, settings: Partial<Settings<C>>): string[] {
  const values: Readonly<Record<string, SettingValue>> = settings;
  return flagsOf(command).flatMap((name) => {
    const flag = flagNamed(name);
    const value = values[name];
    if (value === undefined || value === defaultValue(name)) return [];
    switch (flag.type) {
      case 'bool':
        return [value === true ? `--${name}` : `--${name}=false`];
      case 'count':
        return [`-${(flag.short ?? '').repeat(Number(value))}`];
      case 'duration':
        return [`--${name}`, formatDuration(Number(value))];
      case 'size':
        return [`--${name}`, formatSize(Number(value))];
      case 'connection':
        return [`--${name}`, flag.placeholder];
      default:
        return String(value).startsWith('-') ? [`--${name}=${value}`] : [`--${name}`, String(value)];
    }
  });
}

function withinRange(value: number, label: string, min: number, max: number, show: (value: number) => string): number {
  if (value < min) throw new UsageError(`${label} must be at least ${show(min)}, not ${show(value)}`);
  if (value > max) throw new UsageError(`${label} must be at most ${show(max)}, not ${show(value)}`);
  return value;
}
