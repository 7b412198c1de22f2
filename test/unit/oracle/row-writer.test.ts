import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChangeLog } from '../../../src/changes/change-log.ts';
import type { SourceTable } from '../../../src/changes/table.ts';
import { TupleWriter } from '../../../src/changes/tuple-writer.ts';
import { OperatorError } from '../../../src/errors.ts';
import { RedoParser } from '../../../src/sources/oracle/redo/redo-parser.ts';
import { RowWriter } from '../../../src/sources/oracle/redo/row-writer.ts';
import { columnWriter } from '../../../src/sources/oracle/values/column-writer.ts';
import { type Change, readChanges } from '../../harness/collecting-sink.ts';
import { seeded } from '../../harness/seed.ts';

const NAMES = ['ID', 'PART', 'NAME', 'NOTE'];

/** `S.T`, whose columns are texts; without a key every column tells which row it is. */
function table(key: readonly string[], names: readonly string[] = NAMES): SourceTable {
  const identity = key.length > 0 ? 'key' : 'full';
  return {
    schema: 'S',
    name: 'T',
    identity,
    columns: names.map((name) => ({ name, identity: key.length === 0 || key.includes(name) })),
  };
}

/** `BODY` is a large object, which no condition tells. */
function rowWriter(source: SourceTable): RowWriter {
  const writers = source.columns.map(({ name }) =>
    columnWriter(
      { name, type: 'VARCHAR2', length: 100, precision: undefined, scale: undefined, nullable: true },
      undefined,
    ),
  );
  const large = source.columns.map(({ name }) => name === 'BODY');
  return new RowWriter(source, writers, new TupleWriter(), large);
}

/** What one writer makes of statements, in which `T` stands for the table's name. */
function changes(source: SourceTable, ...statements: string[]): Omit<Change, 'table'>[] {
  const parser = new RedoParser();
  const writer = rowWriter(source);
  const log = new ChangeLog();
  for (const sql of statements) {
    const before = log.length;
    const bytes = writer.append(parser.parse(sql.replace(' T', ' "S"."T"'), writer), log);
    assert.equal(bytes, log.length - before);
  }
  return readChanges(log).map(({ table: of, ...change }) => {
    assert.equal(of, source);
    return change;
  });
}

const KEYED = table(['ID', 'PART']);
const KEYLESS = table([]);

test('an insert gives every column its value, whatever order they are told in; what is not told is NULL', () => {
  assert.deepEqual(
    changes(
      KEYED,
      `insert into T("ID","PART","NAME","NOTE") values ('1','2','n',NULL)`,
      `insert into T("NOTE","ID","NAME","PART") values ('x','3','n','4')`,
      `insert into T("ID","NAME","PART") values ('5','n','6')`,
      `insert into T("ID","PART") values ('7','8')`,
      `insert into T("ID","GONE","PART","NAME","HIDDEN","NOTE") values ('9','-','10','n','-','x')`,
      // Again in order, after the odd ones: nothing of them stays.
      `insert into T("ID","PART","NAME") values ('11','12','n')`,
    ),
    [
      ['1', '2', 'n', null],
      ['3', '4', 'n', 'x'],
      ['5', '6', 'n', null],
      ['7', '8', null, null],
      ['9', '10', 'n', 'x'],
      ['11', '12', 'n', null],
    ].map((row) => ({ kind: 'insert', new: row })),
  );
});

test('an insert without one replicated column is a row of NULLs', () => {
  assert.deepEqual(changes(KEYED, `insert into T("GONE") values ('1')`), [
    { kind: 'insert', new: [null, null, null, null] },
  ]);
});

test('an update by key tells the new values and the key, and the old key only when one of its columns is set', () => {
  assert.deepEqual(
    changes(
      KEYED,
      `update T set "NAME" = 'b' where "ID" = '1' and "PART" = '2' and "NAME" = 'a' and ROWID = 'AAA'`,
      `update T set "NAME" = NULL, "NOTE" = 'x' where "PART" = '2' and "ID" = '1'`,
      `update T set "PART" = '3' where "ID" = '1' and "PART" = '2'`,
      `update T set "PART" = '3', "ID" = '9', "NOTE" = NULL where "ID" = '1' and "PART" = '2'`,
      // Set to what it was: whether that is a move is not this one's to tell.
      `update T set "ID" = '1', "NAME" = 'c' where "ID" = '1' and "PART" = '2'`,
    ),
    [
      { kind: 'update', new: ['1', '2', 'b', undefined] },
      { kind: 'update', new: ['1', '2', null, 'x'] },
      { kind: 'update', oldKind: 'key', old: ['1', '2', null, null], new: ['1', '3', undefined, undefined] },
      { kind: 'update', oldKind: 'key', old: ['1', '2', null, null], new: ['9', '3', undefined, null] },
      { kind: 'update', oldKind: 'key', old: ['1', '2', null, null], new: ['1', '2', 'c', undefined] },
    ],
  );
});

test('without a key the whole old row is told, and the new one with what did not change', () => {
  assert.deepEqual(
    changes(
      KEYLESS,
      `update T set "NAME" = 'b' where "ID" = '1' and "PART" = '2' and "NAME" = 'a' and "NOTE" IS NULL and ROWID = 'AAA'`,
      `delete from T where "ID" = '1' and "PART" IS NULL and "NAME" = 'a' and "NOTE" = 'it''s'`,
    ),
    [
      { kind: 'update', oldKind: 'full', old: ['1', '2', 'a', null], new: ['1', '2', 'b', null] },
      { kind: 'delete', oldKind: 'full', old: ['1', null, 'a', "it's"] },
    ],
  );
});

test('of a large object without key the old content is not known, which is another thing than NULL', () => {
  assert.deepEqual(
    changes(
      table([], ['ID', 'NAME', 'BODY']),
      `update T set "NAME" = 'b' where "ID" = '1' and "NAME" = 'a'`,
      `update T set "BODY" = 'new' where "ID" = '1' and "NAME" IS NULL`,
      `delete from T where "ID" = '1' and "NAME" = 'a'`,
    ),
    [
      { kind: 'update', oldKind: 'full', old: ['1', 'a', undefined], new: ['1', 'b', undefined] },
      { kind: 'update', oldKind: 'full', old: ['1', null, undefined], new: ['1', null, 'new'] },
      { kind: 'delete', oldKind: 'full', old: ['1', 'a', undefined] },
    ],
  );
});

test('a delete by key tells the key and nothing else', () => {
  assert.deepEqual(
    changes(
      KEYED,
      `delete from T where "ID" = '1' and "PART" = '2' and "NAME" = 'a' and "GONE" = 'x' and ROWID = 'AAA'`,
      `delete from T where "PART" = '2' and "ID" = '1'`,
    ),
    [
      { kind: 'delete', oldKind: 'key', old: ['1', '2', null, null] },
      { kind: 'delete', oldKind: 'key', old: ['1', '2', null, null] },
    ],
  );
});

test('an update of columns alone that are not replicated is no change, also where the key is not told', () => {
  for (const source of [KEYED, KEYLESS]) {
    assert.deepEqual(
      changes(
        source,
        `update T set "GONE" = 'y' where "ID" = '1' and "PART" = '2'`,
        `update T set "GONE" = 'y', "HIDDEN" = NULL where ROWID = 'AAA'`,
      ),
      [],
    );
  }
});

test('a row that is not told apart is never guessed: the table is named, its values are not', () => {
  for (const [source, sql, what] of [
    [KEYED, `delete from T where "ID" = 'secret'`, 'a delete'],
    [KEYED, `delete from T where ROWID = 'secret'`, 'a delete'],
    [KEYED, `delete from T`, 'a delete'],
    [KEYED, `update T set "NAME" = 'secret'`, 'an update'],
    [KEYED, `update T set "NAME" = 'secret' where "PART" = '2'`, 'an update'],
    [KEYED, `update T set "ID" = 'secret' where "PART" = '2'`, 'an update'],
    // The new key alone does not tell which row had it.
    [KEYED, `update T set "ID" = 'secret', "PART" = '2' where ROWID = 'AAA'`, 'an update'],
    [KEYLESS, `delete from T`, 'a delete'],
    [KEYLESS, `delete from T where ROWID = 'secret'`, 'a delete'],
    [KEYLESS, `delete from T where "GONE" = 'secret'`, 'a delete'],
    [KEYLESS, `update T set "NAME" = 'secret'`, 'an update'],
    // One of several unique keys was logged: another row may be equal in it.
    [KEYLESS, `update T set "NAME" = 'secret' where "NAME" = 'a'`, 'an update'],
    [KEYLESS, `update T set "NAME" = 'secret' where "ID" = '1' and "PART" = '2' and "NAME" = 'a'`, 'an update'],
    [KEYLESS, `delete from T where "ID" = '1' and "PART" = '2' and "NAME" = 'secret'`, 'a delete'],
  ] as const) {
    assert.throws(
      () => changes(source, sql),
      (error) =>
        error instanceof OperatorError &&
        error.code === 'ORACLE_REDO_WITHOUT_KEY' &&
        error.message.includes(`the redo of ${what} in S.T does not tell`) &&
        /ADD SUPPLEMENTAL LOG DATA/.test(error.fix ?? '') &&
        !error.message.includes('secret'),
      sql,
    );
  }
});

test('after a statement that could not be written, the next one is written as if it had not been', () => {
  const parser = new RedoParser();
  const writer = rowWriter(KEYED);
  const log = new ChangeLog();
  assert.throws(() => writer.append(parser.parse(`update "S"."T" set "NAME" = 'x' where "ID" = '1'`, writer), log));
  assert.equal(log.length, 0);
  writer.append(parser.parse(`delete from "S"."T" where "ID" = '1' and "PART" = '2'`, writer), log);
  assert.deepEqual(
    readChanges(log).map(({ old }) => old),
    [['1', '2', null, null]],
  );
});

test('whichever columns were logged, what is told is that very row, or nothing at all', (t) => {
  const names = ['A', 'B', 'C', 'D'];
  const value = fc.option(fc.constantFrom('1', '2'), { nil: null });
  const row = fc.array(value, { minLength: 4, maxLength: 4 });
  const keys = fc.constantFrom<string[]>([], ['A'], ['B', 'C'], ['D', 'A']);
  const literal = (each: string | null) => (each === null ? 'NULL' : `'${each}'`);
  const is = (name: string, each: string | null) => `"${name}" ${each === null ? 'IS NULL' : `= '${each}'`}`;
  fc.assert(
    fc.property(keys, row, row, fc.subarray(names), fc.subarray(names), (key, before, after, logged, set) => {
      const source = table(key, names);
      const told = names.filter((name) => logged.includes(name) || set.includes(name));
      const where = told.length === 0 ? '' : ` where ${told.map((n) => is(n, before[names.indexOf(n)])).join(' and ')}`;
      const kind = set.length === 0 ? 'delete' : 'update';
      const assigned = set.map((name) => `"${name}" = ${literal(after[names.indexOf(name)])}`).join(', ');
      const sql = set.length === 0 ? `delete from T${where}` : `update T set ${assigned}${where}`;
      const needed = key.length > 0 ? key : names;
      if (needed.some((name) => !told.includes(name))) {
        assert.throws(() => changes(source, sql), { code: 'ORACLE_REDO_WITHOUT_KEY' });
        return;
      }
      const [change] = changes(source, sql);
      assert.equal(change.kind, kind);
      const which = change.old ?? change.new ?? [];
      for (const [i, name] of names.entries()) {
        if (needed.includes(name)) assert.equal(which[i], before[i]);
        if (change.new !== undefined && set.includes(name)) assert.equal(change.new[i], after[i]);
      }
    }),
    seeded(t, 2000),
  );
});

test('columns come from where their names say, in every order, with any of them missing', (t) => {
  const names = ['A', 'B', 'C', 'D', 'X', 'Y'];
  const value = fc.option(fc.constantFrom('1', '2', "o'x"), { nil: null });
  const told = fc.shuffledSubarray(names, { minLength: 1 });
  const values = fc.array(value, { minLength: 6, maxLength: 6 });
  const source = table(['A', 'B'], ['A', 'B', 'C', 'D']);
  const text = (each: string | null) => (each === null ? 'NULL' : `'${each.replaceAll("'", "''")}'`);
  fc.assert(
    fc.property(told, values, fc.constantFrom('1', '2'), (columns, row, key) => {
      const of = (name: string) => {
        const at = columns.indexOf(name);
        return at < 0 ? undefined : row[at];
      };
      const [inserted] = changes(
        source,
        `insert into T("${columns.join('","')}") values (${columns.map((_, i) => text(row[i])).join(',')})`,
      );
      assert.deepEqual(
        inserted.new,
        ['A', 'B', 'C', 'D'].map((name) => of(name) ?? null),
      );
      const found = changes(
        source,
        `update T set ${columns.map((name, i) => `"${name}" = ${text(row[i])}`).join(', ')} where "B" = '${key}' and "A" = '7'`,
      );
      if (columns.every((name) => name === 'X' || name === 'Y')) {
        assert.deepEqual(found, []);
        return;
      }
      const moved = columns.includes('A') || columns.includes('B');
      const kept = (name: string, before: string) => (columns.includes(name) ? of(name) : before);
      assert.deepEqual(found, [
        {
          kind: 'update',
          ...(moved && { oldKind: 'key', old: ['7', key, null, null] }),
          new: [kept('A', '7'), kept('B', key), of('C'), of('D')],
        },
      ]);
    }),
    seeded(t, 1000),
  );
});
