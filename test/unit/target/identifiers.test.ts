import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/errors.ts';
import type { Dialect } from '../../../src/target/dialect.ts';
import {
  describeTable,
  matchName,
  parseDottedName,
  qualify,
  quoteIdentifier,
  type Surroundings,
  stagingSchemaName,
  targetSchemaName,
} from '../../../src/target/identifiers.ts';

const cockroach: Dialect = { product: 'cockroachdb', version: 26.02 };
const postgres: Dialect = { product: 'postgresql', version: 18.01 };

function at(dialect: Dialect, database: string, ...schemas: string[]): Surroundings {
  return { dialect, database, schemas };
}

test('a quoted identifier reads back as the name, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ minLength: 1 }), (a, b) => {
      fc.pre(!a.includes('\0') && !b.includes('\0'));
      assert.deepEqual(parseDottedName(`${quoteIdentifier(a)}.${quoteIdentifier(b)}`, '--x'), [a, b]);
    }),
  );
  assert.equal(quoteIdentifier('"; drop table x; --'), '"""; drop table x; --"');
});

test('a name with NUL and an empty name are refused', () => {
  assert.throws(() => quoteIdentifier('a\0b'), UsageError);
  assert.throws(() => quoteIdentifier(''), UsageError);
});

test('dotted names: quoted parts may hold dots, spaces and quotes; unquoted ones keep their case', () => {
  assert.deepEqual(parseDottedName('"a.b".c', '--x'), ['a.b', 'c']);
  assert.deepEqual(parseDottedName(' Shop . Public ', '--x'), ['Shop', 'Public']);
  assert.deepEqual(parseDottedName('"say ""hi"""', '--x'), ['say "hi"']);
  for (const bad of ['', '.', 'a.', '.a', 'a..b', '"a', '"a"b', '""', 'a"b']) {
    assert.throws(
      () => parseDottedName(bad, '--targetSchema'),
      (error) => error instanceof UsageError && error.message.startsWith('--targetSchema: '),
      bad,
    );
  }
});

test('parsing arbitrary text gives parts or a UsageError, never anything else', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '.', '"', ' ', '\0', 'é') }), (text) => {
      try {
        assert.ok(parseDottedName(text, '--x').every((part) => part !== ''));
      } catch (error) {
        assert.ok(error instanceof UsageError);
      }
    }),
  );
});

describe('--targetSchema', () => {
  test('two parts are database and schema on CockroachDB, in three-part statements', () => {
    const schema = targetSchemaName('defaultdb.public', at(cockroach, 'other', 'public'));
    assert.deepEqual(
      { ...schema },
      {
        raw: 'defaultdb.public',
        text: 'defaultdb.public',
        database: 'defaultdb',
        schema: 'public',
        sql: '"defaultdb"."public"',
      },
    );
    assert.equal(qualify(schema, 'a"b'), '"defaultdb"."public"."a""b"');
  });

  test('one part is a schema of the connected database if there is one, else a database', () => {
    assert.equal(targetSchemaName('shop', at(cockroach, 'defaultdb', 'public', 'shop')).sql, '"defaultdb"."shop"');
    assert.equal(targetSchemaName('shop', at(cockroach, 'defaultdb', 'public')).sql, '"shop"."public"');
    assert.equal(targetSchemaName('shop', at(postgres, 'defaultdb', 'public', 'shop')).sql, '"shop"');
    assert.equal(targetSchemaName('shop', at(postgres, 'shop', 'public')).sql, '"public"');
    assert.equal(targetSchemaName('shop', at(postgres, 'defaultdb', 'public')).sql, '"shop"');
  });

  test('PostgreSQL statements carry two-part names, messages three parts', () => {
    const schema = targetSchemaName('shop.public', at(postgres, 'shop', 'public'));
    assert.equal(qualify(schema, 't'), '"public"."t"');
    assert.equal(describeTable(schema, 't'), '"shop"."public"."t"');
    assert.equal(schema.raw, 'shop.public');
  });

  test('PostgreSQL cannot leave the connected database', () => {
    assert.throws(() => targetSchemaName('other.public', at(postgres, 'shop', 'public')), {
      code: 'TARGET_OTHER_DATABASE',
      message: /"other".*"shop"/,
    });
  });

  test('the spelling on the server counts when only the case differs', () => {
    assert.equal(targetSchemaName('shop.Sales', at(postgres, 'Shop', 'sales')).schema, 'sales');
    assert.equal(targetSchemaName('Sales', at(postgres, 'shop', 'sales', 'SALES')).schema, 'Sales');
    assert.equal(targetSchemaName('shop.Sales', at(cockroach, 'shop', 'sales')).schema, 'sales');
  });

  test('raw is unquoted for memo keys, text can be typed again', () => {
    const schema = targetSchemaName(' "a.b".c ', at(cockroach, 'defaultdb', 'public'));
    assert.equal(schema.raw, 'a.b.c');
    assert.equal(schema.text, '"a.b".c');
    assert.equal(schema.sql, '"a.b"."c"');
  });

  test('three parts, and names that PostgreSQL would cut, are usage errors', () => {
    assert.throws(() => targetSchemaName('a.b.c', at(cockroach, 'a')), UsageError);
    assert.throws(() => targetSchemaName('x'.repeat(64), at(postgres, 'a')), /63 bytes/);
    assert.equal(targetSchemaName('x'.repeat(64), at(cockroach, 'a')).database.length, 64);
  });
});

describe('--stagingSchema', () => {
  test('one part is a database on CockroachDB, two are database and schema', () => {
    const where = at(cockroach, 'defaultdb', 'public', '_replicator');
    assert.equal(stagingSchemaName('_replicator', where).sql, '"_replicator"."public"');
    assert.equal(stagingSchemaName('_replicator.public', where).sql, '"_replicator"."public"');
    assert.equal(stagingSchemaName('defaultdb._replicator', where).sql, '"defaultdb"."_replicator"');
  });

  test('is a schema of the connected database on PostgreSQL, however it is written', () => {
    const where = at(postgres, 'shop', 'public');
    for (const text of ['_replicator', '_replicator.public', 'shop._replicator']) {
      assert.equal(stagingSchemaName(text, where).sql, '"_replicator"', text);
    }
    assert.equal(stagingSchemaName('shop.public', where).sql, '"public"');
    assert.throws(() => stagingSchemaName('other._replicator', where), { code: 'STAGING_OTHER_DATABASE' });
  });
});

test('matching a name: exact, else the only one that differs in case', () => {
  assert.equal(matchName('a', ['A', 'a']), 'a');
  assert.equal(matchName('a', ['b', 'A']), 'A');
  assert.equal(matchName('aa', ['aA', 'Aa']), undefined);
  assert.equal(matchName('aa', ['aA', 'Aa', 'AA']), undefined);
  assert.equal(matchName('a', []), undefined);
});
