import { parser } from '@prometheus-io/lezer-promql';

/** A node of a parsed query. */
export type QueryNode = ReturnType<typeof parser.parse>['topNode'];

/** A metric that a query asks for. */
export interface Selector {
  readonly metric: string;
  /** Label, operator, value: `["state", "=", "streaming"]`. */
  readonly matchers: readonly (readonly [label: string, operator: string, value: string])[];
}

/** What a query says of labels, besides those it matches. */
export interface Grouping {
  readonly labels: readonly string[];
  /** Metrics of whose series the labels have to be. */
  readonly metrics: readonly string[];
}

/** The outermost expression of a query. @throws Error where it is no PromQL */
export function parseQuery(text: string): QueryNode {
  const { topNode } = parser.parse(text);
  for (const cursor = topNode.cursor(); ; ) {
    if (cursor.type.isError) throw new Error(`no PromQL at character ${cursor.from}: ${text}`);
    if (!cursor.next()) break;
  }
  return topNode.firstChild!;
}

export function textOf(node: QueryNode, text: string): string {
  return text.slice(node.from, node.to);
}

/** Every node of that name at or below `node`. */
export function nodesOf(node: QueryNode, name: string): QueryNode[] {
  const found = node.name === name ? [node] : [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(...nodesOf(child, name));
  return found;
}

/** What a VectorSelector asks for. */
export function selectorOf(node: QueryNode, text: string): Selector {
  const matchers = nodesOf(node, 'UnquotedLabelMatcher').map((matcher) => {
    const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) =>
      textOf(matcher.getChild(name)!, text),
    );
    return [label, operator, value.slice(1, -1)] as const;
  });
  return { metric: textOf(node.getChild('Identifier')!, text), matchers };
}

export function selectorsOf(text: string): Selector[] {
  return nodesOf(parseQuery(text), 'VectorSelector').map((node) => selectorOf(node, text));
}

/** The labels of `by (…)`, `without (…)`, `on (…)` and `ignoring (…)`, with the metrics that they are about. */
export function groupingsOf(text: string): Grouping[] {
  return nodesOf(parseQuery(text), 'GroupingLabels').map((node) => {
    const about = node.parent!.parent!;
    return {
      labels: labelsOf(node, text),
      metrics: nodesOf(about, 'VectorSelector').map((selector) => selectorOf(selector, text).metric),
    };
  });
}

export function labelsOf(node: QueryNode, text: string): string[] {
  return node.getChildren('LabelName').map((label) => textOf(label, text));
}
