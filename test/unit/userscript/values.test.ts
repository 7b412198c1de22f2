import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entries, logOf, openScript, sourceTable, targetTable } from '../../harness/userscript-rig.ts';

const COLUMNS = ['!id int', 'b bool', 'j json', 'a string[]', 'aj json[]', 'ab bool[]', 'd decimal', 's'];
const source = sourceTable('items', ...COLUMNS);
const target = targetTable('items', ...COLUMNS);

const script = (body: string): string =>
  `api.configureTargetSchema("defaultdb.public", { onRowUpsert: (row: any) => { ${body} }, onRowDelete: (row) => row });`;

/** What a script makes of `value` in column `name`: the text in that column, or in the one that it names. */
async function written(
  t: Parameters<typeof openScript>[0],
  body: string,
  values: Record<string, string | null>,
): Promise<string> {
  const rig = await openScript(t, script(`${body}; return row`), [target]);
  const row = source.columns.map(({ name }) => (name === 'id' ? '1' : (values[name] ?? null)));
  const [text] = await rig.entries([{ insert: source, row }]);
  return text;
}

test('values are shown as documented: numbers as texts, booleans, null, JSON as objects, arrays as arrays', async (t) => {
  const text = await written(t, 'row.s = JSON.stringify({ ...row, s: undefined })', {
    b: 't',
    j: '{"n": 9007199254740993, "x": [1.50, true, null, "1"]}',
    a: '{x,NULL,"a\\"b",{c}}',
    aj: '{"{\\"k\\": 1}",NULL}',
    ab: '{t,f,NULL}',
    d: '1e400',
  });
  const shown = JSON.parse(text.slice(text.indexOf(' s=') + 3));
  assert.deepEqual(shown, {
    id: '1',
    b: true,
    j: { n: '9007199254740993', x: ['1.50', true, null, '1'] },
    a: ['x', null, 'a"b', ['c']],
    aj: [{ k: '1' }, null],
    ab: [true, false, null],
    d: '1e400',
  });
});

test('a number in a JSON document is one again, whatever is done around it', async (t) => {
  const j = '{"n": 9007199254740993, "s": "1", "deep": {"n": 1.50}, "list": [10, "10"]}';
  const cases: Record<string, string> = {
    'row.j.added = "1"': '{"n":9007199254740993,"s":"1","deep":{"n":1.50},"list":[10,"10"],"added":"1"}',
    'row.j = { ...row.j, deep: { ...row.j.deep, x: true } }':
      '{"n":9007199254740993,"s":"1","deep":{"n":1.50,"x":true},"list":[10,"10"]}',
    'row.j = row.j.deep': '{"n":1.50}',
    'row.j.n = String(BigInt(row.j.n) + 1n); delete row.j.list': '{"n":9007199254740994,"s":"1","deep":{"n":1.50}}',
    'row.j = { n: "not a number", fresh: 5 }': '{"n":"not a number","fresh":5}',
    'row.j = JSON.stringify({ a: 1 })': '{"a":1}',
    'row.j = "text"': '"text"',
    'row.j = "{not json"': '"{not json"',
    'row.j = [1, "1", null, undefined]': '[1,"1",null,null]',
    'row.j = null': 'NULL',
  };
  for (const [body, wanted] of Object.entries(cases)) {
    assert.match(
      await written(t, body, { j }),
      new RegExp(` j=${wanted.replace(/[[\]{}.*+?^$|()\\]/g, '\\$&')} a=`),
      body,
    );
  }
});

test('what is returned becomes text of the target column', async (t) => {
  const cases: Record<string, string> = {
    'row.s = true': ' s=true',
    'row.d = true': ' d=1 ',
    'row.d = 1.5': ' d=1.5 ',
    'row.d = 10n ** 20n': ' d=100000000000000000000 ',
    'row.d = NaN': ' d=NaN ',
    'row.b = false': ' b=false ',
    'row.b = "t"': ' b=t ',
    'row.s = new Date(0)': ' s=1970-01-01T00:00:00.000Z',
    'row.s = { a: [1] }': ' s={"a":[1]}',
    'row.a = ["x", null, "q\\"\\\\", ["y"]]': ' a={"x",NULL,"q\\"\\\\",{"y"}} ',
    'row.aj = [{ a: 1 }, "{}"]': ' aj={"{\\"a\\":1}","{}"} ',
    'row.ab = [true, null]': ' ab={"true",NULL} ',
    'row.s = null': ' s=NULL',
  };
  for (const [body, wanted] of Object.entries(cases)) {
    const text = await written(t, body, {});
    assert(text.includes(wanted), `${body}: ${text}`);
  }
});

test('what no column can hold is refused by name of the column', async (t) => {
  const cases: Record<string, [code: string, message: RegExp]> = {
    'row.d = {}': ['SCRIPT_VALUE', /column d: an object cannot be written to a column of type decimal/],
    'row.s = () => 1': ['SCRIPT_VALUE', /column s: a function/],
    'row.s = Symbol("x")': ['SCRIPT_VALUE', /column s: a symbol/],
    'row.j = { x: NaN }': ['SCRIPT_VALUE', /column j: JSON has no text for NaN/],
    'row.s = "\\uD800"': ['SCRIPT_VALUE', /half of a surrogate pair/],
    'row.j = row; row.self = row': ['SCRIPT_VALUE', /nested too deeply, or holds itself/],
    'const a: any[] = []; a.push(a); row.a = a': ['SCRIPT_VALUE', /nested too deeply, or holds itself/],
  };
  for (const [body, [code, message]] of Object.entries(cases)) {
    await assert.rejects(written(t, body, { j: '{}' }), (error: { code: string; message: string }) => {
      assert.equal(error.code, code, body);
      assert.match(error.message, message);
      return true;
    });
  }
});

const json = fc.json({ maxDepth: 3 }).map((text) => text);
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constantFrom('', 'NULL', 'null', '{}', 't'));
const elements = fc.array(fc.option(text), { maxLength: 4 });
const literal = elements.map(
  (list) => `{${list.map((item) => (item === null ? 'NULL' : `"${item.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`,
);
const row = fc.tuple(
  fc.integer().map(String),
  fc.option(fc.constantFrom('t', 'f')),
  fc.option(fc.oneof(json, fc.constantFrom('null', '"x"', '5', '1e400', '[ ]', 'true'))),
  fc.option(fc.oneof(literal, fc.constantFrom('[0:1]={a,b}', '{{a},{b}}', '{}'))),
  fc.option(fc.constantFrom('{"{\\"a\\": 1}",NULL}', '{}')),
  fc.option(fc.constantFrom('{t,f}', '{NULL}')),
  fc.option(fc.constantFrom('1e400', '-0', '9007199254740993', 'NaN')),
  fc.option(text),
);
const change = fc.oneof(
  row.map((values) => ({ insert: source, row: values })),
  row.map((values) => ({
    update: source,
    row: values.map((value, i) => (i > 0 && value === null ? undefined : value)),
  })),
  fc
    .tuple(row, fc.integer().map(String))
    // A source tells the former key when it is another one.
    .filter(([values, old]) => values[0] !== old)
    .map(([values, old]) => ({
      update: source,
      row: values,
      before: [old, null, null, null, null, null, null, null],
    })),
  row.map(([id]) => ({ delete: source, row: [id, null, null, null, null, null, null, null] })),
);

for (const [name, body] of [
  ['returns rows as they are', 'return row'],
  ['copies them', 'return { ...row }'],
  ['copies all that is in them', 'return structured(row)'],
  ['sends them by name', 'return { items: [row] }'],
] as const) {
  test(`a script that ${name} changes nothing, to the byte`, async (t) => {
    const rig = await openScript(
      t,
      `function structured(v: any): any { return Array.isArray(v) ? v.map(structured) : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, structured(x)])) : v; }
       const pass = (row: any) => { ${body} };
       api.configureTargetSchema("defaultdb.public", { onRowUpsert: pass, onRowDelete: pass });`,
      [target],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        async (transactions) => {
          const { log, ends } = logOf(...transactions);
          const before = Buffer.from(log.buffer.subarray(0, log.length));
          const done = await rig.script.transform(log, 0, ends, rig.catalogue);
          assert.equal(done.error, undefined);
          if (name === 'sends them by name') {
            assert.deepEqual(entries(done.log), entries(log));
            return;
          }
          assert.deepEqual(done.ends, ends);
          assert(before.equals(done.log.buffer.subarray(0, done.log.length)));
        },
      ),
      { numRuns: 150 },
    );
  });
}
