import { OperatorError } from '../errors.ts';
import { KIND } from '../sources/postgres/checkpoint-key.ts';
import { Lsn } from '../sources/postgres/lsn.ts';
import { findPublication } from '../sources/postgres/publication.ts';
import { checkSlot } from '../sources/postgres/slot.ts';
import {
  isSameTable,
  parseTableName,
  quotedTable,
  readableTable,
  type TableName,
} from '../sources/postgres/table-name.ts';
import { leaseHolder, leaseName } from '../staging/lease.ts';
import { checkTables } from '../target/drift.ts';
import { formatBytes } from '../terminal/format.ts';
import type { Check } from './check.ts';
import { counted, failed, listed, type Look, type Outcome, passed } from './look.ts';
import type { ResumeInquiry } from './resume-facts.ts';
import { orRefused } from './target-look.ts';

/** A look at what has to hold before a resume. */
type ResumeLook = Look<ResumeInquiry>;

function check(side: Check['side'], severity: Check['severity'], id: string, title: string, why: string): Check {
  return { id: `resume.${id}`, title, side, severity, why };
}

/** Everything that is looked at before a resume. */
export const RESUME_LOOKS: readonly ResumeLook[] = [
  {
    check: check('source', 'blocking', 'source', 'source database', 'The changes since the stop are read from it.'),
    needs: [],
    look: ({ target }) =>
      orRefused('source', async () => {
        const { product, version } = await target.source.connection();
        return passed(`answers: ${product} ${version}`);
      }),
  },
  {
    check: check('source', 'blocking', 'slot', 'replication slot', 'It keeps what has changed since the stop.'),
    needs: ['resume.source'],
    look: (inquiry) => orRefused('source', () => lookAtSlot(inquiry)),
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
    look: ({ target, facts }) =>
      orRefused('source', async () => {
        const { name } = await target.source.line.ask((client) => findPublication(client, facts.publicationName));
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
    look: (inquiry) =>
      orRefused('source', async () => passed(`${counted((await inquiry.published()).length, 'table')} published`)),
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
    check: check('target', 'blocking', 'progress', 'checkpoint', 'It says where to go on.'),
    needs: [],
    look: (inquiry) => orRefused('target', () => lookAtProgress(inquiry)),
  },
  {
    check: check('target', 'blocking', 'lease', 'nobody else replicates', 'Two must never write to one target schema.'),
    needs: ['resume.progress'],
    look: ({ target }) =>
      orRefused('target', async () => {
        if (!(await target.stagingState()).complete) return passed('nobody');
        const [staging, name] = [await target.staging(), leaseName(KIND, await target.schema())];
        const holder = await target.stagingLine.ask((client) => leaseHolder(client, staging, name));
        if (holder === undefined) return passed('nobody');
        return failed(`${holder} replicates into this target schema now`, {
          expected: 'nobody',
          code: 'LEASE_HELD',
          fix: { side: 'target', text: 'Stop that process.' },
        });
      }),
  },
  {
    check: check('source', 'blocking', 'checkpoint', 'checkpoint and slot', 'Nothing may lie between them.'),
    needs: ['resume.stream', 'resume.progress'],
    look: (inquiry) =>
      orRefused('source', async () => {
        const { checkpoint, identity } = await inquiry.target.progress();
        await inquiry.verify(checkpoint === undefined ? undefined : Lsn.parse(checkpoint), identity);
        return passed(checkpoint === undefined ? 'it begins where the slot does' : 'the slot delivers what comes next');
      }),
  },
  {
    check: check('target', 'blocking', 'tables', 'target tables', 'A table that does not fit stops the replication.'),
    needs: ['resume.stream', 'resume.progress'],
    look: (inquiry) =>
      orRefused('target', async () => {
        const { target } = inquiry;
        const tables = await inquiry.published();
        checkTables(tables, await target.catalogue(), await target.schema(), (await target.server()).dialect);
        return passed(`${counted(tables.length, 'table')} as needed`);
      }),
  },
];

async function lookAtSlot({ facts, slot, target }: ResumeInquiry): Promise<Outcome> {
  const [found, { database }] = [await slot(), await target.source.server()];
  checkSlot(found, facts.slotName, database);
  return passed(`${facts.slotName}, confirmed up to ${found.confirmed}`);
}

async function lookAtLog({ slot }: ResumeInquiry): Promise<Outcome> {
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
async function lookForUnpublished({ facts, published, target }: ResumeInquiry): Promise<Outcome> {
  const now = await published();
  const gone = (facts.tables ?? [])
    .map(parseTableName)
    .filter((table) => !now.some((each) => isSameTable(each, table)));
  if (gone.length === 0) return passed('all are still published');
  const { rows } = await target.source.line.ask((client) =>
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

async function lookForAdded({ facts, published }: ResumeInquiry): Promise<Outcome> {
  const before = facts.tables?.map(parseTableName);
  const added = (await published()).filter((table) => before?.some((each) => isSameTable(each, table)) === false);
  if (added.length === 0) return passed('none');
  return failed(`published since then: ${names(added)}; their rows from before are not on the target`, {
    expected: 'the tables of the last start',
  });
}

function names(tables: readonly TableName[]): string {
  return listed(tables.map(readableTable), 10);
}

/** Progress that somebody has deleted from tables that are there was deleted on purpose. */
async function lookAtProgress({ facts, target }: ResumeInquiry): Promise<Outcome> {
  const { name } = await target.staging();
  if (facts.replicated && !(await target.stagingState()).complete) {
    throw new OperatorError(
      'CHECKPOINT_MISSING',
      `the staging schema ${name.sql} is gone from the target, and with it the checkpoint of ${facts.name}`,
    );
  }
  const { checkpoint } = await target.progress();
  return passed(checkpoint === undefined ? 'none yet: it begins where the slot does' : `checkpoint ${checkpoint}`);
}
