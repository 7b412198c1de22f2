import type { Client } from 'pg';
import type { SourceTable } from '../changes/table.ts';
import type { ConnectionDescription } from '../config/connection.ts';
import { connect } from '../config/postgres-client.ts';
import { formatDuration } from '../config/duration.ts';
import { OperatorError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import { Lsn } from '../sources/postgres/lsn.ts';
import { PostgresSource } from '../sources/postgres/postgres-source.ts';
import { readSlot } from '../sources/postgres/slot.ts';
import { readIdentity } from '../staging/identity.ts';
import { leaseHolder, leaseName } from '../staging/lease.ts';
import { readMemo } from '../staging/memo.ts';
import type { StagingSchema } from '../staging/staging-schema.ts';
import { readCatalogue } from '../target/catalogue.ts';
import { describeServer } from '../target/dialect.ts';
import { checkTables } from '../target/drift.ts';
import { qualify, stagingSchemaName, targetSchemaName } from '../target/identifiers.ts';
import type { CheckResult, CheckSide } from './check.ts';

/** What a replication was told, and what was seen of it last. */
export interface ResumeFacts {
  readonly name: string;
  readonly slotName: string;
  readonly publicationName: string | undefined;
  readonly targetSchema: string;
  readonly stagingSchema: string;
  /** Tables that were published at the last start. */
  readonly tables: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly lastStart: number | undefined;
  /** ISO 8601, and in words. */
  readonly lastEnd: { readonly at: string; readonly why: string } | undefined;
  /** Bytes of source log applied per second when it last caught up. */
  readonly bytesPerSecond: number | undefined;
  readonly dataDir: string;
}

export interface ResumeConnections {
  readonly source: ConnectionDescription;
  readonly target: ConnectionDescription;
  readonly staging: ConnectionDescription | undefined;
}

/** A way to go on when resuming is not safe. */
export interface WayOut {
  readonly label: string;
  /** What it costs, and the commands or SQL. */
  readonly text: string;
}

/** Whether a replication can go on where it stopped, from what the servers say now. */
export interface Verdict {
  readonly safe: boolean;
  readonly lastRun: string;
  readonly behind: { readonly bytes?: number; readonly seconds?: number };
  /** Seconds to catch up, at the last known rate. */
  readonly catchUp?: number;
  readonly findings: readonly CheckResult[];
  /** The last run; then how far behind, how long it takes, and whether it is safe. */
  readonly lines: readonly [string, string];
  readonly waysOut: readonly WayOut[];
}

const SILENT: Logger = {
  enabled: () => false,
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  trace: () => {},
};

interface Found {
  readonly results: CheckResult[];
  behind: number | undefined;
  tables: readonly SourceTable[];
}

/**
 * Looks at source, target and staging as an engine would at its start, but changes nothing, and says whether the replication
 * can go on without losing or doubling anything. Never rejects for what it finds: everything that stands in the way is a finding.
 * `report` is told what is being looked at.
 */
export async function resumeVerdict(
  facts: ResumeFacts,
  connections: ResumeConnections,
  report: (line: string) => void = () => {},
): Promise<Verdict> {
  const found: Found = { results: [], behind: undefined, tables: [] };
  const source = new PostgresSource({
    connection: connections.source,
    slotName: facts.slotName,
    publicationName: facts.publicationName,
    standbyTimeout: 5000,
    truncate: 'apply',
    dataDir: facts.dataDir,
    log: SILENT,
  });
  try {
    report('asking the source: slot, publication, tables');
    const [published] = await Promise.all([
      look(found, SOURCE, async () => {
        found.tables = await source.connect();
        return `slot ${facts.slotName} is there, ${found.tables.length} tables are published`;
      }),
      look(found, SLOT, () => readLog(found, connections.source, facts.slotName)),
    ]);
    report('asking the target: checkpoint, lease, tables');
    await judgeTarget(found, facts, connections, published ? source : undefined);
    if (published && facts.tables !== undefined) compareTables(found.results, facts.tables, found.tables);
  } finally {
    await source.close();
  }
  return verdictOf(facts, found);
}

type Look = Pick<CheckResult, 'id' | 'title' | 'side' | 'why'>;

const SOURCE: Look = {
  id: 'resume.source',
  title: 'source, slot and publication',
  side: 'source',
  why: 'without them the changes made since the stop cannot be read',
};
const SLOT: Look = {
  id: 'resume.log',
  title: 'log kept by the source',
  side: 'source',
  why: 'the slot must still have everything since the checkpoint',
};
const TARGET: Look = {
  id: 'resume.target',
  title: 'target and staging schema',
  side: 'target',
  why: 'the checkpoint says where to go on, so that nothing is lost or doubled',
};
const CHECKPOINT: Look = {
  id: 'resume.checkpoint',
  title: 'checkpoint and source belong together',
  side: 'target',
  why: 'a position of one server or slot means nothing in another',
};
const LEASE: Look = {
  id: 'resume.lease',
  title: 'no other process replicates',
  side: 'target',
  why: 'two processes must never write to one target schema',
};
const TABLES: Look = {
  id: 'resume.tables',
  title: 'target tables fit',
  side: 'target',
  why: 'a table that changed on one side alone stops replication at its first change',
};

/** Does one look; what it throws becomes a finding. True when it passed. */
async function look(found: Found, what: Look, work: () => Promise<string>): Promise<boolean> {
  try {
    found.results.push({ ...what, severity: 'blocking', state: 'passed', found: await work() });
    return true;
  } catch (error) {
    found.results.push(failed(what, error));
    return false;
  }
}

function failed(what: Look, error: unknown): CheckResult {
  const { code, message, fix } =
    error instanceof OperatorError
      ? error
      : { code: undefined, message: error instanceof Error ? error.message : String(error), fix: undefined };
  const side: CheckSide = what.side;
  return {
    ...what,
    severity: 'blocking',
    state: 'failed',
    found: message,
    code,
    ...(fix !== undefined && { fix: { text: fix, side } }),
  };
}

async function readLog(found: Found, connection: ConnectionDescription, slotName: string): Promise<string> {
  return await asking(connection, 'source', async (client) => {
    const slot = await readSlot(client, slotName);
    if (slot?.confirmed === undefined) return 'the slot does not say';
    found.behind = Number(slot.current.value - slot.confirmed.value);
    if (slot.walStatus === 'unreserved') {
      found.results.push({
        ...SLOT,
        id: 'resume.unreserved',
        title: 'log about to be removed',
        severity: 'advisory',
        state: 'failed',
        found: 'wal_status is unreserved: the source may remove the log at its next checkpoint; resume now',
        expected: 'reserved or extended',
        fix: { text: 'ALTER SYSTEM SET max_slot_wal_keep_size = -1;\nSELECT pg_reload_conf();', side: 'source' },
      });
    }
    return `wal_status ${slot.walStatus ?? 'not told'}, confirmed up to ${slot.confirmed}`;
  });
}

async function judgeTarget(
  found: Found,
  facts: ResumeFacts,
  connections: ResumeConnections,
  source: PostgresSource | undefined,
): Promise<void> {
  let checkpoint: string | undefined;
  let identity: Readonly<Record<string, string>> | undefined;
  const reached = await look(found, TARGET, async () => {
    const kept = await asking(connections.staging ?? connections.target, 'target', async (client) => {
      const server = await describeServer(client);
      const staging = { name: stagingSchemaName(facts.stagingSchema, server), dialect: server.dialect };
      const target =
        connections.staging === undefined
          ? server
          : await asking(connections.target, 'target', (other) => describeServer(other));
      const schema = targetSchemaName(facts.targetSchema, target);
      const key = `pglogical-wal-offset-${schema.raw}`;
      if (!(await hasMemo(client, staging))) return '';
      await look(found, LEASE, async () => {
        const holder = await leaseHolder(client, staging, leaseName('pglogical', schema));
        if (holder === undefined) return 'the lease is free';
        throw new OperatorError('LEASE_HELD', `${holder} replicates into this target schema now`, {
          fix: 'stop that process',
        });
      });
      const stored = await readMemo(client, staging, key);
      identity = (await readIdentity(client, staging, 'pglogical', schema.raw))?.source;
      return stored;
    });
    checkpoint = kept;
    return kept === '' ? 'no checkpoint yet: it starts where the slot starts' : `checkpoint ${kept}`;
  });
  if (source === undefined || !reached) return;
  await look(found, CHECKPOINT, async () => {
    const position = checkpoint === undefined || checkpoint === '' ? undefined : Lsn.parse(checkpoint);
    await source.verifyCheckpoint(position, identity);
    return position === undefined ? 'nothing was replicated yet' : 'the slot delivers exactly what comes after it';
  });
  await look(found, TABLES, () =>
    asking(connections.target, 'target', async (client) => {
      const server = await describeServer(client);
      const schema = targetSchemaName(facts.targetSchema, server);
      const catalogue = await readCatalogue(client, server.dialect, schema);
      checkTables(found.tables, catalogue, schema, server.dialect);
      return `${found.tables.length} tables fit`;
    }),
  );
}

/** An engine that never came as far as its first start has left no staging schema. */
async function hasMemo(client: Client, { name }: StagingSchema): Promise<boolean> {
  const { rows } = await client.query<{ found: string }>('SELECT (to_regclass($1::TEXT) IS NOT NULL)::TEXT AS found', [
    qualify(name, 'memo'),
  ]);
  return rows[0].found === 'true';
}

async function asking<T>(
  connection: ConnectionDescription,
  side: CheckSide,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(connection, side, { query_timeout: 15_000 });
  try {
    return await work(client);
  } finally {
    void client.end().catch(() => {});
  }
}

/** Tables that came or went since the last start are told, not refused: only the operator knows what was meant. */
function compareTables(results: CheckResult[], before: readonly string[], now: readonly SourceTable[]): void {
  const names = now.map(({ schema, name }) => printed(schema, name));
  const gone = before.filter((name) => !names.includes(name));
  const added = names.filter((name) => !before.includes(name));
  if (gone.length + added.length === 0) return;
  const words = [
    ...(added.length > 0 ? [`published since then: ${added.join(', ')} (rows from before are not on the target)`] : []),
    ...(gone.length > 0 ? [`not published any more: ${gone.join(', ')} (changes are no longer replicated)`] : []),
  ];
  results.push({
    id: 'resume.published',
    title: 'published tables',
    side: 'source',
    severity: 'advisory',
    state: 'failed',
    why: 'changes are delivered for the tables that were published when they were made',
    found: words.join('; '),
    expected: 'the tables of the last start',
  });
}

function printed(schema: string, name: string): string {
  return [schema, name]
    .map((part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join('.');
}

function verdictOf(facts: ResumeFacts, found: Found): Verdict {
  const blocking = found.results.filter(({ severity, state }) => severity === 'blocking' && state === 'failed');
  const safe = blocking.length === 0;
  const bytes = found.behind;
  const seconds =
    facts.lastEnd === undefined ? undefined : Math.max(0, (Date.now() - Date.parse(facts.lastEnd.at)) / 1000);
  const rate = facts.bytesPerSecond;
  const catchUp = bytes === undefined || !rate ? undefined : bytes / rate;
  const lastRun = describeRun(facts);
  return {
    safe,
    lastRun,
    behind: { ...(bytes !== undefined && { bytes }), ...(seconds !== undefined && { seconds }) },
    ...(catchUp !== undefined && { catchUp }),
    findings: found.results,
    lines: [
      lastRun,
      safe ? safeLine(bytes, catchUp) : `not safe: ${blocking.map(({ found: text }) => text).join('; ')}`,
    ],
    waysOut: [...new Set(blocking.map(({ code }) => code))].flatMap((code) => waysOut(code, facts)),
  };
}

function describeRun({ lastStart, lastEnd }: ResumeFacts): string {
  if (lastStart === undefined) return 'It has never run.';
  const since = shortTime(lastStart);
  return lastEnd === undefined
    ? `Last run: from ${since}.`
    : `Last run: from ${since} to ${shortTime(Date.parse(lastEnd.at))}; ${lastEnd.why}.`;
}

function shortTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function safeLine(bytes: number | undefined, catchUp: number | undefined): string {
  const behind = bytes === undefined ? '' : `: ${megabytes(bytes)} of log behind`;
  const time =
    catchUp === undefined ? '' : `, about ${formatDuration(Math.max(1, Math.round(catchUp)) * 1000)} to catch up`;
  return `safe${behind}${time}`;
}

function megabytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1000)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** What can be done about a refusal, by its code. */
function waysOut(code: string | undefined, facts: ResumeFacts): WayOut[] {
  const { name, slotName, targetSchema, stagingSchema } = facts;
  const startOver: WayOut = {
    label: 'start over with a fresh copy',
    text: [
      'Changes between the checkpoint and now cannot be delivered any more: without a fresh copy of the rows they are lost.',
      '-- at the source',
      `SELECT pg_drop_replication_slot('${slotName}');`,
      `SELECT pg_create_logical_replication_slot('${slotName}', 'pgoutput');`,
      '-- copy the rows again, then at the target, so that it starts at the new slot',
      `DELETE FROM ${stagingSchema}.memo WHERE key IN ('pglogical-wal-offset-${targetSchema}', 'instar-identity-pglogical-${targetSchema}');`,
      `instar resume ${name}`,
    ].join('\n'),
  };
  switch (code) {
    case 'PG_SLOT_MISSING':
    case 'PG_SLOT_LOST':
    case 'PG_SLOT_AHEAD':
    case 'PG_SOURCE_BEHIND':
    case 'PG_FAILOVER_LOST_COMMITS':
      return [startOver];
    case 'PG_SOURCE_CHANGED':
    case 'PG_SLOT_DATABASE':
      return [{ label: 'connect to the former source', text: `instar   # then e on ${name}` }, startOver];
    case 'PG_SLOT_ACTIVE':
    case 'LEASE_HELD':
      return [{ label: 'stop the other process', text: `Nothing is lost. Stop it, then: instar resume ${name}` }];
    case 'PG_PUBLICATION_MISSING':
      return [
        {
          label: 'find out how long it was missing',
          text: 'Changes made while there was no publication cannot be delivered by this slot: they are lost unless the rows are copied again.',
        },
        startOver,
      ];
    default:
      return [{ label: 'mend it, then resume', text: `Nothing is lost meanwhile. Then: instar resume ${name}` }];
  }
}
