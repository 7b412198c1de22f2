import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionError } from '../../../src/config/postgres-client.ts';
import { asPostgres, isOracle, type SourceConnection } from '../../../src/config/source-connection.ts';
import type { CheckResult, CheckSide } from '../../../src/preflight/check.ts';
import type { ConnectionFacts } from '../../../src/preflight/connection-test.ts';
import { SecretsFile } from '../../../src/sessions/secrets.ts';
import { ReplicationStore } from '../../../src/sessions/store.ts';
import type { PublicationSummary, SlotSummary, TableSummary } from '../../../src/sources/postgres/setup.ts';
import { Lsn } from '../../../src/sources/postgres/lsn.ts';
import type { Servers } from '../../../src/wizard/servers.ts';
import type { SetupSession } from '../../../src/wizard/setup-machine.ts';
import { openSetup } from '../../../src/wizard/setup-session.ts';

/** The part of a test's context that is needed here. */
interface Cleanup {
  after(done: () => void | Promise<void>): void;
}

/** Where replications and their secrets are saved, in a folder of the test's own. */
export function savedPlace(t: Cleanup) {
  const folder = mkdtempSync(join(tmpdir(), 'instar-setup-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const env: NodeJS.ProcessEnv = { HOME: folder, INSTAR_HOME: folder };
  return { folder, env, store: ReplicationStore.open(env), secrets: SecretsFile.open(env) };
}

/** A setup on servers that are made up. */
export async function setupOn(
  t: Cleanup,
  servers: Partial<Servers> = {},
  place = savedPlace(t),
  name?: string,
): Promise<SetupSession> {
  const session = await openSetup({ ...place, name, servers: { ...madeUpServers(), ...servers } });
  t.after(() => session.close());
  return session;
}

/** Where the binary log of a made-up MySQL source stands. */
export const NEWEST_SET = '77263736-7899-11f0-81a5-0242ac120002:1-38';

/** Facts of a connection that works. */
export const CONNECTED: ConnectionFacts = {
  product: 'postgresql',
  version: '18.1',
  database: 'shop',
  user: 'app',
  encrypted: true,
  latency: 2.1,
};

/** What node-postgres would throw, as the operator is told of it. */
export function refusedBy(description: SourceConnection, side: CheckSide, code: string, message: string) {
  return connectionError(Object.assign(new Error(message), { code }), asPostgres(description), side);
}

/** A password of a description, as it would be sent. */
export function passwordOf(connection: SourceConnection): string {
  if (isOracle(connection)) return connection.attributes.password ?? '';
  const { password } = connection.attempts[0];
  return typeof password === 'function' ? String(password()) : String(password);
}

export function table(name: string, more: Partial<TableSummary> = {}): TableSummary {
  return { name, rows: 12_345, bytes: 41_200_000, identity: 'key', ...more };
}

export const KEYLESS = table('public.audit', {
  rows: 9,
  bytes: 8192,
  identity: 'none',
  warning: 'no key: once published, the source refuses UPDATE and DELETE on it',
  fix: 'ALTER TABLE "public"."audit" REPLICA IDENTITY FULL;',
});

export function publication(name: string, more: Partial<PublicationSummary> = {}): PublicationSummary {
  return {
    name,
    allTables: false,
    publishes: { insert: true, update: true, delete: true, truncate: true },
    viaRoot: true,
    tables: ['public.orders'],
    ...more,
  };
}

export function slot(name: string, more: Partial<SlotSummary> = {}): SlotSummary {
  return {
    name,
    type: 'logical',
    plugin: 'pgoutput',
    database: 'shop',
    temporary: false,
    activePid: undefined,
    activeClient: undefined,
    restart: Lsn.parse('0/167A1E8'),
    confirmed: Lsn.parse('0/167A220'),
    walStatus: 'reserved',
    invalidation: undefined,
    current: Lsn.parse('0/167A300'),
    problem: undefined,
    retainedBytes: 3_100_000,
    ...more,
  };
}

export function result(id: string, more: Partial<CheckResult> = {}): CheckResult {
  const [side, title] = id.split('.') as [CheckSide, string];
  return { id, title, side, severity: 'blocking', why: 'It matters.', state: 'passed', found: 'fine', ...more };
}

/** Servers on which everything is as it has to be. */
export function madeUpServers(): Servers {
  const passing =
    (side: CheckSide): Servers['checkSource'] =>
    async (_description, _wishes, report = () => {}) => {
      const passed = result(`${side}.version`);
      report(passed);
      return [passed];
    };
  return {
    testConnection: async () => CONNECTED,
    plannedSourceChecks: () => [result('source.version')],
    checkSource: passing('source'),
    plannedTargetChecks: () => [result('target.version')],
    checkTarget: passing('target') as unknown as Servers['checkTarget'],
    checkScript: async () => ({ schemas: [], tables: [], errors: [] }),
    runFix: async () => {},
    readChoices: async () => ({
      tables: [table('public.customers'), table('public.orders', { rows: 1_200_000 })],
      publications: [],
      slots: [],
    }),
    readOwners: async () => [
      { name: 'APP', tables: 12 },
      { name: 'HR', tables: 1 },
    ],
    readScn: async () => ({
      scn: 26_685_786n,
      backfillFrom: 26_685_444n,
      oldest: { user: 'BATCH', scn: 26_685_444n, since: '11/23/26 02:00:00' },
      unknown: 0,
      others: 0,
    }),
    readStart: async () => ({
      position: {
        flavour: 'mysql',
        status: {
          statement: 'SHOW BINARY LOG STATUS',
          columns: [
            ['File', 'binlog.000003'],
            ['Position', '4711'],
            ['Binlog_Do_DB', ''],
            ['Executed_Gtid_Set', NEWEST_SET],
          ],
        },
        set: NEWEST_SET,
      },
      options: { replicationProcessID: '4242424' },
    }),
    checkStart: async (_source, set) => ({ state: 'good', set, warnings: [], pending: '' }),
    readSchemas: async () => [
      { name: 'public', tables: 12 },
      { name: 'sales', tables: 1 },
    ],
  };
}
