/** One line of a scrape. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a scrape by metric name. Histograms stand under `_bucket`, `_sum` and `_count`, as they are sent. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/**
 * Reads the text format of Prometheus (version 0.0.4), and of OpenMetrics as far as it is the same: comments, timestamps and
 * exemplars are passed over. A line that cannot be read is left out, so that one broken metric does not hide the others.
 * @param wanted names worth the work; the lines of others are skipped unread
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parseSamples(text: string, wanted: (name: string) => boolean = () => true): Samples {
  const samples = new Map<string, Sample[]>();
  let name = '';
  let skip = false;
  let list: Sample[] | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const from = start;
    start = end + 1;
    if (text[from] === '#' || from === end) continue;
    // Lines of one metric stand together, so the name is mostly the one before.
    if (!isNamed(text, from, name)) {
      name = NAME.exec(text.slice(from, end))?.[0] ?? '';
      skip = name === '' || !wanted(name);
      list = samples.get(name);
    }
    if (skip) continue;
    const sample = parseLine(text.slice(from + name.length, end));
    if (sample === undefined) continue;
    if (list === undefined) {
      list = [];
      samples.set(name, list);
    }
    list.push(sample);
  }
  return samples;
}

const NAME = /^[a-zA-Z_:][\w:]*/;
const LABEL = /\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;
const VALUE = /^\s*([+-]?(?:Inf(?:inity)?|NaN|[\d.][\d.eE+-]*))(?=\s|$)/i;
const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

function isNamed(text: string, at: number, name: string): boolean {
  if (name === '' || !text.startsWith(name, at)) return false;
  const next = text[at + name.length];
  return next === '{' || next === ' ' || next === '\t';
}

/** What stands behind the name: labels in braces, a value. */
function parseLine(rest: string): Sample | undefined {
  let labels = NO_LABELS;
  let position = /^\s*/.exec(rest)?.[0].length ?? 0;
  if (rest[position] === '{') {
    const found: Record<string, string> = {};
    LABEL.lastIndex = position + 1;
    for (;;) {
      position = LABEL.lastIndex;
      const match = LABEL.exec(rest);
      if (match === null) break;
      found[match[1]] = match[2].includes('\\') ? unescaped(match[2]) : match[2];
    }
    while (rest[position] === ' ') position++;
    if (rest[position] !== '}') return undefined;
    position++;
    labels = found;
  }
  const [, value] = VALUE.exec(rest.slice(position)) ?? [];
  const number = value === undefined ? undefined : numberOf(value);
  return number === undefined ? undefined : { labels, value: number };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function numberOf(text: string): number | undefined {
  if (/inf/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/nan/i.test(text)) return Number.NaN;
  const number = Number(text);
  return Number.isNaN(number) ? undefined : number;
}

/** The sum of a metric over all its labels that `where` allows; undefined when there is no such sample. */
export function total(
  samples: Samples,
  name: string,
  where: (labels: Sample['labels']) => boolean = () => true,
): number | undefined {
  let sum: number | undefined;
  for (const { labels, value } of samples.get(name) ?? []) {
    if (Number.isFinite(value) && where(labels)) sum = (sum ?? 0) + value;
  }
  return sum;
}

/** The greatest value of a metric over all its labels; undefined when there is none. */
export function greatest(samples: Samples, name: string): number | undefined {
  const values = (samples.get(name) ?? []).map(({ value }) => value).filter((value) => Number.isFinite(value));
  return values.length === 0 ? undefined : Math.max(...values);
}
