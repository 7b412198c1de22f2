import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChangeLog } from '../../../src/changes/change-log.ts';
import { type CollapseOptions, Collapser } from '../../../src/engine/collapse.ts';
import { MessageBuffer } from '../../../src/target/messages.ts';
import { append, sourceTable } from '../../harness/apply-rig.ts';
import { type Step, statementNames, stepsOf } from '../../harness/script-steps.ts';
import { POSTGRESQL, targetColumn, targetTable, targetTables } from '../../harness/target-model.ts';

/*
 * Each rule by which changes are folded, seen in the statements that come out. parent <- child <- grandchild by plain foreign
 * keys; owner <- owned by cascade; hen and egg in a cycle; node references itself; loose has no key.
 */

const int = (name: string) => targetColumn(name, 'pg_catalog."int4"');
const text = (name: string) => targetColumn(name, 'pg_catalog."text"', { unquoted: false });
const columns = [int('id'), text('a'), text('b')];
const table = (name: string, references: Parameters<typeof targetTable>[4] = []) =>
  targetTable(POSTGRESQL, name, columns, ['id'], references);

const tables = await targetTables(POSTGRESQL, [
  table('parent'),
  table('child', [{ referenced: 'parent' }]),
  table('grandchild', [{ referenced: 'child' }]),
  table('owner'),
  table('owned', [{ referenced: 'owner', onDelete: 'cascade' }]),
  table('hen', [{ referenced: 'egg' }]),
  table('egg', [{ referenced: 'hen' }]),
  table('node', [{ referenced: 'node' }]),
  targetTable(POSTGRESQL, 'loose', columns, []),
  targetTable(POSTGRESQL, 'wide', [int('x'), text('a'), int('y'), text('b')], ['y', 'x']),
]);
const source = (name: string) => sourceTable(name, ['id', 'a', 'b'], ['id']);
const [parent, child, grandchild, owner, owned, hen, egg, node] = [
  ...['parent', 'child', 'grandchild', 'owner', 'owned', 'hen', 'egg', 'node'],
].map(source);
const loose = sourceTable('loose', ['id', 'a', 'b'], []);
const wide = sourceTable('wide', ['x', 'a', 'y', 'b'], ['x', 'y']);

const FAST: CollapseOptions = { exact: false, copy: true };
const UPSERT: CollapseOptions = { exact: false, copy: false };
const EXACT: CollapseOptions = { exact: true, copy: false };

const collapser = new Collapser(POSTGRESQL, (each) => tables.resolve(each));
/** For sources that do not log what their foreign keys change. */
const cascading = new Collapser(POSTGRESQL, (each) => tables.resolve(each), false);

function steps(fill: (log: ChangeLog) => void, options = FAST, by = collapser): Step[] {
  const log = new ChangeLog();
  fill(log);
  const script = new MessageBuffer();
  by.write(log, 0, log.length, statementNames(), script, options);
  return stepsOf(script);
}

/** `delete child`, `upsert parent`, `set parent`, `move parent`, `copy parent`, `truncate parent`. */
function told(fill: (log: ChangeLog) => void, options = FAST, by = collapser): string[] {
  return steps(fill, options, by).map(({ sql, parameters, lines }) => {
    const name = /"public"\."(\w+)"/.exec(sql)?.[1];
    const verb = /^INSERT/.test(sql)
      ? 'upsert'
      : /^UPDATE/.test(sql)
        ? sql.includes('unnest')
          ? 'set'
          : 'move'
        : sql.split(' ')[0].toLowerCase();
    const what = lines === undefined ? (parameters ?? []).join(' ') : `${lines.length} rows`;
    return `${verb} ${name} ${what}`.trim();
  });
}

describe('changes of one row are folded into the last state', () => {
  test('an insert and its updates are one insert with what was sent last', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, parent, ['1', 'a', null]);
      append.update(log, parent, ['1', undefined, 'b']);
      append.update(log, parent, ['1', 'c', undefined]);
    };
    assert.deepEqual(told(fill), ['upsert parent {1} {"c"} {"b"}']);
  });

  test('what an earlier change set to NULL stays NULL when a later one does not send it', () => {
    const fill = (log: ChangeLog) => {
      append.update(log, parent, ['1', null, 'x']);
      append.update(log, parent, ['1', undefined, 'y']);
    };
    assert.deepEqual(told(fill), ['upsert parent {1} {NULL} {"y"}']);
  });

  test('updates that lack values set only what was sent, together where they lack the same', () => {
    const fill = (log: ChangeLog) => {
      append.update(log, parent, ['1', 'a', undefined]);
      append.update(log, parent, ['2', undefined, 'b']);
      append.update(log, parent, ['3', 'c', undefined]);
      append.update(log, parent, ['4', undefined, undefined]);
    };
    const found = steps(fill);
    assert.deepEqual(
      found.map(({ parameters }) => parameters),
      [
        ['{1,3}', '{"a","c"}'],
        ['{2}', '{"b"}'],
      ],
    );
    assert.match(found[0].sql, /SET "a" = u\.c1 FROM/);
    assert.match(found[1].sql, /SET "b" = u\.c1 FROM/);
  });

  test('two partial updates of a row are one with the values of both', () => {
    const fill = (log: ChangeLog) => {
      append.update(log, parent, ['1', 'a', undefined]);
      append.update(log, parent, ['1', undefined, null]);
    };
    assert.deepEqual(told(fill), ['set parent {1} {"a"} {NULL}']);
  });

  test('a row that comes and goes is only deleted, one that goes and comes is replaced', () => {
    assert.deepEqual(
      told((log) => {
        append.insert(log, parent, ['1', 'a', 'b']);
        append.update(log, parent, ['1', 'c', undefined]);
        append.delete(log, parent, ['1', null, null]);
      }),
      ['delete parent {1}'],
    );
    assert.deepEqual(
      told((log) => {
        append.delete(log, parent, ['1', null, null]);
        append.insert(log, parent, ['1', 'a', null]);
        append.update(log, parent, ['1', undefined, 'b']);
      }),
      ['delete parent {1}', 'upsert parent {1} {"a"} {"b"}'],
    );
  });

  test('a row that goes and comes takes along what its source does not log: it is deleted before it is written', () => {
    const fill = (log: ChangeLog) => {
      append.delete(log, owner, ['1', null, null]);
      append.insert(log, owner, ['1', 'a', 'b']);
      append.insert(log, owned, ['1', 'c', 'd']);
    };
    assert.deepEqual(told(fill), ['upsert owner {1} {"a"} {"b"}', 'upsert owned {1} {"c"} {"d"}']);
    for (const options of [FAST, UPSERT, EXACT]) {
      assert.deepEqual(told(fill, options, cascading), [
        'delete owner {1}',
        'upsert owner {1} {"a"} {"b"}',
        'upsert owned {1} {"c"} {"d"}',
      ]);
    }
  });

  test('keys of several columns are told apart, whatever their texts', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, wide, ['1', 'a', '11', '']);
      append.insert(log, wide, ['11', 'a', '1', '']);
      append.insert(log, wide, ['1', 'a', '1', '']);
      append.update(log, wide, ['1', undefined, '11', 'z']);
      append.delete(log, wide, ['11', null, '1', null]);
    };
    assert.deepEqual(told(fill), ['delete wide {11} {1}', 'upsert wide {1,1} {"a","a"} {11,1} {"z",""}']);
  });

  test('with an old key that is the same the values that it holds are taken, its NULLs are not', () => {
    // A key value that is stored out of line is sent in the old tuple only.
    const fill = (log: ChangeLog) => append.update(log, parent, [undefined, undefined, 'b'], ['1', null, null]);
    assert.deepEqual(told(fill), ['set parent {1} {"b"}']);
  });

  test('with a whole old row everything is known', () => {
    const full = { ...parent, identity: 'full' } as const;
    const fill = (log: ChangeLog) => append.update(log, full, ['1', undefined, undefined], ['1', null, 'b']);
    assert.deepEqual(told(fill), ['upsert parent {1} {NULL} {"b"}']);
  });
});

describe('a segment', () => {
  test('is written as deletes from children to parents, then rows from parents to children', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, grandchild, ['1', '', '']);
      append.delete(log, parent, ['9', null, null]);
      append.insert(log, child, ['1', '', '']);
      append.delete(log, grandchild, ['9', null, null]);
      append.delete(log, child, ['9', null, null]);
      append.insert(log, parent, ['1', '', '']);
    };
    assert.deepEqual(
      told(fill).map((step) => step.split(' ').slice(0, 2).join(' ')),
      ['delete grandchild', 'delete child', 'delete parent', 'upsert parent', 'upsert child', 'upsert grandchild'],
    );
  });

  test('ends at a truncate, and truncates that follow each other are one', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, parent, ['1', '', '']);
      log.appendTruncate(parent);
      log.appendTruncate(child);
      append.insert(log, parent, ['2', '', '']);
      log.appendTruncate(parent);
      append.insert(log, parent, ['3', '', '']);
    };
    assert.deepEqual(told(fill), [
      'upsert parent {1} {""} {""}',
      'truncate parent',
      'upsert parent {2} {""} {""}',
      'truncate parent',
      'upsert parent {3} {""} {""}',
    ]);
    const [, both] = steps(fill);
    assert.equal(both.sql, 'TRUNCATE "public"."parent", "public"."child"');
    const exact = steps((log) => {
      log.appendTruncate(parent);
      log.appendTruncate(child);
    }, EXACT);
    assert.deepEqual(
      exact.map(({ sql }) => sql),
      ['DELETE FROM "public"."child" WHERE true', 'DELETE FROM "public"."parent" WHERE true'],
    );
  });

  test('ends at a change of a key; the row is written whole as well when it is known', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, parent, ['1', 'a', '']);
      append.update(log, parent, ['2', 'b', 'c'], ['1', null, null]);
      append.update(log, parent, ['3', 'd', undefined], ['2', null, null]);
      append.insert(log, parent, ['1', 'e', '']);
    };
    assert.deepEqual(told(fill), [
      'upsert parent {1} {"a"} {""}',
      'move parent 2 b c 1',
      'upsert parent {2} {"b"} {"c"}',
      'move parent 3 d 2',
      'upsert parent {1} {"e"} {""}',
    ]);
  });

  test('holds no second write of a moved row that may reference itself: its reference moved along', () => {
    const fill = (log: ChangeLog) => append.update(log, node, ['2', '1', ''], ['1', null, null]);
    assert.deepEqual(told(fill), ['move node 2 1  1']);
  });

  test('holds inserts of rows without key, and ends at their updates and deletes', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, loose, ['1', 'a', null]);
      append.insert(log, loose, ['1', 'a', null]);
      append.delete(log, loose, ['1', 'a', null]);
      append.update(log, loose, ['1', 'b', undefined], ['1', 'a', null]);
      append.update(log, loose, [undefined, undefined, undefined], ['1', 'b', null]);
      append.insert(log, loose, ['2', 'c', null]);
    };
    assert.deepEqual(told(fill), [
      'upsert loose {1,1} {"a","a"} {NULL,NULL}',
      'delete loose 1 a',
      'move loose 1 b 1 a',
      'upsert loose {2} {"c"} {NULL}',
    ]);
  });

  test('ends between the tables of a foreign-key cycle, not within one of them', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, hen, ['1', null, '']);
      append.insert(log, hen, ['2', null, '']);
      append.insert(log, parent, ['1', '', '']);
      append.insert(log, egg, ['1', '1', '']);
      append.update(log, hen, ['1', '1', '']);
    };
    const seen = told(fill).map((step) => step.split(' ').slice(0, 2).join(' '));
    assert.deepEqual(
      seen.filter((step) => step !== 'upsert parent'),
      ['upsert hen', 'upsert egg', 'upsert hen'],
    );
    assert.equal(seen.filter((step) => step === 'upsert parent').length, 1);
  });

  test('ends at a delete by which the target itself changes rows that wait', () => {
    const moved = (log: ChangeLog) => {
      append.update(log, owned, ['1', '2', undefined]);
      append.delete(log, owner, ['1', null, null]);
      append.insert(log, owned, ['3', '2', '']);
    };
    assert.deepEqual(told(moved), ['set owned {1} {"2"}', 'delete owner {1}', 'upsert owned {3} {"2"} {""}']);
  });

  test('goes on at such a delete when only deletes wait', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, owner, ['7', '', '']);
      append.delete(log, owned, ['1', null, null]);
      append.delete(log, owner, ['1', null, null]);
      append.delete(log, owned, ['2', null, null]);
    };
    assert.deepEqual(told(fill), ['delete owned {1,2}', 'delete owner {1}', 'upsert owner {7} {""} {""}']);
  });

  test('ends where the source table has changed its columns', () => {
    const later = sourceTable('parent', ['id', 'b'], ['id']);
    const fill = (log: ChangeLog) => {
      append.insert(log, parent, ['1', 'a', 'b']);
      append.insert(log, later, ['2', 'c']);
      append.insert(log, parent, ['3', 'a', 'b']);
    };
    assert.deepEqual(told(fill), [
      'upsert parent {1} {"a"} {"b"}',
      'upsert parent {2} {"c"}',
      'upsert parent {3} {"a"} {"b"}',
    ]);
  });

  test('is a single change when the exact order is asked for', () => {
    const fill = (log: ChangeLog) => {
      append.insert(log, child, ['1', '', '']);
      append.insert(log, parent, ['1', '', '']);
      append.update(log, parent, ['1', 'x', '']);
      append.delete(log, parent, ['1', null, null]);
    };
    assert.deepEqual(told(fill, EXACT), [
      'upsert child {1} {""} {""}',
      'upsert parent {1} {""} {""}',
      'upsert parent {1} {"x"} {""}',
      'delete parent {1}',
    ]);
  });
});

describe('COPY', () => {
  const fresh = (log: ChangeLog, each: typeof parent, from: number, count: number) => {
    for (let i = from; i < from + count; i++) append.insert(log, each, [String(i), '', '']);
  };

  test('is for two dozen fresh rows and more', () => {
    assert.deepEqual(
      told((log) => fresh(log, parent, 0, 24)),
      ['copy parent 24 rows'],
    );
    assert.match(told((log) => fresh(log, parent, 0, 23))[0], /^upsert/);
    assert.match(told((log) => fresh(log, parent, 0, 24), UPSERT)[0], /^upsert/);
  });

  test('is never for rows that the target may have', () => {
    const found = told((log) => {
      fresh(log, parent, 0, 30);
      append.update(log, parent, ['99', 'x', 'y']);
      append.delete(log, parent, ['5', null, null]);
      append.update(log, parent, ['6', 'x', 'y']);
    });
    assert.deepEqual(found, ['delete parent {5}', 'upsert parent {99} {"x"} {"y"}', 'copy parent 29 rows']);
  });

  test('is for replaced rows too, behind their deletion', () => {
    const found = told((log) => {
      for (let i = 0; i < 24; i++) append.delete(log, parent, [String(i), null, null]);
      fresh(log, parent, 0, 24);
    });
    assert.deepEqual(
      found.map((step) => step.split(' ')[0]),
      ['delete', 'copy'],
    );
  });

  test('comes before the other rows of a table that references itself, and behind them elsewhere', () => {
    const fill = (each: typeof parent) => (log: ChangeLog) => {
      append.update(log, each, ['99', '5', '']);
      fresh(log, each, 0, 24);
    };
    const verbs = (each: typeof parent) => told(fill(each)).map((step) => step.split(' ')[0]);
    assert.deepEqual(verbs(node), ['copy', 'upsert']);
    assert.deepEqual(verbs(parent), ['upsert', 'copy']);
  });

  test('is left for a while once a row turned out to exist', () => {
    const work = tables.resolve(parent);
    work.pauseCopy();
    const verb = () => told((log) => fresh(log, parent, 0, 24))[0].split(' ')[0];
    assert.equal(verb(), 'upsert');
    let batches = 0;
    for (; verb() === 'upsert'; batches++) work.countBatch();
    assert.equal(batches, 200);
  });
});

test('what was written is counted by table', () => {
  collapser.takeWritten();
  steps((log) => {
    append.insert(log, parent, ['1', '', '']);
    append.update(log, parent, ['2', 'x', undefined]);
    append.update(log, parent, ['3', 'x', ''], ['4', null, null]);
    append.delete(log, child, ['1', null, null]);
    append.delete(log, loose, ['1', '', '']);
    log.appendTruncate(owner);
  });
  const { written } = collapser.takeWritten();
  assert.deepEqual(written.map(({ table, upserts, deletes }) => [table, upserts, deletes]).sort(), [
    ['child', 0, 1],
    ['loose', 0, 1],
    ['parent', 3, 0],
  ]);
  assert.deepEqual(collapser.takeWritten().written, []);
});

test('a change that does not say which row it is about is refused', () => {
  const blind = { ...loose, identity: 'nothing' } as const;
  for (const fill of [
    (log: ChangeLog) => append.update(log, blind, ['1', '', '']),
    (log: ChangeLog) => append.delete(log, blind, ['1', '', '']),
  ]) {
    assert.throws(() => steps(fill), { code: 'PG_REPLICA_IDENTITY' });
  }
});

test('after a failure nothing of it is left for the next batch', () => {
  const unknown = source('unknown');
  assert.throws(
    () =>
      steps((log) => {
        append.insert(log, parent, ['1', 'a', '']);
        log.appendTruncate(child);
        append.insert(log, unknown, ['1', '', '']);
      }),
    { code: 'TARGET_SCHEMA_DRIFT' },
  );
  assert.deepEqual(
    told((log) => append.insert(log, child, ['2', '', ''])),
    ['upsert child {2} {""} {""}'],
  );
});

test('only the part of the log that is asked for is written', () => {
  const log = new ChangeLog();
  append.insert(log, parent, ['1', '', '']);
  const start = log.length;
  append.insert(log, parent, ['2', '', '']);
  const end = log.length;
  append.insert(log, parent, ['3', '', '']);
  const script = new MessageBuffer();
  collapser.write(log, start, end, statementNames(), script, FAST);
  assert.deepEqual(
    stepsOf(script).map(({ parameters }) => parameters?.[0]),
    ['{2}'],
  );
});
