import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { describeHolder, isGone } from '../../../src/staging/holder.ts';

const mark = / on [0-9a-f]{12}$/.exec(describeHolder())?.[0];

test('a holder is gone only when this machine would see it', { skip: mark === undefined }, async () => {
  const child = spawn(process.execPath, ['-e', '']);
  const { pid } = child;
  await once(child, 'exit');
  assert.equal(isGone(`host pid ${pid}${mark}`), true);
  assert.equal(isGone(`host pid ${pid} on 000000000000`), false, 'another machine or container');
  assert.equal(isGone(`host pid ${pid}`), false, 'nothing is known of where it ran');
});

test('living processes, this one and foreign signatures are never gone', () => {
  assert.equal(isGone(describeHolder()), false);
  assert.equal(isGone(`host pid 1${mark ?? ''}`), false);
  assert.equal(isGone('replicator-7d9f'), false);
  assert.equal(isGone(''), false);
});
