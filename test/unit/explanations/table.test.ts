import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FLAGS } from '../../../src/config/flags.ts';
import { searchCodes } from '../../../src/explanations/search.ts';
import { SYMPTOMS } from '../../../src/explanations/symptoms.ts';
import { AREAS, allCodes, explanationOf } from '../../../src/explanations/table.ts';
import { definitions } from '../../../src/metrics/names.ts';

const SRC = fileURLToPath(new URL('../../../src', import.meta.url));
const ENTRIES = AREAS.flatMap(({ explanations }) => Object.entries(explanations));

/** The sources apart from the table, by their paths. */
const SOURCES = new Map(
  readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(SRC, 'explanations')))
    .map((path) => [path, readFileSync(path, 'utf8')] as const),
);

/** Codes that are thrown, or stand as `code` beside a message. */
function codesTold(): Set<string> {
  const codes = new Set<string>();
  for (const text of SOURCES.values()) {
    for (const [, code] of text.matchAll(/\bcode: '([A-Z]+(?:_[A-Z]+)+)'/g)) codes.add(code);
    for (const [, code] of text.matchAll(/(?:new OperatorError\(|super\()\s*'([A-Z_]+)',/g)) codes.add(code);
  }
  return codes;
}

test('every code that is thrown or logged is in the table', () => {
  const told = codesTold();
  assert(told.size > 200);
  for (const code of told) assert(explanationOf(code) !== undefined, code);
});

test('no code is in the table twice, nor one that nobody throws; symptoms are thrown by nobody', () => {
  const codes = ENTRIES.map(([code]) => code);
  assert.deepEqual(codes, [...new Set(codes)]);
  const all = [...SOURCES.values()].join('\n');
  for (const code of codes) {
    assert.equal(all.includes(`'${code}'`), !Object.hasOwn(SYMPTOMS, code), code);
    assert.equal(explanationOf(code)!.kind === 'symptom', Object.hasOwn(SYMPTOMS, code), code);
  }
});

test('an explanation is one line each, says what to do first by itself, and names nothing that is not there', () => {
  for (const [code, { what, data, fix, look = [], related = [] }] of ENTRIES) {
    for (const sentence of [what, data]) {
      assert.match(sentence, /^\S[^\n]*\.$/, code);
      assert(sentence.length <= 220, `${code}: ${sentence.length} characters`);
    }
    assert.equal(typeof fix[0], 'string', code);
    for (const step of fix) {
      if (typeof step === 'string') assert.match(step, /^\S[^\n]*\.$/, code);
      else for (const line of step) assert.match(line, /^\S[^\n]*\S$/, code);
    }
    for (const other of related) assert(other !== code && explanationOf(other) !== undefined, `${code}: ${other}`);
    const names = [
      ...look,
      ...[what, data, ...fix.flat()].flatMap((text) => text.match(/(?<![\w-])--[a-zA-Z][\w-]+/g) ?? []),
    ];
    for (const name of names) {
      if (OF_OTHERS.has(name)) continue;
      assert(name.startsWith('--') ? name.slice(2) in FLAGS : name in definitions, `${code}: ${name}`);
    }
    for (const text of fix.flat()) {
      for (const [, place] of text.matchAll(/<([a-z][^>]*)>/g)) assert(PLACES.has(place), `${code}: <${place}>`);
      for (const [other] of text.matchAll(/\b(PG|MYSQL|ORACLE|BINLOG)_[A-Z]+[A-Z_]*\b/g)) {
        assert(explanationOf(other) !== undefined || other === 'MYSQL_PWD', `${code}: ${other}`);
      }
    }
  }
});

/** Flags of commands that are not ours. */
const OF_OTHERS = new Set(['--host', '--port', '--verify-binlog-checksum', '--help', '--rows', '--install']);

/** What `explain CODE NAME` may fill in, and what only the operator knows. */
const PLACES = new Set(
  `slot,publication,staging,target schema,name,owner,schema.table,column,user,host,port,database,address,variable,gtid set,scn,size,pid,file,directory,code,command,kind`.split(
    ',',
  ),
);

/** The situations of the troubleshooting pages of MOLT Replicator, in words as they are looked for. */
const SITUATIONS: Readonly<Record<string, readonly string[]>> = {
  'hung replicator': ['REPLICATOR_HUNG'],
  'replication is slow': ['REPLICATION_SLOW'],
  'cannot create publication or slot': ['CANNOT_CREATE_SLOT'],
  'unable to create publication or slot': ['CANNOT_CREATE_SLOT'],
  'wal_level logical': ['PG_WAL_LEVEL'],
  'source is a standby replica': ['PG_IN_RECOVERY', 'CANNOT_CREATE_SLOT'],
  'slot exists already': ['PG_SLOT_EXISTS'],
  'publication missing': ['PG_PUBLICATION_MISSING'],
  'wrong slot name': ['PG_SLOT_MISSING'],
  'cannot connect user': ['CANNOT_CONNECT'],
  'cannot connect database': ['CANNOT_CONNECT'],
  'cannot connect tls': ['CANNOT_CONNECT'],
  'stale checkpoint': ['STALE_CHECKPOINT'],
  'clear checkpoint': ['STALE_CHECKPOINT'],
  'repeated binlog restarts': ['BINLOG_RESTARTS'],
  'invalid gtid': ['INVALID_GTID'],
  'purged gtid': ['INVALID_GTID', 'MYSQL_GTID_PURGED'],
  gtid_subset: ['INVALID_GTID'],
  'fetch-metadata grants': ['FETCH_METADATA_GRANTS'],
  'oracle names over 30 characters': ['ORACLE_NAME_TOO_LONG'],
  'unsupported types': ['UNSUPPORTED_TYPES'],
  'LOB-only updates': ['LOB_ONLY_UPDATES'],
  'JSON null': ['JSON_NULL'],
  'missing redo': ['MISSING_REDO'],
  'missing SCN': ['MISSING_REDO'],
  'lag behind the current SCN': ['SCN_LAG'],
  'schema drift': ['TARGET_SCHEMA_DRIFT'],
  'apply failures after retries': ['APPLY_RETRIES'],
};

test('each documented situation is found by its words, as the first thing', () => {
  for (const [words, codes] of Object.entries(SITUATIONS)) {
    const found = searchCodes(words);
    assert(codes.includes(found[0]), `${words}: ${found.slice(0, 4).join(', ')}`);
  }
});

test('words that nothing is known of find nothing', () => {
  for (const words of ['', 'the of a', 'xyzzy plugh']) assert.deepEqual(searchCodes(words), []);
  assert(allCodes().length > 280);
});
