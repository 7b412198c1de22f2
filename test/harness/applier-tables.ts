import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { OperatorError } from '../../src/errors.ts';
import { FaultProxy } from '../faults/proxy.ts';
import type { SharedServer, TestDatabase } from '../servers/postgres.ts';
import { ApplierRig, type RigOptions } from './applier-rig.ts';
import { sourceTable } from './apply-rig.ts';
import type { Feed } from './feed.ts';

export const item = sourceTable('item', ['id', 'code', 'body'], ['id']);
export const part = sourceTable('part', ['id', 'item'], ['id']);
export const note = sourceTable('note', ['text'], []);

const SCHEMA = `
  CREATE TABLE item (id int PRIMARY KEY, code text UNIQUE, body text);
  CREATE TABLE part (id int PRIMARY KEY, item int REFERENCES item);
  CREATE TABLE note (text text);`;

/** An applier on a fresh database with the tables and `rows`. */
export async function openApplier(shared: SharedServer, t: TestContext, options: RigOptions = {}, rows = '') {
  const database = await shared.freshDatabase(t);
  await database.query(`${SCHEMA} ${rows}`);
  return { database, rig: await ApplierRig.open(t, database, options) };
}

/** The same, with the data's connection through a proxy. */
export async function openProxiedApplier(shared: SharedServer, t: TestContext, options: RigOptions = {}) {
  const database = await shared.freshDatabase(t);
  await database.query(SCHEMA);
  const proxy = await FaultProxy.start(database.server);
  t.after(() => proxy.close());
  const rig = await ApplierRig.open(t, database, { ...options, url: proxy.url(database.url) });
  return { database, proxy, rig };
}

/** The failure must be the named one. */
export function assertStopped(error: Error, code: string, transient = false): void {
  assert.ok(error instanceof OperatorError, String(error));
  assert.deepEqual([error.code, error.transient], [code, transient]);
}

export const read = async (database: TestDatabase, sql: string) =>
  (await database.query<{ v: string }>(`SELECT ${sql} AS v`))[0].v;
export const items = (database: TestDatabase) =>
  read(database, `(SELECT string_agg(id || '=' || code, ' ' ORDER BY id) FROM item)`);

/** Inserts `count` items with ids and codes from `from` on. */
export function fill(feed: Feed, from: number, count: number, bytes = 10): void {
  for (let i = from; i < from + count; i++) feed.insert(item, [String(i), `c${i}`, 'x'.repeat(bytes)]);
}
