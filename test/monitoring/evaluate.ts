import { labelsOf, nodesOf, parseQuery, type QueryNode, selectorOf, textOf } from './promql.ts';

/** What was scraped: labels, `__name__` among them, and values by time in seconds, in order. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [time: number, value: number])[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Result = number | Sample[];

/** Seconds for which a sample counts when none comes behind it. */
const LOOKBACK = 300;

/**
 * The value of a query at a time, for as much of PromQL as the alerts use. It does not extrapolate as Prometheus does: what a
 * counter gains is what was seen of it. Matching is one to one. Whatever else a query uses is refused.
 */
export function evaluate(query: string, series: readonly Series[], time: number): Sample[] {
  const result = new Evaluation(query, series).of(parseQuery(query), time);
  if (typeof result === 'number') throw new Error(`a number and no series: ${query}`);
  return result;
}

class Evaluation {
  readonly #text: string;
  readonly #series: readonly Series[];

  constructor(text: string, series: readonly Series[]) {
    this.#text = text;
    this.#series = series;
  }

  of(node: QueryNode, time: number): Result {
    switch (node.name) {
      case 'NumberDurationLiteral':
        return Number(textOf(node, this.#text));
      case 'ParenExpr':
        return this.of(node.firstChild!, time);
      case 'VectorSelector':
        return this.#latest(node, time);
      case 'OffsetExpr':
        return this.of(node.firstChild!, time - seconds(textOf(node.lastChild!, this.#text)));
      case 'AggregateExpr':
        return this.#aggregate(node, time);
      case 'FunctionCall':
        return this.#call(node, time);
      case 'BinaryExpr':
        return this.#combine(node, time);
      default:
        throw new Error(`${node.name} is not evaluated here: ${textOf(node, this.#text)}`);
    }
  }

  /** The series that a selector chooses, each with its samples of (from, to]. */
  #select(node: QueryNode, from: number, to: number): Series[] {
    const { metric, matchers } = selectorOf(node, this.#text);
    const matches = ({ labels }: Series) =>
      labels.__name__ === metric &&
      matchers.every(([label, operator, wanted]) => {
        const value = labels[label] ?? '';
        const equal = operator.endsWith('~') ? new RegExp(`^(?:${wanted})$`).test(value) : value === wanted;
        return operator.startsWith('!') ? !equal : equal;
      });
    return this.#series
      .filter(matches)
      .map(({ labels, samples }) => ({ labels, samples: samples.filter(([at]) => at > from && at <= to) }))
      .filter(({ samples }) => samples.length > 0);
  }

  #latest(node: QueryNode, time: number): Sample[] {
    return this.#select(node, time - LOOKBACK, time).map(({ labels, samples }) => ({
      labels,
      value: samples.at(-1)![1],
    }));
  }

  #call(node: QueryNode, time: number): Sample[] {
    const name = textOf(node.getChild('FunctionIdentifier')!, this.#text);
    const [matrix] = nodesOf(node, 'MatrixSelector');
    const window = seconds(textOf(matrix.getChild('DurationExpr')!, this.#text));
    const found = this.#select(matrix.firstChild!, time - window, time);
    return found.flatMap(({ labels, samples }): Sample[] => {
      const values = samples.map(([, value]) => value);
      const steps = values.slice(1).map((value, i) => [values[i], value] as const);
      const gained = steps.reduce((sum, [before, after]) => sum + (after < before ? after : after - before), 0);
      const took = samples.at(-1)![0] - samples[0][0];
      switch (name) {
        case 'last_over_time':
          return [{ labels, value: values.at(-1)! }];
        case 'changes':
          return [{ labels: unnamed(labels), value: steps.filter(([before, after]) => before !== after).length }];
        case 'increase':
          return took === 0 ? [] : [{ labels: unnamed(labels), value: gained }];
        case 'rate':
          return took === 0 ? [] : [{ labels: unnamed(labels), value: gained / took }];
        default:
          throw new Error(`${name} is not evaluated here`);
      }
    });
  }

  #aggregate(node: QueryNode, time: number): Sample[] {
    const by = labelsOf(nodesOf(node.getChild('AggregateModifier')!, 'GroupingLabels')[0], this.#text);
    const of = this.of(node.getChild('FunctionCallBody')!.firstChild!, time);
    if (typeof of === 'number') throw new Error('a number cannot be aggregated');
    const operator = textOf(node.getChild('AggregateOp')!, this.#text);
    return [...Map.groupBy(of, ({ labels }) => key(labels, by)).values()].map((group) => {
      const values = group.map(({ value }) => value);
      const found: Readonly<Record<string, number>> = {
        sum: values.reduce((sum, value) => sum + value, 0),
        max: Math.max(...values),
        count: values.length,
      };
      if (!(operator in found)) throw new Error(`${operator} is not evaluated here`);
      return { labels: only(group[0].labels, by), value: found[operator] };
    });
  }

  #combine(node: QueryNode, time: number): Result {
    const left = this.of(node.firstChild!, time);
    const right = this.of(node.lastChild!, time);
    const clause = node.getChild('MatchingModifierClause');
    const on = clause === null ? undefined : labelsOf(clause.getChild('GroupingLabels')!, this.#text);
    if (clause !== null && clause.getChild('On') === null) throw new Error('only on (…) is evaluated here');
    const operator = textOf(node.firstChild!.nextSibling!, this.#text);
    const matched = (labels: Sample['labels']) => key(labels, on ?? Object.keys(unnamed(labels)).sort());
    if (typeof left === 'number' && typeof right === 'number') return compute(operator, left, right)!;
    if (typeof left === 'number') throw new Error('a number stands on the right here');
    if (typeof right === 'number') return left.flatMap((one) => combined(operator, one, right));
    const others = new Map(right.map((one) => [matched(one.labels), one]));
    switch (operator) {
      case 'and':
        return left.filter(({ labels }) => others.has(matched(labels)));
      case 'unless':
        return left.filter(({ labels }) => !others.has(matched(labels)));
      case 'or': {
        const known = new Set(left.map(({ labels }) => matched(labels)));
        return [...left, ...right.filter(({ labels }) => !known.has(matched(labels)))];
      }
      default:
        return left.flatMap((one) => {
          const other = others.get(matched(one.labels));
          return other === undefined ? [] : combined(operator, one, other.value);
        });
    }
  }
}

/** A comparison keeps a sample or drops it, arithmetic changes it and takes its name. */
function combined(operator: string, { labels, value }: Sample, other: number): Sample[] {
  const result = compute(operator, value, other);
  if (result === undefined) return [];
  return [/^[<>=!]/.test(operator) ? { labels, value } : { labels: unnamed(labels), value: result }];
}

/** Undefined for a comparison that does not hold. */
function compute(operator: string, left: number, right: number): number | undefined {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '^':
      return left ** right;
    case '==':
      return left === right ? left : undefined;
    case '>':
      return left > right ? left : undefined;
    case '>=':
      return left >= right ? left : undefined;
    default:
      throw new Error(`${operator} is not evaluated here`);
  }
}

function unnamed({ __name__, ...labels }: Sample['labels']): Sample['labels'] {
  return labels;
}

function only(labels: Sample['labels'], names: readonly string[]): Sample['labels'] {
  return Object.fromEntries(names.filter((name) => name in labels).map((name) => [name, labels[name]]));
}

function key(labels: Sample['labels'], names: readonly string[]): string {
  return JSON.stringify(names.map((name) => [name, labels[name] ?? '']));
}

/** A duration of PromQL in seconds: `15m`, `1d`. */
export function seconds(duration: string): number {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
  const [, count, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  if (count === undefined) throw new Error(`${duration} is no duration that is known here`);
  return Number(count) * units[unit];
}
