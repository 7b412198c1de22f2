import type { TargetKind } from '../changes/table.ts';
import type { TargetColumn } from './catalogue.ts';
import { kindOfType } from './column-kinds.ts';

/** A type taken apart: `timestamp(3) with time zone[]` is a timestamptz with 3, an array. */
interface Type {
  readonly name: string;
  readonly kind: TargetKind;
  readonly modifiers: readonly number[];
  readonly array: boolean;
}

/** What PostgreSQL writes out in full, without modifiers, by the short names. */
const SHORT: Readonly<Record<string, string>> = {
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  int: 'int8',
  real: 'float4',
  float: 'float8',
  'double precision': 'float8',
  boolean: 'bool',
  'character varying': 'varchar',
  character: 'char',
  'bit varying': 'varbit',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  'time without time zone': 'time',
  'time with time zone': 'timetz',
};

/** Decimal digits that every integer of a type has room for, and that its largest has. */
const DIGITS: Readonly<Record<string, { readonly all: number; readonly largest: number }>> = {
  int2: { all: 4, largest: 5 },
  int4: { all: 9, largest: 10 },
  oid: { all: 9, largest: 10 },
  int8: { all: 18, largest: 19 },
};

/** Decimal digits that a floating point number keeps. */
const KEPT: Readonly<Record<string, number>> = { float4: 6, float8: 15 };

const APART = 'its values do not fit';

const NUMBERS: readonly TargetKind[] = ['int', 'decimal', 'float'];
const TIMES: readonly TargetKind[] = ['date', 'timestamp', 'timestamptz', 'time', 'timetz'];
/** Digits before the point that a float4 has room for. */
const LARGEST_REAL = 38;

/** Kinds that take nothing of another family. */
const FAMILIES: readonly TargetKind[] = [...NUMBERS, ...TIMES, 'bool', 'uuid', 'inet', 'interval'];
/** What text is taken for only when it is written like it. */
const WRITTEN: Readonly<Partial<Record<TargetKind, string>>> = {
  int: 'no whole number',
  decimal: 'no number',
  float: 'no number',
  bool: 'no truth value',
  uuid: 'no UUID',
  date: 'no date',
  timestamp: 'no time',
  timestamptz: 'no time',
  time: 'no time of day',
  timetz: 'no time of day',
  interval: 'no interval',
  json: 'no JSON',
  inet: 'no address',
};

/** Digits behind the second that times have where their type does not say. */
const MICROSECONDS = 6;

/**
 * What becomes of values of a source column in a target column whose type does not take them all as they are, in a few words;
 * undefined when it does, and where that is not known. Types are compared, not values: a column may never hold such a value.
 * `sourceType` is in PostgreSQL's words, as `SourceColumn.type` is; the target's may be in either product's.
 */
export function typeLoss(
  sourceType: string,
  { typeName, kind, array }: Pick<TargetColumn, 'typeName' | 'kind' | 'array'>,
): string | undefined {
  const source = typeOf(sourceType);
  const target = { ...typeOf(typeName), kind, array };
  if (source.kind === 'other' || target.kind === 'other' || target.kind === 'enum') return undefined;
  if (target.kind === 'string' && !target.array) return longer(source, target);
  // MySQL's SET is text that goes into arrays.
  if (source.array !== target.array) return target.array && source.kind === 'string' ? undefined : APART;
  if (source.kind === 'string') return written(target);
  if (NUMBERS.includes(source.kind))
    return NUMBERS.includes(target.kind) ? number(source, target) : apart(source, target);
  if (TIMES.includes(source.kind)) return TIMES.includes(target.kind) ? time(source, target) : apart(source, target);
  return source.kind === 'bool' ? apart(source, target) : undefined;
}

function typeOf(text: string): Type {
  const element = text.replace(/(\[\])+$/, '');
  const modifiers = /\(([\d,\s]+)\)/.exec(element);
  const plain = (modifiers === null ? element : element.replace(modifiers[0], '')).replaceAll('"', '').trim();
  const name = plain.toLowerCase().replace(/\s+/g, ' ');
  const short = SHORT[name] ?? name;
  return {
    name: short,
    kind: kindOfType(short),
    modifiers: modifiers === null ? [] : modifiers[1].split(',').map(Number),
    array: element !== text,
  };
}

function written({ kind }: Type): string | undefined {
  const lacking = WRITTEN[kind];
  return lacking === undefined ? undefined : `text that is ${lacking} is refused`;
}

/** Types that have nothing to do with each other; JSON and bytes take some, and a source may know how to write a truth value. */
function apart(source: Type, { kind }: Type): string | undefined {
  if (kind === source.kind || (kind === 'bool' && NUMBERS.includes(source.kind))) return undefined;
  if (source.kind === 'time' && kind === 'interval') return undefined;
  return FAMILIES.includes(kind) ? APART : undefined;
}

function longer(source: Type, target: Type): string | undefined {
  const limit = target.modifiers[0] ?? (target.name === 'char' ? 1 : Number.POSITIVE_INFINITY);
  return longest(source) > limit ? `values beyond ${limit} characters are refused` : undefined;
}

/** Characters of the longest value, as far as the type says. */
function longest(type: Type): number {
  const { kind, name, array, modifiers } = type;
  if (array) return Number.POSITIVE_INFINITY;
  const fraction = (modifiers[0] ?? MICROSECONDS) === 0 ? 0 : 1 + (modifiers[0] ?? MICROSECONDS);
  switch (kind) {
    case 'bool':
      return 1;
    case 'int':
      return 1 + largestOf(type);
    case 'decimal': {
      const { whole, behind } = digitsOf(type);
      return 1 + whole + (behind === 0 ? 0 : 1 + behind);
    }
    case 'float':
      return name === 'float4' ? 14 : 24;
    case 'uuid':
      return 36;
    case 'date':
      return 10;
    case 'timestamp':
      return 19 + fraction;
    case 'timestamptz':
      return 22 + fraction;
    case 'time':
      return 8 + fraction;
    case 'timetz':
      return 11 + fraction;
    default:
      return modifiers[0] ?? (name === 'char' ? 1 : Number.POSITIVE_INFINITY);
  }
}

function number(source: Type, target: Type): string | undefined {
  switch (target.kind) {
    case 'int':
      return intoInteger(source, target);
    case 'decimal':
      return intoDecimal(source, target);
    default:
      return intoFloat(source, target);
  }
}

function intoInteger(source: Type, target: Type): string | undefined {
  if (source.kind === 'float') return 'fractions and larger numbers are refused';
  const { all } = DIGITS[target.name] ?? DIGITS.int8;
  if (source.kind === 'int') {
    return (DIGITS[source.name] ?? DIGITS.int8).all > all ? 'larger numbers are refused' : undefined;
  }
  const { whole, behind } = digitsOf(source);
  if (behind > 0) return whole > all ? 'fractions and larger numbers are refused' : 'fractions are refused';
  return whole > all ? 'larger numbers are refused' : undefined;
}

function intoDecimal(source: Type, target: Type): string | undefined {
  if (target.modifiers.length === 0) return undefined;
  const { whole, behind } = digitsOf(target);
  if (source.kind === 'float')
    return `digits beyond ${behind} behind the point are rounded away, larger numbers refused`;
  const from = source.kind === 'int' ? { whole: largestOf(source), behind: 0 } : digitsOf(source);
  const losses = [
    ...(from.behind > behind ? [`digits beyond ${behind} behind the point are rounded away`] : []),
    ...(from.whole > whole ? [`numbers of more than ${whole} digits before the point are refused`] : []),
  ];
  return losses.length === 0 ? undefined : losses.join(', ');
}

function intoFloat(source: Type, target: Type): string | undefined {
  const kept = KEPT[target.name] ?? KEPT.float8;
  const digits =
    source.kind === 'float'
      ? (KEPT[source.name] ?? KEPT.float8)
      : source.kind === 'int'
        ? largestOf(source)
        : digitsOf(source).whole + digitsOf(source).behind;
  if (digits <= kept) return undefined;
  const whole =
    source.kind === 'decimal' ? digitsOf(source).whole : source.kind === 'float' ? Number.POSITIVE_INFINITY : 0;
  const smaller = target.name === 'float4' && whole > LARGEST_REAL;
  return `numbers of more than ${kept} digits are rounded${smaller ? ', larger ones refused' : ''}`;
}

function largestOf({ name }: Type): number {
  return (DIGITS[name] ?? DIGITS.int8).largest;
}

/** Digits of a decimal before and behind its point. */
function digitsOf({ modifiers: [precision, scale = 0] }: Type): { whole: number; behind: number } {
  if (precision === undefined) return { whole: Number.POSITIVE_INFINITY, behind: Number.POSITIVE_INFINITY };
  return { whole: precision - scale, behind: Math.max(0, scale) };
}

function time(source: Type, target: Type): string | undefined {
  const dated = (kind: TargetKind) => kind === 'date' || kind === 'timestamp' || kind === 'timestamptz';
  if (!dated(source.kind) && dated(target.kind)) return APART;
  if (dated(source.kind) && !dated(target.kind)) return source.kind === 'date' ? APART : 'the date is cut off';
  if (source.kind === 'date') return undefined;
  if (target.kind === 'date') return 'the time of day is cut off';
  const [from = MICROSECONDS] = source.modifiers;
  const [to = MICROSECONDS] = target.modifiers;
  return from > to ? `digits beyond ${to} behind the second are rounded away` : undefined;
}
