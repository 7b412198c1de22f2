import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { OperatorError, UsageError } from '../../../src/errors.ts';
import { readSetupFile } from '../../../src/wizard/setup-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'instar-setup-file-'));
after(() => rmSync(folder, { recursive: true }));

function file(content: string, mode = 0o600): string {
  const path = join(folder, 'answers.yaml');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function refusal(content: string, mode?: number): UsageError {
  try {
    readSetupFile(file(content, mode));
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: `nothing was refused: ${content}` });
}

const LEAST = 'name: shop\nsource: $SOURCE\ntarget: $TARGET\ntargetSchema: defaultdb.public\n';

test('four answers are enough; the rest has the customary names', () => {
  assert.deepEqual(readSetupFile(file(LEAST, 0o644)), {
    name: 'shop',
    connections: { source: '$SOURCE', target: '$TARGET' },
    answers: {
      kind: 'pglogical',
      targetSchema: 'defaultdb.public',
      tables: 'all',
      publication: { name: 'molt_fetch', create: true },
      slot: { name: 'molt_slot', create: true },
      options: {},
    },
  });
});

test('every answer can be given', () => {
  const read = readSetupFile(
    file(`${LEAST}staging: $STAGING
tables: [public.orders, 'shop."Order lines"']
publication: {name: existing, create: false}
slot: my_slot
options:
  stagingSchema: _replicator
  flushSize: 500
  enableParallelApplies: true
  flushPeriod: 250ms
`),
  );
  assert.equal(read.connections.staging, '$STAGING');
  assert.deepEqual(read.answers.tables, ['public.orders', 'shop."Order lines"']);
  assert.deepEqual(read.answers.publication, { name: 'existing', create: false });
  assert.deepEqual(read.answers.slot, { name: 'my_slot', create: true });
  assert.deepEqual(read.answers.options, {
    stagingSchema: '_replicator',
    flushSize: '500',
    enableParallelApplies: 'true',
    flushPeriod: '250ms',
  });
});

test('what is missing is told at once, with an example that is itself right', () => {
  const error = refusal('name: shop\n');
  assert.match(error.message, /does not answer: source, target, targetSchema$/);
  assert.equal(readSetupFile(file(String(error.fix))).name, 'shop');
});

test('what is wrong is told with its line', () => {
  const expected: [string, RegExp][] = [
    [`${LEAST}slots: a\n`, /line 5: slots is not an answer; did you mean slot\?/],
    [LEAST.replace('shop', '../x'), /line 1: name must be up to 64 letters/],
    [LEAST.replace('$SOURCE', '5'), /line 2: source must be text/],
    [LEAST.replace('$SOURCE', ''), /line 2: source must be text/],
    [`${LEAST}tables: some\n`, /line 5: tables must be "all", or a list/],
    [`${LEAST}tables: [orders]\n`, /line 5: "orders" is not a table: schema\.table is needed/],
    [`${LEAST}tables: []\n`, /line 5: tables must be/],
    [`${LEAST}slot: Not-A-Slot\n`, /line 5: slot must be up to 63 lower-case/],
    [`${LEAST}slot: {create: false}\n`, /line 5: slot has no name/],
    [`${LEAST}publication: {name: a, make: true}\n`, /line 5: publication has a name .* not make/],
    [`${LEAST}publication: {name: a, create: maybe}\n`, /line 5: publication has a name/],
    [`${LEAST}options: fast\n`, /line 5: options are "flag: value" lines/],
    [`${LEAST}options:\n  flushsize: 5\n`, /line 6: flushsize is not an option; did you mean flushSize\?/],
    [`${LEAST}options:\n  sourceConn: x\n`, /line 6: sourceConn is not an option/],
    [`${LEAST}options:\n  flushSize: 0\n`, /line 6: flushSize must be at least 1/],
    [`${LEAST}options:\n  flushSize: many\n`, /line 6: flushSize must be a number/],
    [`${LEAST}options:\n  metricsSnapshotPeriod: 5s\n`, /line 6: metricsSnapshotPeriod must be at least 15s/],
    [`${LEAST}options:\n  userscript: none.ts\n`, /line 6: none\.ts: there is no such file/],
    [`${LEAST}options:\n  stagingSchema: a.b.c\n`, /line 6: stagingSchema takes a schema or database\.schema/],
    [`${LEAST}options:\n  metricsAddr: :70000\n`, /line 6: --metricsAddr: ports go from 0 to 65535/],
  ];
  for (const [content, message] of expected) assert.match(refusal(content).message, message, content);
});

test('a file with a password in it must be for its owner alone', () => {
  const content = LEAST.replace('$SOURCE', 'postgresql://u:hunter22@db/shop');
  assert.equal(readSetupFile(file(content)).connections.source, 'postgresql://u:hunter22@db/shop');
  const error = refusal(content, 0o644);
  assert.match(error.message, /holds a password/);
  assert.match(String(error.fix), /^chmod 600 /);
  assert.doesNotMatch(error.message, /hunter22/);
});

const MYSQL = 'name: shop\nsource: mysql://app@db1/shop\ntarget: $TARGET\ntargetSchema: defaultdb.public\n';
const SET = '77263736-7899-11f0-81a5-0242ac120002:1-38';

test('the scheme of the source says which kind it is, a reference by what it holds', () => {
  const written = file(`${MYSQL}gtidSet: ${SET}\ntables: [shop.orders]\noptions:\n  zeroDates: keep\n`);
  const { answers } = readSetupFile(written);
  assert.deepEqual(answers, {
    kind: 'mylogical',
    targetSchema: 'defaultdb.public',
    tables: ['shop.orders'],
    startSet: SET,
    options: { zeroDates: 'keep' },
  });
  const reference = file(`${LEAST}gtidSet: now\n`);
  assert.equal(readSetupFile(reference, { SOURCE: 'mysql://app@db1/shop' }).answers.kind, 'mylogical');
  const named = file(`${LEAST}kind: mylogical\ngtidSet: now\n`);
  assert.equal(readSetupFile(named, {}).answers.startSet, 'now');
});

test('a MySQL source has to be told where to begin, and has no slot', () => {
  assert.match(refusal(MYSQL).message, /does not answer: gtidSet/);
  assert.match(refusal(`${MYSQL}gtidSet: now\nslot: molt_slot\n`).message, /slot is not an answer/);
  assert.match(refusal(`${MYSQL}gtidSet: now\noptions:\n  standbyTimeout: 5s\n`).message, /is not an option/);
  assert.match(refusal(`${LEAST}kind: oracle\n`).message, /kind must be one of pglogical, mylogical, oraclelogminer/);
});

test('an Oracle source says whose tables, and from which SCN, whose digits are kept', () => {
  const base = LEAST.replace(/^source: .*$/m, 'source: oracle://C%23%23APP:pw@db1:1521/ROOT?pdb=PDB1');
  const read = (text: string) => readSetupFile(file(`${base}${text}`), {}).answers;
  const answers = read('sourceSchema: APP\nscn: 9295429630892703742\nbackfillFromSCN: 26685444\n');
  assert.deepEqual(
    [answers.kind, answers.sourceSchema, answers.startScn, answers.backfillScn],
    ['oraclelogminer', 'APP', '9295429630892703742', '26685444'],
  );
  assert.equal(read('sourceSchema: APP\nscn: now\n').startScn, 'now');
  assert.match(refusal(`${base}scn: 1\n`).message, /does not answer: sourceSchema/);
  assert.match(refusal(`${base}sourceSchema: APP\n`).message, /does not answer: scn/);
});

test('what a file says of SCNs and tables of Oracle is held against itself', () => {
  const base = LEAST.replace(/^source: .*$/m, 'source: oracle://C%23%23APP@db1:1521/ROOT?pdb=PDB1');
  const refused = (text: string) => {
    let message = '';
    assert.throws(
      () => readSetupFile(file(`${base}sourceSchema: APP\n${text}`), {}),
      (error) => {
        assert(error instanceof OperatorError);
        message = error.message;
        return true;
      },
    );
    return message;
  };
  assert.match(refused('scn: now\nbackfillFromSCN: 1\n'), /line 7: backfillFromSCN goes with an SCN/);
  assert.match(refused('scn: 10\nbackfillFromSCN: now\n'), /line 7: backfillFromSCN is a system change number/);
  assert.match(refused('scn: 10\nbackfillFromSCN: 11\n'), /line 7: backfillFromSCN 11 is behind scn 10/);
  assert.match(refused('scn: 1e3\n'), /line 6: scn is a system change number, which "1e3" is not/);
  assert.match(refused('scn: 10\ntables: [app.ITEM]\n'), /line 7: app\.ITEM is not a table of APP/);
  const { answers } = readSetupFile(
    file(`${base}sourceSchema: APP\nscn: "10"\nbackfillFromSCN: 10\ntables: [APP.ITEM]\n`),
    {},
  );
  assert.deepEqual([answers.startScn, answers.backfillScn, answers.tables], ['10', '10', ['APP.ITEM']]);
});
