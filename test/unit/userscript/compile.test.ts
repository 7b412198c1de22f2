import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import { compileScript } from '../../../src/userscript/compile.ts';
import { describeScript } from '../../../src/userscript/describe-script.ts';
import { IMPORT, openScript, scriptFiles, sourceTable, targetTable } from '../../harness/userscript-rig.ts';

const items = sourceTable('items', '!id', 'name');
const target = targetTable('items', '!id int', 'name');

/** The error of a script made of these files, of which the first is the script. */
async function refusal(t: Parameters<typeof scriptFiles>[0], files: Record<string, string>): Promise<OperatorError> {
  const error = await compileScript(scriptFiles(t, files)).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  assert(error instanceof OperatorError, String(error));
  return error;
}

test('a script may be made of files: TypeScript, JavaScript, JSON and texts, also in a circle', async (t) => {
  const path = scriptFiles(t, {
    'main.ts': `${IMPORT}
      import { shout } from "./loud";
      import { names } from "./names.ts";
      import plain from "./plain.js";
      import config from "./config.json";
      import words from "./words.txt";
      export enum Size { small, large }
      export const mark = (text: string): string => text + config.mark;
      const pass = (row: api.Row) => ({ ...row, name: [shout("a"), names[0], plain(1), words.trim(), Size[1]].join() });
      api.configureTargetSchema("defaultdb.public", { onRowUpsert: pass, onRowDelete: pass });`,
    'loud.ts': 'import { mark } from "./main.ts"; export const shout = (text: string) => mark(text.toUpperCase());',
    'names.ts': 'export const names: string[] = ["n"];',
    'plain.js': 'module.exports = (n) => n + 1;',
    'config.json': '{ "mark": "!" }',
    'words.txt': 'from a file\n',
  });
  const rig = await openScript(t, '', [target], { path });
  assert.deepEqual(await rig.entries([{ insert: items, row: ['1', 'x'] }]), [
    '+items id=1 name=A!,n,2,from a file,large',
  ]);
  assert.equal((await compileScript(path)).files.length, 6);
});

test('an error in an imported file is told by the place there', async (t) => {
  const path = scriptFiles(t, {
    'main.ts': `${IMPORT}import { check } from "./check.ts";
      api.configureTargetSchema("defaultdb.public", { onRowUpsert: (row) => check(row), onRowDelete: (row) => row });`,
    'check.ts':
      '// A comment.\ninterface Unused { a: string }\nexport function check(row: any): any {\n  throw new Error("here");\n}\n',
  });
  const rig = await openScript(t, '', [target], { path });
  const { error } = await rig.transform([{ insert: items, row: ['1', 'x'] }]);
  assert.match(error?.message ?? '', /at \S+check\.ts:4:9: Error: here/);
});

test('what cannot be compiled is told by file, line and column', async (t) => {
  const syntax = await refusal(t, { 'main.ts': `${IMPORT}import "./other.ts";`, 'other.ts': '\nlet = = 5;' });
  assert.equal(syntax.code, 'SCRIPT_SYNTAX');
  assert.match(syntax.message, /other\.ts:2:7: /);
  const missing = await refusal(t, { 'main.ts': 'import x from "./nowhere";\nx();' });
  assert.equal(missing.code, 'SCRIPT_IMPORT');
  assert.match(missing.message, /main\.ts:1:15: Could not resolve/);
  assert.equal((await refusal(t, { 'main.ts': 'await 5;' })).code, 'SCRIPT_SYNTAX');
  await assert.rejects(compileScript('/nowhere/x.ts'), { code: 'SCRIPT_MISSING' });
});

test('modules of others, of Node and of the network are refused, and imports while it runs', async (t) => {
  for (const text of [
    'import fs from "node:fs"; fs.rmSync("x");',
    'import "lodash";',
    'const fs = require("fs"); fs();',
    'import x from "/etc/passwd"; x();',
    'import x from "https://example.com/x.ts"; x();',
    'import("./main.ts");',
  ]) {
    const error = await refusal(t, { 'main.ts': text });
    assert.equal(error.code, 'SCRIPT_IMPORT', text);
    assert.match(error.message, /main\.ts:1:\d+: a userscript cannot/);
  }
});

test('a script for the first API is refused with the counterpart of all that it uses, and of nothing else', async (t) => {
  for (const module of ['replicator@v1', 'cdc-sink@v1']) {
    const error = await refusal(t, {
      'main.ts': `import * as api from "${module}"; import "./more.ts";
        api.configureSource("x", { dispatch: (doc) => ({ a: [doc] }), deletesTo: "a" });`,
      'more.ts': `import { configureTable } from "${module}"; configureTable("t", { cas: ["v"], exprs: {}, apply: null });`,
    });
    assert.equal(error.code, 'SCRIPT_VERSION');
    const words = (error.fix ?? '')
      .split('\n')
      .slice(1)
      .map((line) => line.split(' ')[0]);
    assert.deepEqual(words, ['configureSource', 'dispatch', 'deletesTo', 'configureTable', 'apply', 'cas', 'exprs']);
  }
});

test('what a script configures is told without a row', async (t) => {
  const path = scriptFiles(t, {
    'main.ts': `${IMPORT}
      api.configureTargetSchema("a.b", { onRowUpsert: (r) => r, onRowDelete: (r) => r });
      api.configureTargetTables(["x", "a.b.y"], { onWrite: api.write });
      api.configureTargetTables(["z"], { onRowUpsert: (r) => r, onRowDelete: (k) => k });`,
  });
  assert.deepEqual(await describeScript(path), {
    schemas: ['a.b'],
    tables: [
      { name: 'x', rows: false, write: true },
      { name: 'a.b.y', rows: false, write: true },
      { name: 'z', rows: true, write: false },
    ],
    errors: [],
  });
  const { errors } = await describeScript('/nowhere.ts');
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['SCRIPT_MISSING'],
  );
});

const MISTAKES: Readonly<Record<string, RegExp>> = {
  'api.configureTargetSchema("a", {} as any)': /must both be given/,
  'api.configureTargetSchema("", { onRowUpsert: (r) => r, onRowDelete: (r) => r })': /no schema name/,
  'api.configureTargetSchema("a", null as any)': /no handlers/,
  'api.configureTargetSchema("a", { onRowUpsert: 5, onRowDelete: 5 } as any)': /onRowUpsert is not a function/,
  'api.configureTargetSchema("a", { onRowUpsert: (r) => r, onRowDelete: (r) => r, onWrite: api.write } as any)':
    /knows no onWrite/,
  'api.configureTargetTables([], { onWrite: api.write })': /no list of table names/,
  'api.configureTargetTables([5 as any], { onWrite: api.write })': /no text/,
  'api.configureTargetTables(["a"], {})': /no handlers/,
  'api.configureTargetTables(["a"], { onRowDelete: (k) => k })': /must both be given/,
  'for (const n of [1, 2]) api.configureTargetTables(["a"], { onWrite: api.write })': /the table a twice/,
  'for (const n of [1, 2]) api.configureTargetSchema("a", { onRowUpsert: (r) => r, onRowDelete: (r) => r })':
    /was called twice/,
};

test('a configuration that cannot be meant is refused: SCRIPT_CONFIG', async (t) => {
  for (const [text, message] of Object.entries(MISTAKES)) {
    const { errors } = await describeScript(scriptFiles(t, { 'main.ts': IMPORT + text }));
    assert.equal(errors[0]?.code, 'SCRIPT_CONFIG', text);
    assert.match(errors[0].message, message);
  }
});

test('the console has all levels, and can be turned off and on', async (t) => {
  const rig = await openScript(
    t,
    `api.configureTargetSchema("defaultdb.public", { onRowUpsert: (row) => {
       console.log("log", 1, { a: row.id }); console.info("info"); console.debug("debug"); console.trace("trace");
       console.warn("warn", null, undefined, true); console.error(new TypeError("bad"));
       console.disable(); console.log("unheard"); console.enable(); console.log("heard"); return row;
     }, onRowDelete: (row) => row });`,
    [target],
  );
  await rig.transform([{ insert: items, row: ['1', 'x'] }]);
  assert.deepEqual(
    rig.log.lines.map(({ level, message }) => `${level}: ${message}`),
    [
      'info: log 1 {"a":"1"}',
      'info: info',
      'debug: debug',
      'trace: trace',
      'warning: warn null undefined true',
      'error: TypeError: bad',
      'info: heard',
    ],
  );
});
