import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { savedConnection } from '../../src/sessions/connections.ts';
import type { Saved } from '../../src/sessions/engine-child.ts';
import type { Answers, Replication } from '../../src/sessions/replication.ts';
import { SecretsFile } from '../../src/sessions/secrets.ts';
import { stateOf } from '../../src/sessions/state.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { SERVERS } from '../../src/wizard/servers.ts';
import { kitOf } from '../../src/sessions/source-kits.ts';
import type { sharedMysql } from '../servers/mysql.ts';
import type { SharedServer, TestDatabase } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';
import { eventually } from './engine.ts';

export type SharedMysql = Pick<ReturnType<typeof sharedMysql>, 'freshDatabase'>;
export type MysqlDatabase = Awaited<ReturnType<SharedMysql['freshDatabase']>>;

export interface MysqlSession extends Saved {
  readonly from: MysqlDatabase;
  readonly to: TestDatabase;
  readonly replication: () => Replication;
}

/** Two databases with a table, and a replication from MySQL between them that is set up and not yet launched. */
export async function preparedMysql(
  t: TestContext,
  source: SharedMysql,
  target: SharedServer,
  answers: Partial<Answers> = {},
): Promise<MysqlSession> {
  const env = { ...process.env, INSTAR_HOME: join(scratchDirectory('mysql-sessions'), 'state') };
  const store = ReplicationStore.open(env);
  t.after(() => endEngines(store));
  const [from, to] = await Promise.all([source.freshDatabase(t), target.freshDatabase(t)]);
  for (const database of [from, to]) await database.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  const secrets = SecretsFile.open(env);
  const startSet = (await SERVERS.readStart(kitOf('mylogical').parse(from.url, 'source', env))).position.set;
  store.save({
    name: 'shop',
    created: new Date().toISOString(),
    step: 'launch',
    made: [],
    answers: {
      kind: 'mylogical',
      source: savedConnection(from.url, 'source', env, 'mylogical'),
      target: savedConnection(to.url, 'target', env),
      tables: 'all',
      startSet,
      targetSchema: 'public',
      options: { stagingSchema: '_replicator', replicationProcessID: '712345' },
      ...answers,
    },
  });
  secrets.set('shop', 'source', from.url);
  secrets.set('shop', 'target', to.url);
  return { store, secrets, env, from, to, replication: () => store.get('shop')! };
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

/** Kills the engine with -9. */
export async function killEngine({ replication }: MysqlSession): Promise<void> {
  process.kill(replication().run!.pid, 'SIGKILL');
  await eventually(
    async () => stateOf(replication()) !== 'running',
    () => 'it still runs',
  );
}

/** Waits until the rows of both sides are the same. */
export async function settledRows({ from, to }: MysqlSession, table = 'item'): Promise<void> {
  const rows = async (database: MysqlDatabase | TestDatabase) =>
    (await database.query<{ id: number; v: string }>(`SELECT id, v FROM ${table} ORDER BY id`))
      .map(({ id, v }) => `${id} ${v}`)
      .join('\n');
  await eventually(
    async () => (await rows(from)) === (await rows(to)),
    () => 'the target does not follow',
  );
}
