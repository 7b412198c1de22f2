import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  removeTableFilter,
  tableFilter,
  tableFilterPath,
  writeTableFilter,
} from '../../../src/sessions/table-filter.ts';

type Handler = (row: object, meta: { table: string }) => object | null;
interface Handlers {
  readonly onRowUpsert: Handler;
  readonly onRowDelete: Handler;
}

/** What the script tells the engine, as a runtime of replicator@v2 would hear it. */
function configured(text: string): { schema: string; handlers: Handlers } {
  const [, module] = stripTypeScriptTypes(text).split('import * as api from "replicator@v2";');
  let heard: { schema: string; handlers: Handlers } | undefined;
  const api = {
    configureTargetSchema: (schema: string, handlers: Handlers) => {
      heard = { schema, handlers };
    },
  };
  new Function('api', module)(api);
  assert(heard !== undefined);
  return heard;
}

test('the chosen tables pass as they are, whatever their names hold, and all others are dropped', () => {
  const odd = `it's "\\ \u2028 ünï`;
  const { schema, handlers } = configured(
    tableFilter('defaultdb.public', ['shop.orders', `shop."${odd.replaceAll('"', '""')}"`]),
  );
  assert.equal(schema, 'defaultdb.public');
  const row = { id: '1' };
  for (const handler of [handlers.onRowUpsert, handlers.onRowDelete]) {
    assert.equal(handler(row, { table: 'orders' }), row);
    assert.equal(handler(row, { table: odd }), row);
    assert.equal(handler(row, { table: 'lines' }), null);
    assert.equal(handler(row, { table: 'Orders' }), null, 'names are case-sensitive');
    assert.equal(handler(row, { table: 'toString' }), null);
  }
});

test('it is written in place of an older one, and removed with its folder unless something else is there', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'instar-filter-'));
  t.after(() => rmSync(home, { recursive: true }));
  const path = tableFilterPath('shop', { INSTAR_HOME: home });
  assert.equal(path, join(home, 'scripts', 'shop', 'table_filter.ts'));
  writeTableFilter(path, 'old');
  writeTableFilter(path, 'new');
  assert.equal(readFileSync(path, 'utf8'), 'new');
  writeFileSync(join(dirname(path), 'note.txt'), 'mine');
  removeTableFilter(path);
  assert.equal(existsSync(path), false);
  assert.equal(existsSync(join(dirname(path), 'note.txt')), true);
  rmSync(join(dirname(path), 'note.txt'));
  removeTableFilter(path);
  assert.equal(existsSync(dirname(path)), false);
});

test('a script that cannot be written is told of', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'instar-filter-'));
  t.after(() => rmSync(home, { recursive: true }));
  writeFileSync(join(home, 'scripts'), 'a file where the folder should be');
  assert.throws(() => writeTableFilter(tableFilterPath('shop', { INSTAR_HOME: home }), 'x'), {
    code: 'SCRIPT_NOT_WRITTEN',
  });
});
