import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseOracleConnectionString } from '../../src/config/oracle-connection.ts';
import { OracleSource, type OracleSourceOptions } from '../../src/sources/oracle/oracle-source.ts';
import { asScnPosition } from '../../src/sources/oracle/position.ts';
import { CollectingSink } from '../harness/collecting-sink.ts';
import { RecordingLogger } from '../harness/recording-logger.ts';
import { OracleServer, type OracleServerOptions } from '../servers/oracle/oracle.ts';

const PROFILES: readonly OracleServerOptions[] = [
  { profile: '19c', multitenant: true },
  { profile: '23ai', multitenant: false },
];

/** A source that reads a server into a sink, until the test ends or it fails. */
class SourceRun {
  readonly sink = new CollectingSink();
  readonly log = new RecordingLogger();
  readonly source: OracleSource;
  readonly server: OracleServer;
  readonly #stop = new AbortController();
  outcome: Promise<unknown> = Promise.resolve();

  constructor(t: TestContext, server: OracleServer, options: Partial<OracleSourceOptions> = {}) {
    this.server = server;
    const dataDir = mkdtempSync(join(tmpdir(), 'instar-oracle-'));
    this.source = new OracleSource({
      connection: parseOracleConnectionString(server.rootUrl, '--sourceConn'),
      pdbConnection:
        server.pdbUrl === undefined ? undefined : parseOracleConnectionString(server.pdbUrl, '--sourcePDBConn'),
      sourceSchema: server.owner,
      scn: server.model.scn,
      backfillFrom: undefined,
      applicationUsers: [],
      windowLimit: undefined,
      truncate: 'apply',
      dataDir,
      memoryBudget: 32 * 2 ** 20,
      log: this.log,
      ...options,
    });
    t.after(async () => {
      await this.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
  }

  async start(): Promise<this> {
    await this.source.connect();
    const position = await this.source.initialPosition();
    await this.source.verifyCheckpoint(position, undefined);
    this.outcome = this.source.stream(position, this.sink, this.#stop.signal).then(
      () => undefined,
      (error: unknown) => error,
    );
    return this;
  }

  /** Resolves once everything that the server has committed by now was read. */
  async caughtUp(): Promise<void> {
    const { scn } = this.server.model;
    while (this.sink.position === undefined || asScnPosition(this.sink.position).applied < scn) {
      const ended = await Promise.race([
        this.outcome.then((error) => ({ error })),
        new Promise<undefined>((resolve) => {
          this.sink.onPosition = () => resolve(undefined);
        }),
      ]);
      if (ended !== undefined) throw ended.error ?? new Error('the stream ended');
    }
    await this.sink.read();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.outcome;
    await this.source.close();
  }
}

async function startServer(t: TestContext, options: OracleServerOptions): Promise<OracleServer> {
  const server = await OracleServer.start(options);
  t.after(async () => {
    await server.close();
    assert.deepEqual(server.double.refused, [], 'every statement was one that the double knows');
  });
  return server;
}

const COLUMNS = [
  { name: 'ID', type: 'NUMBER', length: 22, nullable: false },
  { name: 'NAME', type: 'VARCHAR2', length: 100, nullable: true },
];

for (const options of PROFILES) {
  test(`${options.profile}: insert, update, delete, a moved key, a savepoint`, async (t) => {
    const server = await startServer(t, options);
    const table = server.model.createTable(server.owner, 'PEOPLE', COLUMNS, ['ID']);
    const run = await new SourceRun(t, server).start();
    const first = server.model.begin();
    const row = first.insert(table, ['1', "O'Neil"]);
    first.commit();
    const second = server.model.begin();
    second.update(table, row, new Map([[1, null]]));
    const savepoint = second.savepoint();
    second.insert(table, ['2', 'gone']);
    second.rollbackTo(savepoint);
    second.update(table, row, new Map([[0, '.5']]));
    second.delete(table, row);
    second.commit();
    await run.caughtUp();
    assert.deepEqual(
      run.sink.transactions.map(({ changes }) => changes.map(({ kind, old, new: values }) => [kind, old, values])),
      [
        [['insert', undefined, ['1', "O'Neil"]]],
        [
          ['update', undefined, ['1', null]],
          ['update', ['1', null], ['0.5', undefined]],
          ['delete', ['0.5', null], undefined],
        ],
      ],
    );
  });
}
