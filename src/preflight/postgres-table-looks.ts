import { escapeIdentifier } from 'pg';
import type { OperatorError } from '../errors.ts';
import { CUSTOMARY_NAME, type PublicationFacts, publicationMissing } from '../sources/postgres/publication.ts';
import { mayCreate, mayRun } from '../sources/postgres/rights.ts';
import { publicationStatement } from '../sources/postgres/setup.ts';
import { readableIdentifier } from '../sources/readable-identifier.ts';
import { isSameTable, readableTable, type TableName } from '../sources/table-name.ts';
import {
  addTablesStatement,
  nameClashFinding,
  needsIdentity,
  partitionFinding,
  publishedFinding,
  replicaIdentityStatement,
  withoutIdentity,
} from '../sources/postgres/table-requirements.ts';
import { readUnlogged, tableNames } from '../sources/postgres/tables-summary.ts';
import { counted, failed, failedBy, listed, type Outcome, passed } from './look.ts';
import type { SourceLook } from './postgres-source-look.ts';
import { advisory, blocking, fromFinding } from './source-look.ts';
import type { PostgresSourceFacts } from './postgres-source-facts.ts';

const KINDS = ['insert', 'update', 'delete', 'truncate'] as const;

/** The publication, and the tables in it. */
export const TABLE_LOOKS: readonly SourceLook[] = [
  {
    check: blocking('publication', 'publication', 'It names the tables whose changes are sent.'),
    needs: ['source.version'],
    look: lookAtPublication,
  },
  {
    check: advisory(
      'published_changes',
      'published changes',
      'What the publication leaves out never reaches the target, and nobody is told.',
    ),
    needs: ['source.version'],
    async look(facts) {
      const publication = await facts.publication();
      if (publication === undefined) return passed('all kinds');
      const sent = KINDS.filter((kind) => publication.publishes[kind]);
      if (sent.length === KINDS.length) return passed('all kinds');
      const statement = `ALTER PUBLICATION ${escapeIdentifier(publication.name)} SET (publish = '${KINDS.join(', ')}')`;
      return failed(`only ${sent.join(', ') || 'nothing'}`, {
        expected: KINDS.join(', '),
        fix: { side: 'source', text: `${statement};`, statements: [statement] },
      });
    },
  },
  {
    check: blocking('tables', 'tables', 'Only what is there, and can be published, can be replicated.'),
    needs: ['source.version'],
    look: lookAtTables,
  },
  {
    check: blocking(
      'publication_right',
      'right to publish',
      'Tables are published by their owner, all tables at once by a superuser.',
    ),
    needs: ['source.tables'],
    look: lookAtRightToPublish,
  },
  {
    check: blocking(
      'partitions',
      'partitions',
      'Old rows of a partition are sent by its own replica identity; they have to fit the table as which it is published.',
    ),
    needs: ['source.tables'],
    async look(facts) {
      const publication = await facts.publication();
      if (publication !== undefined && !needsIdentity(publication)) return passed('only new rows are published');
      return fromFinding(partitionFinding(await facts.published()));
    },
  },
  {
    check: advisory(
      'replica_identity',
      'replica identity',
      'Once such a table is published, the source itself refuses UPDATE and DELETE on it: the application gets the error.',
    ),
    needs: ['source.tables'],
    look: lookAtIdentity,
  },
  {
    check: advisory(
      'read_right',
      'right to read',
      'The replication does without; copying the existing rows with this user, or comparing both sides, does not.',
    ),
    needs: ['source.tables'],
    async look(facts) {
      const unreadable = (await facts.rights()).filter(({ mayRead }) => !mayRead);
      if (unreadable.length === 0) return passed('all of them');
      const { user } = await facts.server();
      return failed(`not ${listed(unreadable.map(readableTable))}`, {
        expected: 'SELECT on all of them',
        fix: {
          side: 'source',
          text: [
            ...new Set(
              unreadable.map(
                ({ schema }) => `GRANT USAGE ON SCHEMA ${readableIdentifier(schema)} TO ${readableIdentifier(user)};`,
              ),
            ),
            ...unreadable.map((table) => `GRANT SELECT ON ${readableTable(table)} TO ${readableIdentifier(user)};`),
          ].join('\n'),
        },
      });
    },
  },
  {
    check: advisory(
      'unlogged',
      'unlogged tables',
      'Their changes are not in the log, so that they cannot be replicated, whatever the publication says.',
    ),
    needs: ['source.version'],
    async look(facts) {
      const { tables = 'all' } = facts.wishes;
      if (tables !== 'all') return passed('none chosen');
      const unlogged = await facts.line.ask(readUnlogged);
      if (unlogged.length === 0) return passed('none');
      return failed(listed(unlogged.map(readableTable)), {
        expected: 'none',
        fix: {
          side: 'source',
          text: unlogged
            .map((table) => `ALTER TABLE ${readableTable(table)} SET LOGGED; -- writes the table anew`)
            .join('\n'),
        },
      });
    },
  },
];

async function lookAtPublication(facts: PostgresSourceFacts): Promise<Outcome> {
  const wish = facts.wishes.publication;
  if (wish === undefined) return passed('not chosen yet');
  if (wish.name === undefined) return await lookAtOnlyPublication(facts);
  const { name, create } = wish;
  const found = await facts.publication();
  if (found === undefined) {
    if (create) return passed(`${name} will be created`);
    return await missingPublication(facts, publicationMissing(name), `${name} is not there`);
  }
  const lacks = await tablesLacking(facts);
  if (lacks.length > 0) {
    const statement = addTablesStatement(name, lacks);
    return failed(`${name} lacks ${listed(lacks.map(readableTable))}`, {
      expected: create ? 'a free name, or a publication with all chosen tables' : 'all chosen tables',
      fix: {
        side: 'source',
        text: `${statement};${create ? '\n-- or choose another name' : ''}`,
        statements: [statement],
      },
    });
  }
  const content = describePublication(found, (await facts.published()).length);
  return create
    ? passed(`${name} is there already and can be used: ${content}`, { what: 'publication', name })
    : passed(`${name}, ${content}`);
}

/** Nobody has named one, so the engine will take the only one. */
async function lookAtOnlyPublication(facts: PostgresSourceFacts): Promise<Outcome> {
  const found = await facts.onlyPublication();
  if (!('refusal' in found))
    return passed(`${found.name}, ${describePublication(found, (await facts.published()).length)}`);
  const { refusal } = found;
  if (refusal.code === 'PG_PUBLICATION_MISSING')
    return await missingPublication(facts, refusal, 'none in this database');
  return failedBy(refusal, refusal.message, 'source', { expected: 'one that is named' });
}

/** There is none, and nobody wants to have it made at launch: it can be made now. */
async function missingPublication(facts: PostgresSourceFacts, error: OperatorError, found: string): Promise<Outcome> {
  const { publication, tables = 'all' } = facts.wishes;
  const statement = publicationStatement(publication?.name ?? CUSTOMARY_NAME, tables);
  const statements = (await mayPublish(facts)) ? [statement] : undefined;
  return failed(found, {
    expected: 'a publication',
    code: error.code,
    fix: { side: 'source', text: `${statement};`, ...(statements && { statements }) },
  });
}

function describePublication({ allTables }: PublicationFacts, count: number): string {
  return allTables ? `of all ${counted(count, 'table')}` : `of ${counted(count, 'table')}`;
}

/** Chosen tables that the publication does not have, although they could be in it. */
async function tablesLacking(facts: PostgresSourceFacts): Promise<TableName[]> {
  const wanted = tableNames(facts.wishes.tables ?? 'all');
  if (wanted === 'all') return [];
  const published = (await facts.published()).map(({ table }) => table);
  return wanted.filter((table) => !published.some((each) => isSameTable(each, table)));
}

async function lookAtRightToPublish(facts: PostgresSourceFacts): Promise<Outcome> {
  if ((await facts.publication()) !== undefined) return passed('no publication has to be created');
  if (await mayPublish(facts)) return passed('all that is needed');
  const { user, database } = await facts.server();
  const { publication, tables = 'all' } = facts.wishes;
  const rights = await facts.rights();
  const owned = rights.filter(({ owns }) => owns);
  const statement = publicationStatement(publication?.name ?? CUSTOMARY_NAME, tables);
  const bySuperuser = `Have a superuser run it, and use the publication then:\n${statement};`;
  if (!(await facts.line.ask(mayCreate))) {
    const grant = `GRANT CREATE ON DATABASE ${readableIdentifier(database)} TO ${readableIdentifier(user)};`;
    return failed(`${user} may create nothing in ${database}`, {
      expected: 'CREATE on the database',
      code: 'PG_PUBLICATION_NOT_PERMITTED',
      fix: { side: 'source', text: `Have its owner or a superuser run:\n${grant}\nOr: ${bySuperuser}` },
    });
  }
  if (tables === 'all') {
    const list =
      owned.length === 0
        ? `${user} owns none of the tables.`
        : `Choose the tables one by one: ${user} owns ${owned.length} of ${rights.length}${owned.length === rights.length ? '' : ` (not ${listed(notOwned(rights))})`}.`;
    return failed(`${user} is not a superuser, who alone may publish all tables`, {
      expected: 'a list of tables, or a superuser',
      code: 'PG_PUBLICATION_NOT_PERMITTED',
      fix: { side: 'source', text: `${list}\n${bySuperuser}` },
    });
  }
  return failed(`${user} does not own ${listed(notOwned(rights))}`, {
    expected: 'the owner of all chosen tables',
    code: 'PG_PUBLICATION_NOT_PERMITTED',
    fix: {
      side: 'source',
      text: `Leave these tables out, or make their owner's role one of ${user}'s.\n${bySuperuser}`,
    },
  });
}

function notOwned(rights: readonly (TableName & { readonly owns: boolean })[]): string[] {
  return rights.filter(({ owns }) => !owns).map(readableTable);
}

/** Whether this user can make the publication that is wished for, which is not there. */
async function mayPublish(facts: PostgresSourceFacts): Promise<boolean> {
  const server = await facts.server();
  if (server.superuser) return true;
  const { publication, tables = 'all' } = facts.wishes;
  if (!(await facts.line.ask(mayCreate))) return false;
  if (tables !== 'all') return (await facts.rights()).every(({ owns }) => owns);
  if (server.provider === null) return false;
  // Managed services have roles that may do this without being superusers.
  const statement = publicationStatement(publication?.name ?? CUSTOMARY_NAME, 'all');
  return await facts.line.ask((client) => mayRun(client, statement));
}

async function lookAtTables(facts: PostgresSourceFacts): Promise<Outcome> {
  const publication = await facts.publication();
  const published = await facts.published();
  const wanted = tableNames(facts.wishes.tables ?? 'all');
  if (publication === undefined && wanted !== 'all') {
    const missing = wanted.filter((table) => !published.some((each) => isSameTable(each.table, table)));
    if (missing.length > 0) {
      return failed(`not to be had: ${listed(missing.map(readableTable))}`, {
        expected: 'tables of this database, no views, no partitions, not unlogged',
        code: 'PG_TABLE_MISSING',
        fix: { side: 'source', text: 'Choose the tables again.' },
      });
    }
  }
  if (publication !== undefined) {
    const outcome = fromFinding(publishedFinding(publication, published));
    if (outcome.state === 'failed') return outcome;
  } else if (published.length === 0) {
    return failed('none in this database', {
      expected: 'tables',
      code: 'PG_PUBLICATION_EMPTY',
      fix: { side: 'source', text: 'Connect to the database that has the tables.' },
    });
  }
  const clash = fromFinding(nameClashFinding(published, publication));
  return clash.state === 'failed' ? clash : passed(counted(published.length, 'table'));
}

async function lookAtIdentity(facts: PostgresSourceFacts): Promise<Outcome> {
  const publication = await facts.publication();
  if (publication !== undefined && !needsIdentity(publication)) return passed('only new rows are published');
  const without = withoutIdentity(await facts.published());
  if (without.length === 0) return passed('all tables have one');
  const rights = await facts.rights();
  const owned = without.every((table) => rights.some((each) => each.owns && isSameTable(each, table)));
  const statements = without.map(replicaIdentityStatement);
  return failed(`none: ${listed(without.map(readableTable))}`, {
    expected: 'a primary key, or the whole old row',
    code: 'PG_REPLICA_IDENTITY',
    fix: {
      side: 'source',
      text: statements.map((statement) => `${statement};`).join('\n'),
      ...(owned && { statements }),
    },
  });
}
