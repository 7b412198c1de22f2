import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { savedConnection } from '../../src/sessions/connections.ts';
import type { Saved } from '../../src/sessions/engine-child.ts';
import type { Answers, Replication } from '../../src/sessions/replication.ts';
import { SecretsFile } from '../../src/sessions/secrets.ts';
import { stateOf } from '../../src/sessions/state.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import type { SharedServer, TestDatabase } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';
import { assertEqualDatabases } from './compare.ts';
import { eventually } from './engine.ts';
import { connect } from './replica.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
export const PASSWORD = 'pa55-Marker/word';

export interface Session extends Saved {
  readonly from: TestDatabase;
  readonly to: TestDatabase;
  readonly replication: () => Replication;
}

/** Two databases with a table, and a replication between them that is set up and not yet launched. */
export async function prepared(
  t: TestContext,
  source: SharedServer,
  target: SharedServer,
  answers: Partial<Answers> = {},
): Promise<Session> {
  const env = { ...process.env, INSTAR_HOME: join(scratchDirectory('sessions'), 'state') };
  const store = ReplicationStore.open(env);
  // Before the databases are dropped, which have slots that it reads.
  t.after(() => endEngines(store));
  const [from, to] = await Promise.all([source.freshDatabase(t), target.freshDatabase(t)]);
  for (const database of [from, to]) await database.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  const secrets = SecretsFile.open(env);
  const saved = { store, secrets, env };
  const connections = { source: withPassword(from.url), target: withPassword(to.url) };
  const name = from.url.split('/').at(-1)!;
  store.save({
    name: 'shop',
    created: new Date().toISOString(),
    step: 'launch',
    made: [],
    answers: {
      kind: 'pglogical',
      source: savedConnection(connections.source, 'source', env),
      target: savedConnection(connections.target, 'target', env),
      tables: 'all',
      publication: { name: 'molt_fetch', create: true },
      slot: { name: `${name}_slot`, create: true },
      targetSchema: 'public',
      options: { stagingSchema: '_replicator' },
      ...answers,
    },
  });
  secrets.set('shop', 'source', connections.source);
  secrets.set('shop', 'target', connections.target);
  return { ...saved, from, to, replication: () => store.get('shop')! };
}

async function endEngines(store: ReplicationStore): Promise<void> {
  for (const each of store.list()) {
    if (stateOf(each) !== 'running' || each.run === undefined) continue;
    process.kill(each.run.pid, 'SIGKILL');
    await eventually(
      async () => stateOf(each) !== 'running',
      () => 'it still runs',
    );
  }
}

/** Servers of the tests trust everybody, so any password will do. */
export function withPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = encodeURIComponent(PASSWORD);
  return parsed.href;
}

export async function assertEqual({ from, to }: Session): Promise<void> {
  const [left, right] = await Promise.all([connect(from.url), connect(to.url)]);
  try {
    await assertEqualDatabases(left, right);
  } finally {
    await Promise.all([left.end(), right.end()]);
  }
}

export async function settled({ from, to }: Session): Promise<void> {
  const count = async (database: TestDatabase) =>
    (await database.query<{ n: string }>('SELECT count(*) || $$/$$ || coalesce(max(id), 0) AS n FROM item'))[0].n;
  const goal = await count(from);
  await eventually(
    async () => (await count(to)) === goal,
    () => 'the target does not follow',
  );
}

export function instar(session: Session, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { env: session.env, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}

export async function kill(session: Session): Promise<void> {
  const { run } = session.replication();
  process.kill(run!.pid, 'SIGKILL');
  await eventually(
    async () => stateOf(session.replication()) !== 'running',
    () => 'it still runs',
  );
}

export function slotOf(session: Session): string {
  return session.replication().answers.slot!.name;
}

export function dropSlot(session: Session): Promise<unknown> {
  return session.from.query(`SELECT pg_drop_replication_slot('${slotOf(session)}')`);
}

export async function createSlot(session: Session): Promise<void> {
  await session.from.query(`SELECT pg_create_logical_replication_slot('${slotOf(session)}', 'pgoutput')`);
}

/** Publications and slots of the source database, by name. */
export async function madeAtSource({ from }: Session): Promise<{ publications: string[]; slots: string[] }> {
  const publications = await from.query<{ name: string }>('SELECT pubname AS name FROM pg_publication ORDER BY 1');
  const slots = await from.query<{ name: string }>(
    'SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1',
  );
  return { publications: publications.map(({ name }) => name), slots: slots.map(({ name }) => name) };
}
