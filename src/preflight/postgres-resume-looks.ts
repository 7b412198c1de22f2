import { checkSlot } from '../sources/postgres/slot.ts';
import { readLeftOut } from '../sources/postgres/left-out.ts';
import { findPublication } from '../sources/postgres/publication.ts';
import { isSameTable, parseTableName, quotedTable, readableTable, type TableName } from '../sources/table-name.ts';
import { formatBytes } from '../terminal/format.ts';
import { counted, failed, listed, type Look, type Outcome, passed } from './look.ts';
import type { PostgresResume } from './postgres-resume.ts';
import { resumeCheck as check } from './resume-check.ts';
import { orRefused } from './target-look.ts';

/** What is looked at at a PostgreSQL source before a resume. */
export const POSTGRES_RESUME_LOOKS: readonly Look<PostgresResume>[] = [
  {
    check: check('source', 'blocking', 'source', 'source database', 'The changes since the stop are read from it.'),
    needs: [],
    look: ({ source }) =>
      orRefused('source', async () => {
        const { product, version } = await source.connection();
        return passed(`answers: ${product} ${version}`);
      }),
  },
  {
    check: check('source', 'blocking', 'slot', 'replication slot', 'It keeps what has changed since the stop.'),
    needs: ['resume.source'],
    look: (resume) => orRefused('source', () => lookAtSlot(resume)),
  },
  {
    check: check(
      'source',
      'advisory',
      'log',
      'log that is left to live',
      'Once it is removed, nothing can be resumed.',
    ),
    needs: ['resume.slot'],
    look: lookAtLog,
  },
  {
    check: check('source', 'blocking', 'publication', 'publication', 'It says which tables are delivered.'),
    needs: ['resume.source'],
    look: ({ source, facts }) =>
      orRefused('source', async () => {
        const wanted = facts.wishes.publication?.name;
        const { name } = await source.line.ask((client) => findPublication(client, wanted));
        return passed(`${name} is there`);
      }),
  },
  {
    check: check(
      'source',
      'blocking',
      'stream',
      'what the engine asks of a source',
      'It is what the start would refuse.',
    ),
    needs: ['resume.slot', 'resume.publication'],
    look: ({ tables }) =>
      orRefused('source', async () => passed(`${counted((await tables()).length, 'table')} published`)),
  },
  {
    check: check(
      'source',
      'blocking',
      'unpublished',
      'tables published before',
      'What is not published is not delivered.',
    ),
    needs: ['resume.stream'],
    look: lookForUnpublished,
  },
  {
    check: check(
      'source',
      'advisory',
      'added',
      'tables published since',
      'Replication alone copies no rows from before.',
    ),
    needs: ['resume.stream'],
    look: lookForAdded,
  },
  {
    check: check(
      'source',
      'advisory',
      'left_out',
      'what the publication leaves out',
      'What it leaves out never reaches the target, and nobody is told.',
    ),
    needs: ['resume.stream'],
    look: lookForLeftOut,
  },
];

async function lookAtSlot({ slotName, slot, source }: PostgresResume): Promise<Outcome> {
  const [found, { database }] = [await slot(), await source.server()];
  checkSlot(found, slotName, database);
  return passed(`${slotName}, confirmed up to ${found.confirmed}`);
}

async function lookAtLog({ slot }: PostgresResume): Promise<Outcome> {
  const { walStatus, safeBytes } = (await slot())!;
  if (walStatus === 'unreserved') {
    return failed('the source may remove it at any moment (wal_status unreserved): resume now', {
      expected: 'reserved or extended',
      fix: { side: 'source', text: 'ALTER SYSTEM SET max_slot_wal_keep_size = -1;\nSELECT pg_reload_conf();' },
    });
  }
  return passed(safeBytes === undefined ? 'the source sets no limit' : `${formatBytes(safeBytes)} more will be kept`);
}

/** Tables of the last start that are there and are published no more. One that was dropped has no changes to lose. */
async function lookForUnpublished({ facts, tables, source }: PostgresResume): Promise<Outcome> {
  const now = await tables();
  const gone = (facts.tables ?? [])
    .map(parseTableName)
    .filter((table) => !now.some((each) => isSameTable(each, table)));
  if (gone.length === 0) return passed('all are still published');
  const { rows } = await source.line.ask((client) =>
    client.query<{ there: string }>(
      'SELECT (to_regclass(name) IS NOT NULL)::text AS there FROM unnest($1::text[]) WITH ORDINALITY AS gone (name, at) ORDER BY at',
      [gone.map(quotedTable)],
    ),
  );
  const there = gone.filter((_, index) => rows[index].there === 'true');
  if (there.length === 0) return passed(`dropped at the source since then: ${names(gone)}`);
  if (facts.acceptTables) return passed(`goes on without ${names(there)}, as asked`);
  return failed(`published no more: ${names(there)}`, {
    expected: 'the tables of the last start',
    code: 'TABLES_UNPUBLISHED',
  });
}

async function lookForAdded({ facts, tables }: PostgresResume): Promise<Outcome> {
  const before = facts.tables?.map(parseTableName);
  const added = (await tables()).filter((table) => before?.some((each) => isSameTable(each, table)) === false);
  if (added.length === 0) return passed('none');
  return failed(`published since then: ${names(added)}; their rows from before are not on the target`, {
    expected: 'the tables of the last start',
  });
}

/** Kinds of changes, rows or columns that were sent at the last start and are not now, or the other way round. */
async function lookForLeftOut({ facts, source }: PostgresResume): Promise<Outcome> {
  const before = facts.leftOut;
  const now = await source.line.ask((client) => readLeftOut(client, facts.wishes.publication?.name));
  const since = now.filter((line) => before?.includes(line) === false);
  const ended = before?.filter((line) => !now.includes(line)) ?? [];
  if (since.length + ended.length === 0) return passed(now.length === 0 ? 'nothing' : listed(now, 10));
  const parts = [
    ...(since.length > 0 ? [`left out since the last start: ${listed(since, 10)}`] : []),
    ...(ended.length > 0 ? [`sent again, without what was left out until now: ${listed(ended, 10)}`] : []),
  ];
  return failed(parts.join('; '), { expected: 'what was sent at the last start' });
}

function names(tables: readonly TableName[]): string {
  return listed(tables.map(readableTable), 10);
}
