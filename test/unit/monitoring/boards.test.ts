import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { definitions } from '../../../src/metrics/names.ts';
import { ALERTS } from '../../monitoring/alerts.ts';
import { BOARDS, boardFile, boardText } from '../../monitoring/boards.ts';
import { parseQuery, selectorsOf } from '../../monitoring/promql.ts';
import { boardQueries } from '../../monitoring/queries.ts';

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

interface Model {
  readonly uid: string;
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string }[];
    readonly fieldConfig?: {
      readonly defaults: { readonly thresholds: { readonly steps: { value: number | null }[] } };
    };
  }[];
}

const MODELS: readonly Model[] = BOARDS.map((board) => JSON.parse(boardText(board)));

test('the boards in assets are those of the tables: npm run boards', () => {
  for (const board of BOARDS) assert.equal(readFileSync(boardFile(board), 'utf8'), boardText(board), board.name);
  const files = readdirSync(dirname(boardFile(BOARDS[0])));
  assert.deepEqual(files.toSorted(), BOARDS.map((board) => basename(boardFile(board))).sort());
});

test('panels lie on the grid, none over another, each with an id of its own', () => {
  for (const { panels, uid } of MODELS) {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, uid);
    const taken = new Set<string>();
    for (const { gridPos, title } of panels) {
      assert(Number.isInteger(gridPos.w) && gridPos.x + gridPos.w <= 24, `${uid}: ${title}`);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert(!taken.has(`${x}/${y}`), `${uid}: ${title} lies over another panel`);
          taken.add(`${x}/${y}`);
        }
      }
    }
  }
});

test('every panel says what it shows, and what to do when it is red', () => {
  for (const { name, rows } of BOARDS) {
    assert.deepEqual(
      rows.map(({ question }) => question),
      ['Is it alive, and how late is it?', 'Is it keeping up?', 'Where is the time going?', 'What is at risk?'],
    );
    for (const { title, unit, description, limits, queries } of rows.flatMap(({ panels }) => panels)) {
      assert(title !== '' && unit !== '' && queries.length > 0, `${name}: ${title}`);
      assert(description.endsWith('.'), `${name}: ${title}`);
      if (limits?.red !== undefined) assert.match(description, /\bRed\b/, `${name}: ${title}`);
    }
  }
  for (const { panels } of MODELS) {
    for (const { fieldConfig, title } of panels) {
      const values = fieldConfig?.defaults.thresholds.steps.map(({ value }) => value ?? Number.NEGATIVE_INFINITY) ?? [];
      assert.deepEqual(
        values,
        [...new Set(values)].sort((a, b) => a - b),
        title,
      );
    }
  }
});

test('every query is PromQL over metrics that this program publishes, of the processes that are chosen', () => {
  const known = (metric: string) =>
    metric === 'up' ||
    /^process_(cpu_seconds_total|resident_memory_bytes)$/.test(metric) ||
    metric in definitions ||
    definitions[metric.replace(/_(bucket|sum|count)$/, '') as keyof typeof definitions]?.type === 'histogram';
  const queries = boardQueries();
  assert(queries.length > 80);
  for (const { query, where } of queries) {
    for (const { metric, matchers } of selectorsOf(query)) {
      assert(known(metric), `${where}: ${metric}`);
      const chosen = matchers.filter(([, , value]) => value.startsWith('$')).map(([label]) => label);
      assert.deepEqual(chosen.slice(0, 2), ['job', 'instance'], `${where}: ${query}`);
    }
  }
  for (const { alert, expr } of ALERTS) {
    for (const { metric } of selectorsOf(expr)) assert(known(metric), `${alert}: ${metric}`);
  }
  assert.throws(() => parseQuery('sum(rate(apply_upserts_total[5m])'), /no PromQL at character 33/);
});

test('every alert says what has happened, what it means and what to run; codes that it names exist', () => {
  assert.equal(new Set(ALERTS.map(({ alert }) => alert)).size, ALERTS.length);
  for (const { alert, annotations, labels } of ALERTS) {
    assert.match(alert, /^Instar[A-Z]\w+$/);
    assert.match(labels.severity, /^(critical|warning)$/);
    assert.match(annotations.summary, /^\{\{ \$labels\.instance \}\}: \S.*[^.]$/, alert);
    assert.match(annotations.description, /\.$/, alert);
    assert.match(annotations.runbook, /\b(instar|curl) /, alert);
  }
  const told = [
    ...ALERTS.map(({ annotations }) => Object.values(annotations).join(' ')),
    ...BOARDS.map(boardText),
  ].join(' ');
  const codes = new Set(
    Array.from(told.matchAll(/instar explain (\w+_\w+)(?: or (\w+_\w+))?/g), ([, one, other]) => [one, other]).flat(),
  );
  codes.delete(undefined as never);
  assert(codes.size > 5);
  for (const code of codes) assert(README.includes(`\`${code}\``), `${code} is no code of the README's`);
});
