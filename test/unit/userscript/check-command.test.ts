import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { main } from '../../../src/commands/main.ts';
import { IMPORT, scriptFiles } from '../../harness/userscript-rig.ts';

/** What `instar` with these arguments prints, and its exit status. */
async function instar(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const into = (add: (text: string) => void) =>
    new Writable({
      write(chunk, _, done) {
        add(String(chunk));
        done();
      },
    });
  const stdout = into((text) => {
    out += text;
  });
  const stderr = into((text) => {
    err += text;
  });
  const status = await main({ program: 'instar', args, env: {}, stdout, stderr });
  return { status, out, err };
}

const SCRIPT = `${IMPORT}
api.configureTargetSchema("defaultdb.public", {
  onRowUpsert: (row, meta) => {
    if (row.id === "9") throw new Error("nine");
    console.log("seen", row.id);
    return meta.table === "audit" ? null : meta.table === "old" ? { fresh: [{ ...row, n: Number(row.id) + 1 } as any] } : row;
  },
  onRowDelete: (row, meta) => (meta.table === "old" ? { fresh: [row] } : row),
});
api.configureTargetTables(["written"], { onWrite: (rows) => api.write(rows) });
`;

const ROWS = [
  { table: 'audit', upsert: { id: '1' } },
  { table: 'old', upsert: { id: 2, ok: true, doc: { a: [1, null] } } },
  { table: 'old', delete: { id: '2' } },
  { table: 'written', upsert: { code: 'x', v: null }, key: ['code'] },
  { table: 'items', upsert: { id: '9' } },
];

test('a script is compiled, its types are checked, and rows show what would be written', async (t) => {
  const path = scriptFiles(t, { 'script.ts': SCRIPT });
  const rows = join(dirname(path), 'rows.json');
  writeFileSync(rows, JSON.stringify(ROWS));
  const plain = await instar('userscript', 'check', path);
  assert.deepEqual(plain, {
    status: 0,
    out: `${path} can be loaded.
  sees every row on its way to the schema defaultdb.public
  writes the rows of the table written
No type errors.
`,
    err: '',
  });
  const tried = await instar('userscript', 'check', path, '--rows', rows);
  assert.equal(tried.status, 1);
  for (const text of [
    'upsert audit {"id":"1"}\n  is left out\n',
    'upsert old {"id":2,"ok":true,"doc":{"a":[1,null]}}\n  upsert fresh {"id":"2","ok":"t","doc":"{\\"a\\":[1,null]}","n":"3"}\n',
    'delete old {"id":"2"}\n  delete fresh {"id":"2"}\n',
    '  to onWrite, not run here: upsert written {"code":"x","v":null}\n',
    'the userscript failed in onRowUpsert, for table items, row id=9',
    'console:\n  info: seen 1\n',
  ]) {
    assert(tried.out.includes(text), `${text}\nis not in\n${tried.out}`);
  }
  const json = JSON.parse((await instar('userscript', 'check', path, '--rows', rows, '--json')).out);
  assert.deepEqual([json.fine, json.schemas, json.types, json.rows.length], [false, ['defaultdb.public'], [], 5]);
});

test('type errors are told by file, line and column', async (t) => {
  const path = scriptFiles(t, {
    'script.ts': `${IMPORT}const n: number = "x";\napi.configureTargetSchema("a.b", { onRowUpsert: (row) => row.name.trim(), onRowDelete: (row) => row });`,
  });
  const { status, out } = await instar('userscript', 'check', path);
  assert.equal(status, 1);
  assert.match(out, /script\.ts:2:7: TS2322: Type 'string' is not assignable to type 'number'/);
  assert.match(out, /script\.ts:3:\d+: TS2339: Property 'trim' does not exist/);
});

test('what cannot be checked is told with a way out', async (t) => {
  assert.equal((await instar('userscript')).status, 2);
  assert.match((await instar('userscript', 'check')).err, /userscript check FILE/);
  const broken = await instar('userscript', 'check', scriptFiles(t, { 'a.ts': 'let = 5 = 6' }));
  assert.equal(broken.status, 1);
  assert.match(broken.out, /SCRIPT_SYNTAX/);
  const path = scriptFiles(t, { 'script.ts': SCRIPT, 'rows.json': '{"a": 1}' });
  const rows = await instar('userscript', 'check', path, '--rows', join(dirname(path), 'rows.json'));
  assert.equal(rows.status, 2);
  assert.match(rows.err, /a list of changes is needed/);
});
