import { isSameTable, parseTableName, readableTable, type TableName } from '../sources/table-name.ts';
import { fixText } from '../target/drift.ts';
import { quoteIdentifier } from '../target/identifiers.ts';
import { findColumn } from '../target/mapping.ts';
import { proposeType } from '../target/proposed-types.ts';
import { readMissingRights, readNotEmpty } from '../target/rights.ts';
import { typeLoss } from '../target/type-fit.ts';
import { formatCount } from '../terminal/format.ts';
import type { Check } from './check.ts';
import { counted, failed, listed, type Outcome, passed } from './look.ts';
import type { ComparedTable, TargetFacts } from './target-facts.ts';
import { advisory, blocking, orRefused, type TargetLook } from './target-look.ts';

const TABLE_WHY =
  'Rows go to the target table of the same name, column by column; what does not fit stops the replication.';

/** The tables of the target as a whole. */
export const TABLE_LOOKS: readonly TargetLook[] = [
  {
    check: blocking(
      'tables',
      'tables of the source',
      'Each of them is compared with the target table that its rows go to.',
    ),
    needs: ['target.version'],
    look: (facts) =>
      orRefused('source', async () => {
        const tables = await facts.source.tables();
        return tables.length === 0
          ? failed('none', {
              expected: 'tables',
              fix: { side: 'source', text: 'Choose tables, or mend the checks of the source first.' },
            })
          : passed(counted(tables.length, 'table'));
      }),
  },
  {
    check: blocking(
      'rights',
      'rights on tables',
      'Rows are inserted, updated and deleted by the user of the connection.',
    ),
    needs: ['target.schema', 'target.tables'],
    look: lookAtRights,
  },
  {
    check: advisory(
      'truncate_right',
      'right to truncate',
      'A TRUNCATE at the source is carried out at the target too, unless --truncate says otherwise.',
    ),
    needs: ['target.schema', 'target.tables'],
    look: lookAtTruncateRight,
  },
  {
    check: advisory(
      'types',
      'column types',
      'A value that its target column cannot take as it is stops the replication, or arrives rounded or cut.',
    ),
    needs: ['target.schema', 'target.tables'],
    look: lookAtTypes,
  },
  {
    check: advisory(
      'triggers',
      'triggers',
      'They fire for replicated rows as well: what they did at the source is done a second time.',
    ),
    needs: ['target.schema', 'target.tables'],
    look: lookAtTriggers,
  },
  {
    check: advisory(
      'foreign_keys',
      'foreign keys',
      'A table that is not replicated does not get the rows that these need, so that rows may be refused.',
    ),
    needs: ['target.schema', 'target.tables'],
    look: lookAtForeignKeys,
  },
  {
    check: advisory(
      'rows',
      'existing rows',
      'The replication delivers what changes from now on; it copies no rows that are there already.',
    ),
    needs: ['target.schema', 'target.tables'],
    look: lookAtRows,
  },
];

/** The check of one table; `table` is one of the source. */
export function tableCheck(table: TableName): Check {
  const name = readableTable(table);
  const title = name.length <= 40 ? name : `${name.slice(0, 39)}…`;
  return blocking(`table.${name}`, title, TABLE_WHY);
}

/** Looks at single tables, those of `wanted` that the source does not send among them. */
export function tableLooks(compared: readonly ComparedTable[], wanted: 'all' | readonly string[]): TargetLook[] {
  const missing =
    wanted === 'all'
      ? []
      : wanted.map(parseTableName).filter((table) => !compared.some(({ source }) => isSameTable(source, table)));
  return [
    ...compared.map((each) => ({
      check: tableCheck(each.source),
      needs: [],
      look: async () => compareOutcome(each),
    })),
    ...missing.map((table) => ({
      check: tableCheck(table),
      needs: [],
      look: async () =>
        failed('not among the tables that the source sends', {
          expected: 'a table of the source',
          fix: { side: 'source' as const, text: 'Mend the checks of the source first, or leave the table out.' },
        }),
    })),
  ];
}

/** The result of comparing one table. */
export function compareOutcome({ source, target, findings }: ComparedTable): Outcome {
  if (findings.length === 0) return passed(counted(source.columns.length, 'column'));
  return failed(target === undefined ? 'not there' : findings.map(({ problem }) => problem).join('; '), {
    expected: target === undefined ? 'a table' : 'a table that can take the rows as they are',
    code: 'TARGET_SCHEMA_DRIFT',
    fix: {
      side: 'target',
      text: findings.map(fixText).join('\n'),
      statements: findings.flatMap(({ statements }) => statements),
    },
  });
}

async function lookAtRights(facts: TargetFacts): Promise<Outcome> {
  const { user } = await facts.connection();
  const { sql } = await facts.schema();
  const grantee = quoteIdentifier(user);
  const grants = (await facts.mayUseSchema()) ? [] : [`GRANT USAGE ON SCHEMA ${sql} TO ${grantee};`];
  const lacking = grants.length > 0 ? [] : await facts.missingRights();
  grants.push(...lacking.map(({ table, missing }) => `GRANT ${missing.join(', ')} ON TABLE ${table} TO ${grantee};`));
  if (grants.length === 0) return passed('all that are needed');
  const found = lacking.map(({ table, missing }) => `no ${missing.join(', ')} on ${table}`);
  return failed(found.length === 0 ? `no USAGE on schema ${sql}` : listed(found), {
    expected: 'SELECT, INSERT, UPDATE, DELETE',
    fix: { side: 'target', text: `Have their owner run:\n${grants.join('\n')}` },
  });
}

async function lookAtTruncateRight(facts: TargetFacts): Promise<Outcome> {
  const { product, user } = await facts.connection();
  const tables = (await facts.compared()).flatMap(({ target }) => target?.qualified ?? []);
  if (product === 'cockroachdb')
    throw new Error('TRUNCATE needs the privilege DROP there, which CockroachDB does not tell');
  const lacking = await facts.line.ask((client) => readMissingRights(client, tables, ['TRUNCATE']));
  if (lacking.length === 0) return passed('on all tables');
  return failed(`no TRUNCATE on ${listed(lacking.map(({ table }) => table))}`, {
    expected: 'TRUNCATE',
    fix: {
      side: 'target',
      text: lacking.map(({ table }) => `GRANT TRUNCATE ON TABLE ${table} TO ${quoteIdentifier(user)};`).join('\n'),
    },
  });
}

async function lookAtTypes(facts: TargetFacts): Promise<Outcome> {
  if (facts.wishes.userscript !== undefined) return passed('not compared: rows go through the userscript first');
  const { dialect } = await facts.server();
  const losses = (await facts.compared()).flatMap(({ source, target }) =>
    source.columns.flatMap(({ name, type }) => {
      const column = target && findColumn(target, name);
      const loss = type === undefined || column === undefined || column.generated ? undefined : typeLoss(type, column);
      if (loss === undefined) return [];
      const place = `ALTER TABLE ${target?.qualified} ALTER COLUMN ${quoteIdentifier(String(column?.name))}`;
      return {
        found: `${readableTable(source)}.${name}, ${type} into ${column?.typeName}: ${loss}`,
        fix: `${place} TYPE ${proposeType(type, dialect).type};`,
      };
    }),
  );
  if (losses.length === 0) return passed('they take every value as it is');
  return failed(losses.length > 3 ? `${first(losses)}; and ${losses.length - 3} more` : first(losses), {
    expected: 'types that take every value as it is',
    fix: { side: 'target', text: losses.map(({ fix }) => fix).join('\n') },
  });
}

function first(losses: readonly { readonly found: string }[]): string {
  return losses
    .slice(0, 3)
    .map(({ found }) => found)
    .join('; ');
}

async function lookAtTriggers(facts: TargetFacts): Promise<Outcome> {
  const tables = (await facts.compared()).flatMap(({ target }) => (target?.triggers === true ? [target] : []));
  if (tables.length === 0) return passed('none');
  const found = listed(tables.map(({ name }) => name));
  if ((await facts.server()).dialect.product === 'cockroachdb') {
    return failed(found, {
      expected: 'none while replicating',
      fix: { side: 'target', text: tables.map(({ qualified }) => `DROP TRIGGER <name> ON ${qualified};`).join('\n') },
    });
  }
  const statements = tables.map(({ qualified }) => `ALTER TABLE ${qualified} DISABLE TRIGGER USER`);
  const undo = tables.map(({ qualified }) => `-- afterwards: ALTER TABLE ${qualified} ENABLE TRIGGER USER;`);
  return failed(found, {
    expected: 'none while replicating',
    fix: { side: 'target', text: [...statements.map((each) => `${each};`), ...undo].join('\n'), statements },
  });
}

async function lookAtForeignKeys(facts: TargetFacts): Promise<Outcome> {
  const replicated = new Set((await facts.compared()).flatMap(({ target }) => target?.name ?? []));
  const { tables } = await facts.catalogue();
  const crossing = [...tables.values()].flatMap(({ name, qualified, foreignKeys }) =>
    foreignKeys
      .filter(({ referenced }) => replicated.has(name) !== replicated.has(referenced))
      .map((key) => ({
        text: `${name} references ${key.referenced} (${key.name})`,
        sql: `ALTER TABLE ${qualified} DROP CONSTRAINT ${quoteIdentifier(key.name)};`,
      })),
  );
  if (crossing.length === 0) return passed('none');
  return failed(listed(crossing.map(({ text }) => text)), {
    expected: 'foreign keys among replicated tables only',
    fix: {
      side: 'target',
      text: `Replicate both tables, or drop the constraints while replicating:\n${crossing.map(({ sql }) => sql).join('\n')}`,
    },
  });
}

async function lookAtRows(facts: TargetFacts): Promise<Outcome> {
  if ((await facts.progress()).checkpoint !== undefined)
    return passed('not counted: the replication has begun already');
  const unreadable = new Set(
    (await facts.missingRights()).filter(({ missing }) => missing.includes('SELECT')).map(({ table }) => table),
  );
  const there = (await facts.compared()).filter(
    ({ target }) => target !== undefined && !unreadable.has(target.qualified),
  );
  const targets = there.flatMap(({ target }) => target?.qualified ?? []);
  const filled = await facts.line.ask((client) => readNotEmpty(client, targets));
  const atSource = await facts.source.filled();
  const only = atSource.filter(({ table }) => {
    const target = there.find(({ source }) => isSameTable(source, table))?.target;
    return target === undefined || !filled.has(target.qualified);
  });
  if (atSource.length === 0) {
    return passed(
      filled.size === 0
        ? 'none on either side'
        : `none at the source, some in ${counted(filled.size, 'table')} of the target`,
    );
  }
  if (only.length === 0) return passed(`on both sides, in ${counted(atSource.length, 'table')}`);
  const found = only.map(
    ({ table, rows }) => `${readableTable(table)}${rows === 0 ? '' : ` (about ${formatCount(rows)})`}`,
  );
  return failed(`only at the source: ${listed(found)}`, {
    expected: facts.source.loading.expected,
    fix: { side: 'target', text: facts.source.loading.text },
  });
}
