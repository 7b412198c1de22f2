/** What a panel shows: queries with the legend of their series; `{{table}}` stands for a label's value. */
export type Query = readonly [expression: string, legend: string];

/** Values from which on a panel is orange, and red. `below` turns them round: at or above is good. */
export interface Limits {
  readonly orange?: number;
  readonly red?: number;
  readonly below?: true;
}

export interface Panel {
  readonly title: string;
  /** A unit of Grafana's: `s`, `bytes`, `percentunit`, `suffix: rows/s`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** What it shows, and what to do when it is red. */
  readonly description: string;
  readonly limits?: Limits;
  /** One number and no curve. */
  readonly single?: true;
  /** Words in place of values, with their colours. */
  readonly words?: Readonly<Record<string, readonly [word: string, color: string]>>;
  /** What is shown when there is nothing. */
  readonly none?: string;
}

/** Panels that answer one question. */
export interface Row {
  readonly question: string;
  readonly panels: readonly Panel[];
}

export interface Board {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

/** The version of Grafana's board schema that is written: that of Grafana 11, which later ones read. */
const SCHEMA = 39;
const COLUMNS = 24;
/** The data source, which whoever imports a board is asked for. */
const INPUT = 'DS_PROMETHEUS';
const SOURCE = { type: 'prometheus', uid: `\${${INPUT}}` };

/** The processes that are chosen, by the labels that Prometheus gives them. */
export const ENGINE = 'job=~"$job",instance=~"$instance"';
/** Their tables. */
export const TABLES = `${ENGINE},schema=~"$schema",table=~"$table"`;

const VARIABLES = [
  ['job', 'Job', 'label_values(target_apply_queue_size, job)'],
  ['instance', 'Instance', 'label_values(target_apply_queue_size{job=~"$job"}, instance)'],
  ['schema', 'Target schema', `label_values(apply_upserts_total{${ENGINE}}, schema)`],
  ['table', 'Table', `label_values(apply_upserts_total{${ENGINE},schema=~"$schema"}, table)`],
] as const;

/** The board in Grafana's JSON model, as its import takes it. */
export function grafanaModel(board: Board): object {
  let id = 0;
  let y = 0;
  const panels = board.rows.flatMap(({ question, panels: row }) => {
    const title = {
      id: ++id,
      type: 'row',
      title: question,
      collapsed: false,
      gridPos: place(0, y++, COLUMNS, 1),
      panels: [],
    };
    const placed = [true, undefined].flatMap((single) => {
      const some = row.filter((panel) => panel.single === single);
      if (some.length === 0) return [];
      const height = single ? 4 : 8;
      const across = single ? Math.max(4, some.length) : Math.min(3, some.length === 4 ? 2 : some.length);
      const width = COLUMNS / across;
      const models = some.map((panel, i) =>
        panelModel(panel, ++id, place((i % across) * width, y + Math.floor(i / across) * height, width, height)),
      );
      y += Math.ceil(some.length / across) * height;
      return models;
    });
    return [title, ...placed];
  });
  return {
    __inputs: [
      {
        name: INPUT,
        label: 'Prometheus',
        type: 'datasource',
        pluginId: 'prometheus',
        pluginName: 'Prometheus',
      },
    ],
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: '11.0.0' },
      { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
    ],
    uid: board.name,
    title: board.title,
    description: board.description,
    tags: ['instar'],
    schemaVersion: SCHEMA,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    links: [
      { type: 'dashboards', title: 'Instar', tags: ['instar'], asDropdown: true, includeVars: true, keepTime: true },
    ],
    templating: { list: VARIABLES.map(([name, label, query]) => variableModel(name, label, query)) },
    panels,
  };
}

function place(x: number, y: number, w: number, h: number) {
  return { x, y, w, h };
}

function variableModel(name: string, label: string, query: string): object {
  return {
    name,
    label,
    type: 'query',
    datasource: SOURCE,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  };
}

function panelModel(panel: Panel, id: number, gridPos: object): object {
  const { title, description, unit, queries, limits, single, words, none } = panel;
  const defaults = {
    unit,
    ...(single ? {} : { min: 0 }),
    ...(none && { noValue: none }),
    color: { mode: single ? 'thresholds' : 'palette-classic' },
    thresholds: { mode: 'absolute', steps: steps(limits) },
    ...(words && { mappings: [{ type: 'value', options: mappings(words) }] }),
    ...(!single && {
      custom: { fillOpacity: 10, showPoints: 'never', thresholdsStyle: { mode: limits ? 'line' : 'off' } },
    }),
  };
  return {
    id,
    type: single ? 'stat' : 'timeseries',
    title,
    description,
    gridPos,
    datasource: SOURCE,
    fieldConfig: { defaults, overrides: [] },
    options: single
      ? { reduceOptions: { calcs: ['lastNotNull'] }, textMode: 'auto', colorMode: 'background', graphMode: 'none' }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + i),
      datasource: SOURCE,
      expr,
      legendFormat,
      ...(single && { instant: true }),
    })),
  };
}

function steps({ orange, red, below }: Limits = {}): { color: string; value: number | null }[] {
  const from = (color: string, value: number | undefined) => (value === undefined ? [] : [{ color, value }]);
  if (below) {
    const good = orange ?? red;
    return [{ color: 'red', value: null }, ...(good === red ? [] : from('orange', red)), ...from('green', good)];
  }
  return [{ color: 'green', value: null }, ...from('orange', orange), ...from('red', red)];
}

function mappings(words: NonNullable<Panel['words']>): object {
  return Object.fromEntries(
    Object.entries(words).map(([value, [text, color]], index) => [value, { text, color, index }]),
  );
}

/** JSON in which whatever fits stands on one line. */
export function compactJson(value: unknown, indent = '', used = 0): string {
  const line = JSON.stringify(value).replaceAll(/"(?:[^"\\]|\\.)*"|[,:]/g, (part) =>
    part.length === 1 ? `${part} ` : part,
  );
  if (typeof value !== 'object' || value === null || indent.length + used + line.length <= 120) return line;
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Array.isArray(value)
    ? value.map((one) => compactJson(one, deeper))
    : Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${compactJson(one, deeper, key.length + 4)}`);
  return `${open}\n${parts.map((part) => deeper + part).join(',\n')}\n${indent}${close}`;
}
