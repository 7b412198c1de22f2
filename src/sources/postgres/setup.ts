import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { OperatorError } from '../../errors.ts';
import { describeTransaction, readOpenTransactions, readPreparedTransactions } from './open-transactions.ts';
import { dropPublicationStatement } from './publication.ts';
import { readServer } from './server-facts.ts';
import { freeSlotsFinding, replicationRightFinding, walLevelFinding } from './server-requirements.ts';
import { dropSlotStatement, slotStatement } from './slot.ts';
import { parseTableName, quotedTable } from '../table-name.ts';
import { replicaIdentityStatement as identityStatement } from './table-requirements.ts';

/*
 * What a setup makes at a PostgreSQL source, and removes again. The publication always comes before the slot: a slot cannot
 * deliver changes that were made while the publication was not there.
 */

export { listPublications, listSlots, type PublicationSummary, type SlotSummary } from './choices.ts';
export { slotStatement } from './slot.ts';
export { listTables, type TableSummary } from './tables-summary.ts';
export { undoStatements } from './undo.ts';

/** Milliseconds that a slot may take: the server waits for every transaction that is open and has changed something. */
const SLOT_PATIENCE = 60_000;

/** SQLSTATE of a statement that took too long. */
const CANCELLED = '57014';

/** The first version that can publish a partitioned table as one. */
const VIA_ROOT = 130000;

const AS_ONE_TABLE = ' WITH (publish_via_partition_root = true)';

/** Makes a publication, of partitioned tables as single tables. `tables` as PostgreSQL prints their names. */
export function publicationStatement(name: string, tables: 'all' | readonly string[]): string {
  return `${withoutOptions(name, tables)}${AS_ONE_TABLE}`;
}

/** Makes the source log whole old rows of a table, `schema.table`, so that they can be found on the target without a key. */
export function replicaIdentityStatement(table: string): string {
  return identityStatement(parseTableName(table));
}

/**
 * Makes a publication.
 * @throws OperatorError PG_PUBLICATION_EXISTS, PG_PUBLICATION_NOT_PERMITTED, PG_TABLE_MISSING, PG_SETUP
 */
export async function createPublication(
  client: Client,
  name: string,
  tables: 'all' | readonly string[],
): Promise<void> {
  const { rows } = await client.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`);
  const statement =
    Number(rows[0].version) >= VIA_ROOT ? publicationStatement(name, tables) : withoutOptions(name, tables);
  try {
    await client.query(statement);
  } catch (cause) {
    throw publicationRefused(cause, name, statement);
  }
}

/**
 * Makes a slot and tells where it begins: everything that is committed later will be delivered. `patience`: milliseconds
 * that it may take.
 * @throws OperatorError PG_SLOT_EXISTS, PG_NO_SLOTS, PG_WAL_LEVEL, PG_NO_REPLICATION_PRIVILEGE; PG_SLOT_WAITS when
 *   transactions that are open keep it from being made; PG_SETUP
 */
export async function createSlot(
  client: Client,
  name: string,
  { patience = SLOT_PATIENCE }: { readonly patience?: number } = {},
): Promise<{ lsn: string }> {
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL statement_timeout = ${patience}`);
    const { rows } = await client.query<{ slot: string }>(`${slotStatement(name)}::text AS slot`);
    await client.query('COMMIT');
    return { lsn: /,([0-9A-F]+\/[0-9A-F]+)\)$/.exec(rows[0].slot)![1] };
  } catch (cause) {
    await client.query('ROLLBACK').catch(() => {});
    throw stateOf(cause) === CANCELLED ? await slotWaits(client, cause, name) : await slotRefused(client, cause, name);
  }
}

/** Removes a publication; one that is gone already is as good. @throws OperatorError PG_PUBLICATION_NOT_PERMITTED, PG_SETUP */
export async function dropPublication(client: Client, name: string): Promise<void> {
  try {
    await client.query(dropPublicationStatement(name));
  } catch (cause) {
    if (stateOf(cause) === '42704') return;
    throw publicationRefused(cause, name, dropPublicationStatement(name));
  }
}

/**
 * Removes a slot, so that the source need not keep its log any longer; one that is gone already is as good.
 * @throws OperatorError PG_SLOT_ACTIVE when it is read from, PG_NO_REPLICATION_PRIVILEGE, PG_SETUP
 */
export async function dropSlot(client: Client, name: string): Promise<void> {
  try {
    await client.query(dropSlotStatement(name));
  } catch (cause) {
    if (stateOf(cause) === '42704') return;
    throw await slotRefused(client, cause, name);
  }
}

function withoutOptions(name: string, tables: 'all' | readonly string[]): string {
  const which =
    tables === 'all'
      ? 'FOR ALL TABLES'
      : `FOR TABLE ${tables.map((table) => quotedTable(parseTableName(table))).join(', ')}`;
  return `CREATE PUBLICATION ${escapeIdentifier(name)} ${which}`;
}

function publicationRefused(cause: unknown, name: string, statement: string): OperatorError {
  const reason = reasonOf(cause);
  switch (stateOf(cause)) {
    case '42710':
      return new OperatorError(
        'PG_PUBLICATION_EXISTS',
        `the source has a publication ${name} already; it was left as it is`,
        { fix: `Use the one that is there, or choose another name.`, cause },
      );
    case '42501':
      return new OperatorError(
        'PG_PUBLICATION_NOT_PERMITTED',
        `the source user may not do that with publication ${name}: ${reason}; nothing was changed`,
        {
          fix: `Choose tables that this user owns instead of all, or have a superuser run it and use the publication then:\n${statement};`,
          cause,
        },
      );
    case '42P01':
    case '3F000':
      return new OperatorError(
        'PG_TABLE_MISSING',
        `publication ${name} cannot be created: ${reason}; nothing was changed`,
        { fix: 'Choose the tables again.', cause },
      );
    default:
      return setupFailed(cause, `the source refused to change publication ${name}`);
  }
}

async function slotRefused(client: Client, cause: unknown, name: string): Promise<OperatorError> {
  switch (stateOf(cause)) {
    case '42710':
      return new OperatorError(
        'PG_SLOT_EXISTS',
        `the source has a replication slot ${name} already; it was left as it is`,
        { fix: `Use the one that is there, or choose another name.`, cause },
      );
    case '55006':
      return new OperatorError(
        'PG_SLOT_ACTIVE',
        `replication slot ${name} is in use by another connection: ${reasonOf(cause)}`,
        { fix: 'Stop its reader first.', transient: true, cause },
      );
    case '53400':
    case '55000':
    case '42501': {
      const server = await readServer(client).catch(() => undefined);
      if (server === undefined) break;
      for (const { refusal } of [walLevelFinding(server), replicationRightFinding(server), freeSlotsFinding(server)]) {
        if (refusal !== undefined) return refusal.error;
      }
    }
  }
  return setupFailed(cause, `the source refused to change replication slot ${name}`);
}

/** The slot was not ready in time: says for whom it waited. */
async function slotWaits(client: Client, cause: unknown, name: string): Promise<OperatorError> {
  const open = await readOpenTransactions(client).catch(() => []);
  const prepared = await readPreparedTransactions(client).catch(() => []);
  const blockers = [
    ...open.map(describeTransaction),
    ...prepared.map((transaction) => `prepared transaction ${transaction.name}`),
  ];
  return new OperatorError(
    'PG_SLOT_WAITS',
    `replication slot ${name} was not ready in time, because it has to wait for transactions that are open${
      blockers.length === 0 ? '' : `: ${blockers.join('; ')}`
    }; no slot was left behind`,
    {
      fix: [
        'Try again when they have ended, or end them:',
        ...open.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`),
        ...prepared.map((transaction) => `ROLLBACK PREPARED '${transaction.name.replaceAll("'", "''")}';`),
      ].join('\n'),
      transient: true,
      cause,
    },
  );
}

function setupFailed(cause: unknown, what: string): OperatorError {
  return new OperatorError('PG_SETUP', `${what}: ${reasonOf(cause)}`, {
    fix: cause instanceof DatabaseError ? cause.hint : undefined,
    cause,
  });
}

function stateOf(cause: unknown): string | undefined {
  return cause instanceof DatabaseError ? cause.code : undefined;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
