import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCatalogue } from '../../src/target/catalogue.ts';
import { describeServer } from '../../src/target/dialect.ts';
import { quoteIdentifier, targetSchemaName } from '../../src/target/identifiers.ts';
import { sharedServer } from '../servers/postgres.ts';
import { connectText } from '../servers/text-client.ts';

const EVERY_TYPE = [
  ...['bool', 'int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'numeric(10,2)', 'money', '"char"', 'name'],
  ...[
    'text',
    'varchar',
    'varchar(5)',
    'char(5)',
    'bpchar',
    'bytea',
    'bit(3)',
    'varbit(5)',
    'uuid',
    'json',
    'jsonb',
    'xml',
  ],
  ...['date', 'time(3)', 'timetz', 'timestamp(3)', 'timestamptz', 'interval', 'inet', 'cidr', 'macaddr', 'macaddr8'],
  ...['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'tsvector', 'tsquery', 'pg_lsn', 'jsonpath'],
  ...['int4range', 'tstzrange', 'int2vector', 'regclass', 'text[]', 'varchar(5)[]', 'bit(3)[]', 'int4[]', 'box[]'],
  ...['shop.mood', 'shop.mood[]', 'shop."Odd "" type"', 'shop.pair', 'shop.pair[]', 'shop.short', 'shop.short[]'],
  ...['shop.required', 'shop.nested'],
];

for (const version of [14, 18] as const) {
  describe(`the catalogue of PostgreSQL ${version}`, () => {
    const shared = sharedServer({ version });

    async function catalogueOf(t: Parameters<typeof connectText>[0], ddl: string) {
      const database = await shared.freshDatabase(t);
      await database.query(ddl);
      const client = await connectText(t, database.url);
      const server = await describeServer(client);
      const schema = targetSchemaName('shop', server);
      return { database, client, server, schema, read: () => readCatalogue(client, server.dialect, schema) };
    }

    const types = `
      CREATE SCHEMA shop;
      CREATE TYPE shop.mood AS ENUM ('sad', 'NULL', 'so so');
      CREATE TYPE shop."Odd "" type" AS ENUM ('a');
      CREATE TYPE shop.pair AS (a int, b text);
      CREATE DOMAIN shop.short AS varchar(5);
      CREATE DOMAIN shop.required AS int NOT NULL DEFAULT 7;
      CREATE DOMAIN shop.nested AS shop.short CHECK (VALUE <> 'no');`;

    test('casts to every type parse, also as arrays where those may be bound', async (t) => {
      const columns = EVERY_TYPE.map((type, i) => `c${i} ${type}`).join(', ');
      const { client, read } = await catalogueOf(t, `${types} CREATE TABLE shop.every (${columns});`);
      const table = (await read()).find('every');
      assert.ok(table);
      assert.equal(table.columns.length, EVERY_TYPE.length);
      for (const column of table.columns) {
        await client.query(`SELECT NULL::${column.castType}`);
        await client.query(`SELECT ($1::text)::${column.castType}`, [null]);
        if (!column.arrayBindable) continue;
        await client.query(`SELECT '{}'::${column.castType}[]`);
        const bound = await client.query(`SELECT u.a FROM unnest($1::${column.castType}[]) AS u(a)`, ['{NULL}']);
        assert.deepEqual(bound.rows, [{ a: null }], column.typeName);
      }
      const bindable = table.columns.filter((column) => column.arrayBindable).map((column) => column.typeName);
      for (const type of ['integer', 'numeric(10,2)', 'character varying(5)', 'jsonb', 'bytea', 'shop.mood', 'uuid']) {
        assert.ok(bindable.includes(type), type);
      }
      for (const type of ['box', 'integer[]', 'shop.pair', 'int4range', 'int2vector', 'shop.pair[]']) {
        assert.ok(!bindable.includes(type), type);
      }
      const unquoted = table.columns.filter((column) => column.unquoted).map((column) => column.typeName);
      assert.deepEqual(
        new Set(unquoted),
        new Set([
          ...['boolean', 'smallint', 'integer', 'bigint', 'oid', 'real', 'double precision'],
          ...['numeric', 'numeric(10,2)', 'uuid', 'shop.required'],
        ]),
      );
    });

    test('what a column takes is told in words that sources know, arrays and domains included', async (t) => {
      const { read } = await catalogueOf(
        t,
        `${types} CREATE TABLE shop.kinds (s shop.short, m shop.mood, ms shop.mood[], i int2, n numeric(5,2)[], b bytea,
           v varbit, j jsonb, c char(3), d date, ts timestamptz, iv interval, p point);`,
      );
      const table = (await read()).find('kinds');
      assert.deepEqual(
        table?.columns.map(({ name, kind, array }) => `${name} ${kind}${array ? '[]' : ''}`),
        [
          's string',
          'm enum',
          'ms enum[]',
          'i int',
          'n decimal[]',
          'b bytes',
          'v bit',
          'j json',
          'c string',
          'd date',
        ].concat(['ts timestamptz', 'iv interval', 'p other']),
      );
    });

    test('a cast never cuts: a value that is too long is refused by the column', async (t) => {
      const { client, read } = await catalogueOf(
        t,
        `${types} CREATE TABLE shop.lengths (v varchar(5), c char(5), b bit(3), vb varbit(5), s shop.short, n shop.nested,
           va varchar(5)[], ba bit(3)[]);`,
      );
      const table = (await read()).find('lengths');
      assert.ok(table);
      const long: Record<string, string> = { b: '101010', vb: '101010', va: '{abcdef}', ba: '{101010}' };
      for (const column of table.columns) {
        const value = long[column.name] ?? 'abcdef';
        const ways = [`$1::${column.castType}`, `($1::text)::${column.castType}`];
        for (const way of ways) {
          await assert.rejects(
            client.query(`INSERT INTO ${table.qualified} ("${column.name}") SELECT ${way}`, [value]),
            /too long|does not match type/,
            `${column.name} as ${way}`,
          );
        }
        if (!column.arrayBindable) continue;
        await assert.rejects(
          client.query(
            `INSERT INTO ${table.qualified} ("${column.name}") SELECT u.x FROM unnest($1::${column.castType}[]) AS u(x)`,
            [`{"${value}"}`],
          ),
          /too long|does not match type/,
          `${column.name} in an array`,
        );
      }
    });

    test('columns: generated, identity, defaults, domains that refuse NULL', async (t) => {
      const { read } = await catalogueOf(
        t,
        `${types} CREATE TABLE shop.columns (
           plain text, must int NOT NULL, given int NOT NULL DEFAULT 3, twice int GENERATED ALWAYS AS (must * 2) STORED,
           always int GENERATED ALWAYS AS IDENTITY, bydefault int GENERATED BY DEFAULT AS IDENTITY, dom shop.required);
         ALTER TABLE shop.columns DROP COLUMN plain;`,
      );
      const table = (await read()).find('columns');
      assert.ok(table);
      const facts = Object.fromEntries(
        table.columns.map((c) => [
          c.name,
          [
            c.generated && 'generated',
            c.identityAlways && 'always',
            c.hasDefault && 'default',
            c.nullable && 'nullable',
          ]
            .filter(Boolean)
            .join(' '),
        ]),
      );
      assert.deepEqual(facts, {
        must: '',
        given: 'default',
        twice: 'generated default nullable',
        always: 'always default',
        bydefault: 'default',
        dom: 'default',
      });
      assert.ok(table.columns.every((column) => !column.hidden));
      assert.equal(table.columns.find((column) => column.name === 'dom')?.castType, 'pg_catalog."int4"');
    });

    test('keys: only those that ON CONFLICT can name, in key order, without INCLUDE columns', async (t) => {
      const { client, read } = await catalogueOf(
        t,
        `CREATE SCHEMA shop;
         CREATE TABLE shop.keys (a int, b int, c int, d int, e text, f int UNIQUE DEFERRABLE, PRIMARY KEY (c, a) INCLUDE (d));
         CREATE UNIQUE INDEX keys_b ON shop.keys (b) INCLUDE (e);
         CREATE UNIQUE INDEX keys_partial ON shop.keys (d) WHERE d > 0;
         CREATE UNIQUE INDEX keys_expression ON shop.keys (lower(e));
         CREATE UNIQUE INDEX keys_two ON shop.keys (e DESC, d);
         CREATE TABLE shop.deferred (a int PRIMARY KEY DEFERRABLE);
         CREATE TABLE shop.keyless (a int);`,
      );
      const catalogue = await read();
      const keys = catalogue.find('keys');
      assert.ok(keys);
      assert.deepEqual(keys.primaryKey, ['c', 'a']);
      assert.deepEqual(keys.uniqueKeys, [['b'], ['e', 'd']]);
      for (const [i, key] of [keys.primaryKey, ...keys.uniqueKeys].entries()) {
        await client.query(
          `INSERT INTO ${keys.qualified} (a, c) VALUES (${i}, 1) ON CONFLICT (${key.map(quoteIdentifier).join(', ')}) DO UPDATE SET b = excluded.b`,
        );
      }
      assert.deepEqual(catalogue.find('deferred')?.primaryKey, []);
      assert.deepEqual(catalogue.find('keyless')?.primaryKey, []);
      await assert.rejects(
        client.query('INSERT INTO shop.deferred VALUES (1) ON CONFLICT (a) DO NOTHING'),
        /deferrable|no unique/,
      );
    });

    test('foreign keys with several columns and all actions; those of other schemas are left out', async (t) => {
      const { read } = await catalogueOf(
        t,
        `CREATE SCHEMA shop; CREATE SCHEMA other;
         CREATE TABLE other.far (id int PRIMARY KEY);
         CREATE TABLE shop.parent (gone int, x int, y int, PRIMARY KEY (y, x));
         ALTER TABLE shop.parent DROP COLUMN gone;
         CREATE TABLE shop.child (id int PRIMARY KEY, px int, py int, self int REFERENCES shop.child ON DELETE SET NULL,
           far int REFERENCES other.far,
           CONSTRAINT "to parent" FOREIGN KEY (px, py) REFERENCES shop.parent (x, y)
             ON DELETE CASCADE ON UPDATE SET DEFAULT DEFERRABLE);`,
      );
      assert.deepEqual((await read()).find('child')?.foreignKeys, [
        {
          name: 'child_self_fkey',
          columns: ['self'],
          referenced: 'child',
          referencedColumns: ['id'],
          onDelete: 'set null',
          onUpdate: 'no action',
          deferrable: false,
        },
        {
          name: 'to parent',
          columns: ['px', 'py'],
          referenced: 'parent',
          referencedColumns: ['x', 'y'],
          onDelete: 'cascade',
          onUpdate: 'set default',
          deferrable: true,
        },
      ]);
    });

    test('partitions are tables too, views are not, triggers are told', async (t) => {
      const { read } = await catalogueOf(
        t,
        `CREATE SCHEMA shop;
         CREATE TABLE shop.events (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE shop.events_2026 PARTITION OF shop.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE VIEW shop.seen AS SELECT 1 AS a;
         CREATE TABLE shop.ref (id int, at date, FOREIGN KEY (id, at) REFERENCES shop.events);
         CREATE FUNCTION shop.noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER loud BEFORE INSERT ON shop.events_2026 FOR EACH ROW EXECUTE FUNCTION shop.noop();`,
      );
      const catalogue = await read();
      assert.deepEqual([...catalogue.tables.keys()], ['events', 'events_2026', 'ref']);
      assert.deepEqual(catalogue.find('events_2026')?.primaryKey, ['id', 'at']);
      assert.deepEqual(
        [...catalogue.tables.values()].filter((table) => table.triggers).map((table) => table.name),
        ['events_2026'],
      );
      const referenced = catalogue.find('ref')?.foreignKeys.map((key) => key.referenced);
      assert.ok(referenced?.includes('events') && referenced.includes('events_2026'), String(referenced));
    });

    test('names are found exactly, then without regard to case; odd names are only names', async (t) => {
      const { client, read } = await catalogueOf(
        t,
        `CREATE SCHEMA shop;
         CREATE TABLE shop."Orders" (a int); CREATE TABLE shop.both (a int); CREATE TABLE shop."BOTH" (a int);
         CREATE TABLE shop."""; drop table x; --" ("a.b ""c" int PRIMARY KEY);`,
      );
      const catalogue = await read();
      assert.equal(catalogue.find('orders')?.name, 'Orders');
      assert.equal(catalogue.find('both')?.name, 'both');
      assert.equal(catalogue.find('Both'), undefined);
      const odd = catalogue.find('"; drop table x; --');
      assert.ok(odd);
      assert.deepEqual(odd.primaryKey, ['a.b "c']);
      await client.query(`INSERT INTO ${odd.qualified} VALUES (1)`);
    });

    test('a schema that does not exist is named; an empty one is not an error', async (t) => {
      const { client, server } = await catalogueOf(t, 'CREATE SCHEMA shop');
      const read = (text: string) => readCatalogue(client, server.dialect, targetSchemaName(text, server));
      assert.equal((await read('shop')).tables.size, 0);
      await assert.rejects(read('shopp'), { code: 'TARGET_SCHEMA_MISSING', fix: 'CREATE SCHEMA "shopp";' });
    });

    test('defect 21: 2,000 tables take a fixed number of queries and little time', {
      skip: version < 18,
    }, async (t) => {
      const { database, client, read } = await catalogueOf(t, 'CREATE SCHEMA shop');
      for (let first = 0; first < 2000; first += 250) {
        const ddl = Array.from(
          { length: 250 },
          (_, i) =>
            `CREATE TABLE shop.t${first + i} (id int PRIMARY KEY, a text, b jsonb, c numeric UNIQUE, d timestamptz);`,
        );
        await database.query(ddl.join('\n'));
      }
      let queries = 0;
      const query = client.query.bind(client);
      t.mock.method(client, 'query', ((...args: Parameters<typeof query>) => {
        queries++;
        return query(...args);
      }) as typeof query);
      const start = performance.now();
      const catalogue = await read();
      const elapsed = performance.now() - start;
      assert.equal(catalogue.tables.size, 2000);
      assert.equal(catalogue.find('t77')?.uniqueKeys.length, 1);
      assert.equal(queries, 7);
      assert.ok(elapsed < 5000, `${elapsed} ms`);
      t.diagnostic(`2,000 tables read in ${Math.round(elapsed)} ms`);
    });
  });
}
