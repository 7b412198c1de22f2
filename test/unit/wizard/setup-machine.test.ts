import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Page, pageAfter, pageBefore, pageToOpen, STEPS, stepOf } from '../../../src/wizard/setup-machine.ts';
import { launched } from './saved.ts';

const { answers } = launched('shop');
const anyway = () => true;

test('the way leads through all eight steps, and back the same way', () => {
  const there: Page[] = [];
  for (let page: Page | undefined = 'kind'; page !== undefined; page = pageAfter(page)) there.push(page);
  const back: Page[] = [];
  for (let page: Page | undefined = 'launch'; page !== undefined; page = pageBefore(page)) back.push(page);
  assert.deepEqual(back.reverse(), there);
  assert.deepEqual([...new Set(there.map((page) => STEPS[stepOf(page)]))], STEPS);
});

test('the way of a MySQL source has its own pages, in the same steps', () => {
  const there: Page[] = [];
  for (let page: Page | undefined = 'kind'; page !== undefined; page = pageAfter(page, 'mylogical')) there.push(page);
  assert.ok(there.includes('start') && !there.includes('slot'));
  assert.equal(pageBefore('target', 'mylogical'), 'start');
  assert.deepEqual([...new Set(there.map((page) => STEPS[stepOf(page)]))], STEPS);
  const mysql = { kind: 'mylogical', source: answers.source, tables: 'all', target: answers.target } as const;
  const open = (more: object, step: Page) =>
    pageToOpen({ ...launched('shop'), answers: { ...mysql, ...more }, step }, anyway);
  assert.equal(open({}, 'review'), 'start');
  assert.equal(open({ startSet: '' }, 'review'), 'target schema');
  assert.equal(open({ startSet: '', targetSchema: 'public' }, 'review'), 'review');
});

test('a setup goes on at the page that was open last', () => {
  for (const step of ['kind', 'checks', 'slot', 'target checks', 'review'] as const)
    assert.equal(pageToOpen({ ...launched('shop'), step }, anyway), step);
  assert.equal(pageToOpen({ ...launched('shop'), answers: {}, step: undefined }, anyway), 'kind');
});

test('what lacks an answer is asked first', () => {
  const { targetSchema: _, ...without } = answers;
  assert.equal(pageToOpen({ ...launched('shop'), answers: without, step: 'review' }, anyway), 'target schema');
  assert.equal(pageToOpen({ ...launched('shop'), answers: {}, step: 'launch' }, anyway), 'kind');
});

test('a connection that cannot be opened any more is asked for again', () => {
  const review = { ...launched('shop'), step: 'review' };
  assert.equal(
    pageToOpen(review, (side) => side !== 'target'),
    'target',
  );
  assert.equal(
    pageToOpen(review, () => false),
    'source',
  );
  assert.equal(
    pageToOpen({ ...review, step: 'tables' }, (side) => side !== 'target'),
    'tables',
  );
});
