import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { OperatorError } from '../../src/errors.ts';
import type { Logger } from '../../src/log/logger.ts';
import { describeHolder } from '../../src/staging/holder.ts';
import { Lease, type LeaseOptions } from '../../src/staging/lease.ts';
import { openStagingSchema } from '../../src/staging/staging-schema.ts';
import { describeServer } from '../../src/target/dialect.ts';
import { stagingSchemaName } from '../../src/target/identifiers.ts';
import { sharedServer } from '../servers/postgres.ts';
import { connectText } from '../servers/text-client.ts';

const silent: Logger = {
  enabled: () => false,
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  trace: () => undefined,
};

describe('the lease', { concurrency: true }, () => {
  const shared = sharedServer();

  async function place(t: Parameters<typeof connectText>[0]) {
    const database = await shared.freshDatabase(t);
    const client = await connectText(t, database.url);
    const server = await describeServer(client);
    const staging = { name: stagingSchemaName('_replicator', server), dialect: server.dialect };
    await openStagingSchema(client, staging, { create: true });
    const clients: pg.Client[] = [];
    const options = (more: Partial<LeaseOptions> = {}): LeaseOptions => ({
      staging,
      name: 'instar.pglogical.shop.public',
      connect: async () => {
        const opened = await connectText(t, database.url);
        clients.push(opened);
        return opened;
      },
      standby: false,
      onLost: () => assert.fail('the lease was lost'),
      log: silent,
      ...more,
    });
    /** What a process that was killed leaves behind: a lease that nobody renews. */
    const leaveBehind = (holder: string, seconds = 5) =>
      database.query(
        `INSERT INTO _replicator.leases VALUES ('instar.pglogical.shop.public',
           (clock_timestamp() AT TIME ZONE 'UTC') + make_interval(secs => $1), gen_random_uuid(), $2)`,
        [seconds, holder],
      );
    const kill = () =>
      database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%leases%' AND pid <> pg_backend_pid()`,
      );
    return { database, options, leaveBehind, kill, clients };
  }

  test('a second process is told who holds it, within two seconds', async (t) => {
    const { options } = await place(t);
    const first = await Lease.acquire(options({ holder: 'alpha pid 1' }));
    const start = performance.now();
    await assert.rejects(Lease.acquire(options({ holder: 'beta pid 2' })), {
      code: 'LEASE_HELD',
      message: /alpha pid 1 holds the lease .* until 20\d\d-/,
      fix: /--standby/,
    });
    assert.ok(performance.now() - start < 2500);
    await first.release();
    await (await Lease.acquire(options())).release();
  });

  test('leases of other target schemas are independent', async (t) => {
    const { options } = await place(t);
    const one = await Lease.acquire(options());
    const two = await Lease.acquire(options({ name: 'instar.pglogical.other.public' }));
    await Promise.all([one.release(), two.release()]);
  });

  test('it is kept for longer than it lives, and given back at the end', async (t) => {
    const { database, options } = await place(t);
    const lease = await Lease.acquire(options({ holder: 'alpha pid 1' }));
    await sleep(6500);
    await assert.rejects(Lease.acquire(options()), { code: 'LEASE_HELD' });
    await lease.release();
    assert.deepEqual(await database.query('SELECT * FROM _replicator.leases'), []);
  });

  test('after a crash elsewhere the next process waits until the lease has run out', async (t) => {
    const { options, leaveBehind } = await place(t);
    await leaveBehind('elsewhere pid 77');
    const start = performance.now();
    const lease = await Lease.acquire(options());
    const waited = performance.now() - start;
    assert.ok(waited > 4000 && waited < 6500, `${waited} ms`);
    await lease.release();
  });

  test('after a crash on this machine it takes over at once', async (t) => {
    const { options, leaveBehind } = await place(t);
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    const mark = / on [0-9a-f]{12}$/.exec(describeHolder());
    if (mark === null) return t.skip('this system does not tell processes apart');
    await leaveBehind(`gone pid ${child.pid}${mark[0]}`, 60);
    const start = performance.now();
    const lease = await Lease.acquire(options());
    assert.ok(performance.now() - start < 1000);
    await lease.release();
  });

  test('standby takes over within 10 s of the holder’s death', async (t) => {
    const { options, leaveBehind } = await place(t);
    await leaveBehind('elsewhere pid 77');
    const start = performance.now();
    const lease = await Lease.acquire(options({ standby: true }));
    assert.ok(performance.now() - start < 10_000);
    await lease.release();
  });

  test('standby waits for a living holder, survives a lost connection, and takes over when it ends', async (t) => {
    const { options, kill } = await place(t);
    const first = await Lease.acquire(options());
    let second: Lease | undefined;
    const waiting = Lease.acquire(options({ standby: true })).then((lease) => {
      second = lease;
    });
    await sleep(1500);
    await kill();
    await sleep(1500);
    assert.equal(second, undefined);
    await first.release();
    await waiting;
    await (second as Lease | undefined)?.release();
  });

  test('waiting ends when it is aborted', async (t) => {
    const { options } = await place(t);
    const first = await Lease.acquire(options());
    const stop = AbortSignal.timeout(300);
    await assert.rejects(Lease.acquire(options({ standby: true, signal: stop })), { name: 'TimeoutError' });
    await first.release();
  });

  test('a holder survives lost connections', async (t) => {
    const { options, kill } = await place(t);
    const lease = await Lease.acquire(options());
    for (let i = 0; i < 3; i++) {
      await kill();
      await sleep(1700);
    }
    await assert.rejects(Lease.acquire(options()), { code: 'LEASE_HELD' });
    await lease.release();
  });

  test('a holder whose lease was taken is told who has it, once', async (t) => {
    const { database, options } = await place(t);
    const lost: OperatorError[] = [];
    const lease = await Lease.acquire(options({ onLost: (error) => lost.push(error) }));
    await database.query(`UPDATE _replicator.leases SET nonce = gen_random_uuid(), hostname = 'thief pid 6'`);
    await sleep(2500);
    assert.deepEqual(
      lost.map((error) => [error.code, error.transient, error.message.includes('thief pid 6')]),
      [['LEASE_TAKEN', false, true]],
    );
    await lease.release();
    assert.equal((await database.query('SELECT * FROM _replicator.leases')).length, 1);
  });

  test('a holder that cannot renew gives up before the server lets others in', async (t) => {
    const { database, options } = await place(t);
    let cut = false;
    const lost = Promise.withResolvers<OperatorError>();
    const { connect } = options();
    const lease = await Lease.acquire(
      options({
        connect: async () => (cut ? new Promise<never>(() => undefined) : connect()),
        onLost: lost.resolve,
      }),
    );
    await sleep(1200);
    cut = true;
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%leases%' AND datname = current_database() AND pid <> pg_backend_pid()`,
    );
    const error = await lost.promise;
    assert.equal(error.code, 'LEASE_EXPIRED');
    assert.equal(error.transient, true);
    const [row] = await database.query<{ left: string }>(
      `SELECT extract(epoch FROM expires - (clock_timestamp() AT TIME ZONE 'UTC'))::text AS left FROM _replicator.leases`,
    );
    assert.ok(Number(row.left) > 0, `${row.left} s left`);
    await lease.release();
  });
});
