import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Catalogue, type ForeignKey, type ReferentialAction } from '../../../src/target/catalogue.ts';
import { ForeignKeyGraph } from '../../../src/target/foreign-keys.ts';

type Edge = readonly [table: string, referenced: string, action?: ReferentialAction];

function graph(names: readonly string[], edges: readonly Edge[]): ForeignKeyGraph {
  const edgesOf = Map.groupBy(edges, ([table]) => table);
  return new ForeignKeyGraph(
    new Catalogue(
      names.map((name) => ({
        name,
        qualified: `"s"."${name}"`,
        columns: [],
        primaryKey: [],
        uniqueKeys: [],
        triggers: false,
        foreignKeys: (edgesOf.get(name) ?? []).map(
          ([, referenced, action = 'no action']): ForeignKey => ({
            name: 'fk',
            columns: [],
            referenced,
            referencedColumns: [],
            onDelete: action,
            onUpdate: 'no action',
            deferrable: false,
          }),
        ),
      })),
    ),
  );
}

test('defect 6: a child with two parents comes after both, from whichever the walk starts', () => {
  const names = ['child', 'parent_a', 'parent_b', 'grandchild', 'alone'];
  const edges: Edge[] = [
    ['child', 'parent_a'],
    ['child', 'parent_b'],
    ['grandchild', 'child'],
    ['grandchild', 'parent_b'],
  ];
  const expected = graph(names, edges).order;
  const place = (table: string) => expected.indexOf(table);
  for (const [table, referenced] of edges) assert.ok(place(referenced) < place(table), `${referenced} before ${table}`);
  assert.equal(expected.length, 5);
  assert.deepEqual(graph([...names].reverse(), [...edges].reverse()).order, expected);
});

test('defect 6: tables that reference each other share a component, and nothing is refused', () => {
  const result = graph(
    ['a', 'b', 'c', 'below', 'above'],
    [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['a', 'below'],
      ['above', 'b'],
    ],
  );
  assert.equal(result.component('a'), result.component('b'));
  assert.equal(result.component('a'), result.component('c'));
  assert.ok(result.inCycle('a') && result.inCycle('c'));
  assert.ok(!result.inCycle('below') && !result.inCycle('above'));
  assert.deepEqual(result.order, ['below', 'a', 'b', 'c', 'above']);
});

test('a self reference is no cycle', () => {
  const result = graph(['tree'], [['tree', 'tree', 'cascade']]);
  assert.equal(result.inCycle('tree'), false);
  assert.deepEqual([...result.cascadesTo('tree')], ['tree']);
});

test('what the target changes by itself: through every action that changes rows, not through those that refuse', () => {
  const result = graph(
    ['a', 'b', 'c', 'd', 'e'],
    [
      ['b', 'a', 'cascade'],
      ['c', 'b', 'set null'],
      ['d', 'c', 'set default'],
      ['e', 'd', 'restrict'],
    ],
  );
  assert.deepEqual([...result.cascadesTo('a')].sort(), ['b', 'c', 'd']);
  assert.deepEqual([...result.cascadesTo('d')], []);
});

test('a table outside the catalogue is a mistake of the caller', () => {
  assert.throws(() => graph(['a'], []).position('b'), /not in the catalogue/);
});

test('a chain longer than the call stack is deep', () => {
  const names = Array.from({ length: 30_000 }, (_, i) => `t${String(i).padStart(5, '0')}`);
  const result = graph(
    names,
    names.slice(1).map((name, i): Edge => [names[i], name]),
  );
  assert.deepEqual(result.order, names.toReversed());
});

test('any graph: components and order agree with reachability', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const edge = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names));
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 14 }), (edges) => {
      const result = graph(names, edges);
      const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
        edges.some(([a, b]) => a === from && !seen.has(b) && (b === to || reaches(b, to, seen.add(b))));
      for (const x of names) {
        for (const y of names) {
          if (x === y) continue;
          const mutual = reaches(x, y) && reaches(y, x);
          assert.equal(result.component(x) === result.component(y), mutual);
          if (reaches(x, y) && !mutual) assert.ok(result.position(y) < result.position(x));
        }
      }
    }),
  );
});
