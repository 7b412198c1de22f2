import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOfType } from '../../src/target/column-kinds.ts';
import { typeLoss } from '../../src/target/type-fit.ts';
import { sharedServer } from '../servers/postgres.ts';

/** Values of each type, those at its ends among them. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  smallint: ['0', '-32768', '32767'],
  integer: ['0', '-2147483648', '2147483647'],
  bigint: ['1', '-9223372036854775808', '9223372036854775807'],
  'numeric(4,0)': ['9999', '-9999', '0'],
  'numeric(10,2)': ['12345678.91', '-99999999.99', '1', '1.55'],
  'numeric(20,0)': ['18446744073709551615', '-99999999999999999999'],
  numeric: ['1', '0.1234567890123456789', '123456789012345678901234567890', '1e60'],
  real: ['1.5', '0.12345', '1e30', '-1.17549e-38'],
  'double precision': ['1.5', '0.123456789012345', '-1.23456789012345e-300', '1e300'],
  text: ['', 'a', 'a text that is not short', '1'],
  'character varying(5)': ['abcde', 'x'],
  'character varying(20)': ['abcdefghijklmnopqrst', 'x'],
  'character(3)': ['abc', 'x'],
  boolean: ['t', 'f'],
  uuid: ['123e4567-e89b-12d3-a456-426614174000'],
  date: ['2026-11-23', '0001-01-01'],
  'timestamp(0) without time zone': ['2026-11-23 02:03:04'],
  'timestamp without time zone': ['2026-11-23 02:03:04.123456', '2026-11-23 00:00:00'],
  'timestamp(3) with time zone': ['2026-11-23 02:03:04.123+00'],
  'timestamp with time zone': ['2026-11-23 02:03:04.123456+00'],
  'time without time zone': ['02:03:04.123456'],
  interval: ['1 day 02:03:04', '-838:59:59'],
  'integer[]': ['{1,2147483647,-2147483648}', '{}'],
  'bigint[]': ['{1,9223372036854775807}'],
  'text[]': ['{a,b}', '{abcdefghij,klmnopqrstuv}'],
};

/** How the type is called in a cast that cuts nothing. */
const base = (type: string): string => type.replace(/\([\d,]+\)/, '').replace(/^character$/, 'bpchar');

const server = sharedServer();

/**
 * Each type into each other as the engine writes it: the text of the source, cast to the bare type of the target, assigned to the
 * column. What comes out has to be what was said of the two types: refused and changed values only where that was said, and there
 * indeed.
 */
test('what is said of two types is what becomes of their values', async (t) => {
  const { query } = await server.freshDatabase(t);
  const types = Object.keys(SAMPLES);
  await query(`SET timezone = 'UTC'`);
  for (const [index, type] of types.entries()) await query(`CREATE TABLE t${index} (c ${type})`);
  await query(`
    CREATE FUNCTION fate(value text, source text, base text, place text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE kept boolean; arrived text;
    BEGIN
      PERFORM set_config('timezone', 'UTC', true);
      BEGIN
        EXECUTE format('INSERT INTO %I SELECT $1::%s RETURNING c::text', place, base) INTO arrived USING value;
      EXCEPTION WHEN OTHERS THEN RETURN 'refused';
      END;
      -- A number may be written in more than one way.
      IF source ~ '^(smallint|integer|bigint|numeric|real|double)' AND source !~ ']$' THEN source := 'numeric'; END IF;
      BEGIN
        EXECUTE format('SELECT $1::%s IS NOT DISTINCT FROM $2::%s', source, source) INTO kept USING arrived, value;
      EXCEPTION WHEN OTHERS THEN RETURN 'changed';
      END;
      RETURN CASE WHEN kept THEN 'kept' ELSE 'changed' END;
    END $$`);
  const wrong: string[] = [];
  let said = 0;
  for (const source of types) {
    for (const [index, target] of types.entries()) {
      // Nothing is said of these: what MySQL has of them is written as the target takes it.
      if (target.endsWith('[]') && !source.endsWith('[]') && /^(text|char)/.test(source)) continue;
      if (/^(smallint|integer|bigint|numeric|real|double)/.test(source) && target === 'boolean') continue;
      if (/^(interval|uuid)/.test(source)) continue;
      const bare = target
        .replace(/\[\]$/, '')
        .replace(/ with(out)? time zone/, '')
        .replace(/\(.*\)/, '');
      const kind = kindOfType(
        { smallint: 'int2', integer: 'int4', bigint: 'int8', real: 'float4', 'double precision': 'float8' }[bare] ??
          { boolean: 'bool', 'character varying': 'varchar', character: 'bpchar' }[bare] ??
          (target.includes('with time zone') ? `${bare}tz` : bare),
      );
      const loss = typeLoss(source, { typeName: target, kind, array: target.endsWith('[]') });
      const fates = await query<{ fate: string }>('SELECT fate(v, $2, $3, $4) FROM unnest($1::text[]) v', [
        SAMPLES[source],
        source,
        base(target),
        `t${index}`,
      ]);
      const found = new Set(fates.map(({ fate }) => fate));
      if (loss !== undefined) said++;
      const right = isRight(loss, found, /^(text|char)/.test(source));
      if (!right)
        wrong.push(`${source} into ${target}: ${loss ?? 'nothing'} was said, but ${[...found].join(' and ')}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(said > 200, String(said));
});

/** Text that another type takes is written by it in its own way: only what is refused counts. */
function isRight(loss: string | undefined, found: ReadonlySet<string>, text: boolean): boolean {
  if (loss === undefined) return !found.has('refused') && (text || !found.has('changed'));
  if (loss === 'its values do not fit') return !found.has('kept');
  const refused = /refused/.test(loss) === found.has('refused');
  return refused && (text || /rounded|cut off/.test(loss) === found.has('changed'));
}
