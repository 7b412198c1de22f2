import { connect } from '../config/postgres-client.ts';
import { OperatorError } from '../errors.ts';
import { checkpointKey, KIND } from '../sources/postgres/checkpoint-key.ts';
import { checkResumable } from '../sources/postgres/identity.ts';
import { Lsn } from '../sources/postgres/lsn.ts';
import { ReplicationConnection } from '../sources/postgres/replication-connection.ts';
import { checkSlot } from '../sources/postgres/slot.ts';
import { isSameTable, quotedTable } from '../sources/table-name.ts';
import { readSizes } from '../sources/postgres/tables-summary.ts';
import { readNotEmpty } from '../target/rights.ts';
import { readOffset } from './clock-offset.ts';
import { failed, failedBy, once, type Outcome, passed } from './look.ts';
import type { PostgresSourceFacts } from './postgres-source-facts.ts';
import type { EarlierProgress, FilledTable, SourceInquiry } from './source-inquiry.ts';

/** What the checks of a target ask of a PostgreSQL source. */
export function postgresInquiry(facts: PostgresSourceFacts): SourceInquiry {
  return {
    kind: KIND,
    checkpointKey,
    connection: facts.connection,
    tables: once(async () => (await facts.published()).map(({ table }) => table)),
    filled: once(() => readFilled(facts)),
    clockOffset: once(() => readOffset(facts.line)),
    begins: 'where the slot does',
    loading: {
      expected: 'the same rows on both sides as of the slot',
      text: 'Create publication and slot first, then copy the rows (MOLT Fetch, or pg_dump --data-only), then start: what changes meanwhile is applied on top.',
    },
    lookAtProgress: (progress) => lookAtProgress(facts, progress),
    close: () => facts.close(),
  };
}

async function readFilled(facts: PostgresSourceFacts): Promise<FilledTable[]> {
  const tables = (await facts.published()).map(({ table }) => table);
  const sizes = await facts.line.ask((client) => readSizes(client, tables));
  const readable = (await facts.rights()).filter(({ mayRead }) => mayRead);
  const uncounted = sizes
    .filter(({ rows }) => rows === 0)
    .map(({ schema, table }) => ({ schema, name: table }))
    .filter((table) => readable.some((each) => isSameTable(each, table)));
  const filled = await facts.line.ask((client) => readNotEmpty(client, uncounted.map(quotedTable)));
  return sizes.flatMap(({ schema, table: name, rows }) => {
    const table = { schema, name };
    return rows > 0 || filled.has(quotedTable(table)) ? [{ table, rows }] : [];
  });
}

async function lookAtProgress(facts: PostgresSourceFacts, progress: EarlierProgress): Promise<Outcome> {
  const { checkpoint, identity, forget } = progress;
  const wish = facts.wishes.slot;
  if (wish === undefined) return passed(`${checkpoint}: a start would resume from there`);
  const former = identity?.slot === undefined ? 'its own slot' : `its own slot, ${identity.slot}`;
  const waysOut = `Resume the earlier replication with ${former}.\nOr copy the data again, and forget the progress:\n${forget}`;
  if (wish.create && (await facts.slot()) === undefined) {
    return failed(`${checkpoint}, of an earlier replication into this schema`, {
      expected: 'none, as a new slot begins later and cannot deliver what lies between',
      code: 'PG_SLOT_AHEAD',
      fix: { side: 'target', text: waysOut },
    });
  }
  const refusal = await askSource(facts, wish.name, progress);
  if (refusal === undefined) return passed(`${checkpoint}: the start will be a resume from there`);
  const outcome = failedBy(refusal, `${checkpoint}: ${refusal.message}`, 'source');
  return LOST.has(refusal.code) ? { ...outcome, fix: { side: 'target', text: waysOut } } : outcome;
}

/** What cannot be mended: the changes after the checkpoint are not to be had any more. */
const LOST = new Set([
  'PG_FAILOVER_LOST_COMMITS',
  'PG_SLOT_AHEAD',
  'PG_SLOT_LOST',
  'PG_SOURCE_BEHIND',
  'PG_SOURCE_CHANGED',
]);

/** Asks the source whether it can deliver everything after the checkpoint, as the engine will; why not, if not. */
async function askSource(
  { description }: PostgresSourceFacts,
  slotName: string,
  { checkpoint, identity }: EarlierProgress,
): Promise<OperatorError | undefined> {
  const connection = new ReplicationConnection(await connect(description, 'source', { replication: 'database' }));
  try {
    const system = await connection.identify();
    const slot = await connection.slot(slotName);
    checkSlot(slot, slotName, system.database);
    await checkResumable(system, slot, Lsn.parse(checkpoint), identity, () =>
      connection.timelineHistory(system.timeline),
    );
    return undefined;
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  } finally {
    await connection.close();
  }
}
