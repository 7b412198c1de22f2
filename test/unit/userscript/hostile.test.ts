import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import { openScript, sourceTable, targetTable } from '../../harness/userscript-rig.ts';

const items = sourceTable('items', '!id', 'name', 'doc');
const target = targetTable('items', '!id int', 'name', 'doc json');
const ROW = { insert: items, row: ['7', 'secret name', '{"a": 1}'] };

const script = (body: string, around = ''): string =>
  `${around}
   api.configureTargetSchema("defaultdb.public", { onRowUpsert: (row: any, meta: any) => { ${body} }, onRowDelete: (row) => row });`;

/** The error that a script ends in on a row, after which the same script goes on with the next. */
async function failure(t: Parameters<typeof openScript>[0], text: string, options = {}): Promise<OperatorError> {
  const rig = await openScript(t, text, [target], options);
  const { error, ends } = await rig.transform([ROW]);
  assert(error instanceof OperatorError, 'no error');
  assert.equal(ends.length, 0);
  const again = await rig.transform([{ delete: items, row: ['1', null, null] }]);
  assert.equal(again.error, undefined);
  return error;
}

test('an exception tells its line, handler, table and key, and no value of the row', async (t) => {
  const error = await failure(t, script('\n\n  throw new TypeError("cannot digest " + row.name)'));
  assert.equal(error.code, 'SCRIPT_FAILED');
  assert.match(
    error.message,
    /^the userscript failed in onRowUpsert, for table items, row id=7, at \S+script\.ts:5:9: TypeError: cannot digest …; nothing of the transaction was applied, and the checkpoint stands before it$/,
  );
  assert.match(error.fix ?? '', /--onApplyError dlq/);
});

test('what comes in front of a failure goes on, and the transaction is told apart', async (t) => {
  const rig = await openScript(t, script('if (row.id === "2") throw "plain text"; return row'), [target]);
  const insert = (id: string) => ({ insert: items, row: [id, 'n', null] });
  const done = await rig.transform([insert('1')], [insert('5'), insert('2')], [insert('3')]);
  assert.equal(done.ends.length, 1);
  assert.equal(done.log.count, 1);
  assert.match(done.error?.message ?? '', /row id=2: plain text/);
});

const ENDS: Readonly<Record<string, { text: string; code: string; message?: RegExp }>> = {
  'an endless loop': {
    text: script('for (;;);'),
    code: 'SCRIPT_TIMEOUT',
    message: /for table items, row id=7: it ran for more than 0.3 s/,
  },
  'an endless loop of microtasks': {
    text: script('const go = () => Promise.resolve().then(go); go(); return row'),
    code: 'SCRIPT_TIMEOUT',
  },
  'an endless getter': {
    text: script('return { ...row, get id() { for (;;); } }'),
    code: 'SCRIPT_TIMEOUT',
  },
  'a regular expression without end': {
    text: script('return /^(a+)+$/.test("a".repeat(40) + "!") ? row : null'),
    code: 'SCRIPT_TIMEOUT',
  },
  'an endless proxy': {
    text: script('return new Proxy(row, { ownKeys() { for (;;); } })'),
    code: 'SCRIPT_TIMEOUT',
  },
  'a promise': {
    text: script('return Promise.resolve(row)'),
    code: 'SCRIPT_RESULT',
    message: /returned a promise instead/,
  },
  nothing: { text: script(''), code: 'SCRIPT_RESULT', message: /returned nothing instead of a row/ },
  'an empty row': { text: script('return {}'), code: 'SCRIPT_RESULT', message: /an empty object/ },
  'a text': { text: script('return "row"'), code: 'SCRIPT_RESULT', message: /a string/ },
  'a list': { text: script('return [row]'), code: 'SCRIPT_RESULT', message: /an array/ },
  'a throwing getter': {
    text: script('return { ...row, get name() { throw new Error("got me") } }'),
    code: 'SCRIPT_FAILED',
    message: /got me/,
  },
  'a throwing proxy': {
    text: script('return new Proxy(row, { ownKeys() { throw new Error("no keys") } })'),
    code: 'SCRIPT_FAILED',
    message: /no keys/,
  },
  'an error that throws when it is read': {
    text: script(
      'const e = new Error("x"); Object.defineProperty(e, "message", { get() { throw 1 } }); Object.defineProperty(e, "stack", { get() { throw 2 } }); throw e',
    ),
    code: 'SCRIPT_FAILED',
  },
  'a null': { text: script('throw null'), code: 'SCRIPT_FAILED', message: /: null;/ },
  'a symbol': { text: script('throw Symbol("x")'), code: 'SCRIPT_FAILED' },
  'a cycle': {
    text: script('row.doc = row; return row'),
    code: 'SCRIPT_VALUE',
    message: /column doc: .* holds itself/,
  },
  'a recursion without end': {
    text: script('const f = (): any => f(); return f()'),
    code: 'SCRIPT_FAILED',
    message: /RangeError/,
  },
  'a huge text': { text: script('row.name = "x".repeat(40_000_000); return row'), code: 'SCRIPT_OUTPUT' },
  'a huge document': {
    text: script('row.doc = Array.from({ length: 5000 }, () => "x".repeat(10_000)); return row'),
    code: 'SCRIPT_OUTPUT',
  },
  'rows without end': {
    text: script('return { items: Array.from({ length: 40 }, (_, i) => ({ id: i, name: "x".repeat(8_000_000) })) }'),
    code: 'SCRIPT_OUTPUT',
  },
  'a table that is not there': {
    text: script('return { nowhere: [row] }'),
    code: 'SCRIPT_TABLE',
    message: /rows for table nowhere, which the target schema does not have/,
  },
  'a row without its key': { text: script('delete row.id; return row'), code: 'SCRIPT_KEY', message: /no column id/ },
};

for (const [what, { text, code, message }] of Object.entries(ENDS)) {
  test(`${what}: ${code}, and the script goes on with the next row`, async (t) => {
    const error = await failure(t, text, { timeout: code === 'SCRIPT_TIMEOUT' ? 300 : 20_000 });
    assert.equal(error.code, code, error.message);
    if (message !== undefined) assert.match(error.message, message);
    assert.doesNotMatch(error.message, /secret/);
  });
}

test('memory without end ends the thread, not the engine', async (t) => {
  const text = script('const all: any[] = []; for (;;) all.push({ a: [all.length, {}] });');
  const error = await failure(t, text, { timeout: 60_000, memory: 48 });
  assert.equal(error.code, 'SCRIPT_MEMORY', error.message);
  assert.match(error.message, /in onRowUpsert, for table items, row id=7: it held more than 48 MiB/);
});

const OUT_OF_REACH: Readonly<Record<string, string>> = {
  'timers by name': 'setTimeout(() => {}, 1)',
  intervals: 'setInterval(() => {}, 1)',
  'the network': 'fetch("http://127.0.0.1")',
  'the process': 'process.exit(3)',
  modules: 'const load = require; load("node:fs")',
  eval: 'eval("1")',
  'Function()': 'new Function("return 1")()',
  'the constructor of functions': '(() => {}).constructor("return 1")()',
  'the constructor of async functions': '(async () => {}).constructor("return 1")()',
  'the constructor of generators': '(function* () {}).constructor("yield 1")()',
  buffers: 'new Uint8Array(10)',
  'shared memory': 'new SharedArrayBuffer(10)',
  WebAssembly: 'new WebAssembly.Memory({ initial: 1 })',
  crypto: 'crypto.randomUUID()',
  workers: 'new Worker("x")',
  storage: 'localStorage.getItem("x")',
};

for (const [what, code] of Object.entries(OUT_OF_REACH)) {
  test(`a script cannot reach ${what}`, async (t) => {
    const text = script(`try { ${code}; } catch (e) { throw e; } return row;`);
    const error = await failure(t, text);
    assert.equal(error.code, 'SCRIPT_FORBIDDEN', error.message);
    assert.match(error.fix ?? '', /files, network, process, timers/);
  });
}

test('a script cannot import while it runs', async (t) => {
  const text = script('import(row.name).catch((e) => console.error(String(e))); return row');
  const rig = await openScript(t, text, [target]);
  await rig.transform([ROW]);
  assert.match(rig.log.lines[0].message, /^Error: a userscript cannot load "secret name" while it runs$/);
});

test('no object of another realm is within reach: their constructors lead nowhere', async (t) => {
  const probe = `
    const seen = new Set<any>();
    const foreign: string[] = [];
    const look = (value: any, path: string) => {
      if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
      seen.add(value);
      let proto: any = value;
      while (Object.getPrototypeOf(proto) !== null) proto = Object.getPrototypeOf(proto);
      if (proto !== Object.prototype && Object.getPrototypeOf(value) !== null) foreign.push(path);
      for (const key of Reflect.ownKeys(value)) {
        const found = Object.getOwnPropertyDescriptor(value, key)!;
        for (const part of [found.value, found.get, found.set]) look(part, path + "." + String(key));
      }
      look(Object.getPrototypeOf(value), path + ".__proto__");
    };
    look(globalThis, "globalThis"); look(api, "api"); look(row, "row"); look(meta, "meta");
    try { api.getTX(); } catch (e) { look(e, "error"); }
    try { null!.x; } catch (e) { look(e, "typeError"); }
    row.name = foreign.join(); return row;`;
  const rig = await openScript(t, script(probe.replace('null!.x', '(null as any).x')), [target]);
  assert.deepEqual(await rig.entries([ROW]), ['+items id=7 name= doc={"a": 1}']);
});

test('errors of the realm around, which a full stack brings forth, lead to no code from strings', async (t) => {
  const probe = `
    let foreign: any;
    const dig = (n: number): any => {
      try { dig(n + 1); } catch (e: any) {
        try { new Error("x").stack; e.stack; } catch (other: any) { if (!(other instanceof Error)) foreign = other; }
        throw e;
      }
    };
    for (let i = 0; i < 20 && foreign === undefined; i++) try { dig(0); } catch {}
    let got = "none";
    if (foreign !== undefined) {
      try { got = typeof foreign.constructor.constructor("return process")(); } catch (e: any) { got = "refused"; }
    }
    row.name = got; return row;`;
  const rig = await openScript(t, script(probe), [target]);
  const [text] = await rig.entries([ROW]);
  assert.match(text, /name=(?:refused|none) /);
});

test('a script that bends everything that the API is made of bends nothing of the engine', async (t) => {
  const around = `
    const broken = () => { throw new Error("bent"); };
    const { defineProperty } = Object;
    const { ownKeys } = Reflect;
    const types: any = { Array, Object, String, RegExp, Promise, WeakMap, Map, Set, Date, Number };
    const things: any = { Object, Reflect, JSON, Array, Number, Math };
    const statics = ownKeys({ keys: 1, ownKeys: 1, defineProperty: 1, apply: 1, hasOwn: 1, create: 1, parse: 1, stringify: 1, isArray: 1 });
    for (const name in types) {
      const keys = ownKeys(types[name].prototype);
      for (let i = 0; i < keys.length; i++) {
        if (keys[i] !== "constructor") try { defineProperty(types[name].prototype, keys[i], { value: broken, configurable: true, writable: true }); } catch {}
      }
    }
    for (const name in things) for (let i = 0; i < statics.length; i++) if (statics[i] in things[name]) things[name][statics[i]] = broken;
    for (let i = 0; i < 50; i++) defineProperty(Array.prototype, i, { set: broken, configurable: true });
    (Object.prototype as any).polluted = "yes";
    (globalThis as any).String = (globalThis as any).Promise = (globalThis as any).JSON = broken;`;
  const setup = script('return row.id === "1" ? { id: "1", name: "x", doc: { a: "1" } } : row', '');
  const rig = await openScript(t, `${setup}\n${around}`, [target]);
  assert.deepEqual(await rig.entries([{ insert: items, row: ['1', 'n', '{"a": 5}'] }, ROW]), [
    '+items id=1 name=x doc={"a":1}',
    '+items id=7 name=secret name doc={"a": 1}',
  ]);
});

test('a script that talks without end is heard for a while', async (t) => {
  const rig = await openScript(
    t,
    script(
      'for (let i = 0; i < 500; i++) console.log("line", i, { a: row.id }); console.warn("x".repeat(20000)); return row',
    ),
    [target],
  );
  await rig.transform([ROW]);
  const lines = rig.log.lines.filter((line) => JSON.stringify(line).includes('line'));
  assert(lines.length >= 200 && lines.length < 205, String(lines.length));
});
