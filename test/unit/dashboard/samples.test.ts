import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { greatest, parseSamples, total } from '../../../src/dashboard/samples.ts';

const only = (line: string) =>
  [...parseSamples(line).entries()].flatMap(([name, list]) => list.map((one) => [name, one]));

test('lines of the text format, one by one', () => {
  const cases: [line: string, labels: Record<string, string>, value: number][] = [
    ['m 1', {}, 1],
    ['m\t-2.5e3', {}, -2500],
    ['m 1 1700000000000', {}, 1],
    ['m{} 7', {}, 7],
    ['m{a="b"} 3\r', { a: 'b' }, 3],
    ['m{a="b",} 3', { a: 'b' }, 3],
    ['m { a = "b" , c="d" } 4', { a: 'b', c: 'd' }, 4],
    ['m{a="with } and , and = in it"} 5', { a: 'with } and , and = in it' }, 5],
    ['m{a="back\\\\slash \\"quoted\\" line\\nbreak"} 6', { a: 'back\\slash "quoted" line\nbreak' }, 6],
    ['m{le="+Inf"} 9 # {trace_id="abc"} 0.5 1700000000', { le: '+Inf' }, 9],
    ['m +Inf', {}, Number.POSITIVE_INFINITY],
    ['m -Inf', {}, Number.NEGATIVE_INFINITY],
  ];
  for (const [line, labels, value] of cases) {
    assert.deepEqual(only(line), [['m', { labels, value }]], line);
  }
  assert(Number.isNaN(parseSamples('m NaN').get('m')![0].value));
});

test('what cannot be read is left out, the lines around it are not', () => {
  const text = [
    '# HELP good a metric',
    '# TYPE good counter',
    'good{a="1"} 1',
    'good{a="unclosed 2',
    'good{a=2} 2',
    'good',
    'good 1x',
    '{a="b"} 4',
    '<html>',
    '',
    'good{a="5"} 5',
    '# EOF',
  ].join('\n');
  assert.deepEqual([...parseSamples(text).keys()], ['good']);
  assert.equal(total(parseSamples(text), 'good'), 6);
});

test('names that nobody wants are passed over, one that begins like a wanted one too', () => {
  const samples = parseSamples('a 1\na_total 2\na 3\nb{x="y"} 4', (name) => name === 'a');
  assert.deepEqual([...samples.keys()], ['a']);
  assert.deepEqual(
    samples.get('a')!.map(({ value }) => value),
    [1, 3],
  );
});

test('sums and maxima take what is a number', () => {
  const samples = parseSamples('m{k="a"} 1\nm{k="b"} NaN\nm{k="c"} 4');
  assert.equal(total(samples, 'm'), 5);
  assert.equal(
    total(samples, 'm', ({ k }) => k === 'c'),
    4,
  );
  assert.equal(greatest(samples, 'm'), 4);
  assert.equal(total(samples, 'other'), undefined);
  assert.equal(greatest(samples, 'other'), undefined);
});

test('what the engine publishes comes back as it was counted', async () => {
  const registry = new Registry();
  const registers = [registry];
  const counter = new Counter({ name: 'rows_total', help: 'a "help"\nof lines', labelNames: ['table'], registers });
  const gauge = new Gauge({ name: 'size', help: 'h', registers });
  const histogram = new Histogram({ name: 'age', help: 'h', buckets: [0.1, 1], registers });
  const odd = 'a\\b"c\nd},{';
  counter.inc({ table: odd }, 12);
  counter.inc({ table: 'plain' }, 3);
  gauge.set(-0.25);
  for (const value of [0.05, 0.5, 5]) histogram.observe(value);
  const samples = parseSamples(await registry.metrics());
  assert.equal(
    total(samples, 'rows_total', ({ table }) => table === odd),
    12,
  );
  assert.equal(total(samples, 'rows_total'), 15);
  assert.equal(total(samples, 'size'), -0.25);
  assert.deepEqual(
    samples.get('age_bucket')!.map(({ value }) => value),
    [1, 2, 3],
  );
  assert.equal(total(samples, 'age_count'), 3);
});
