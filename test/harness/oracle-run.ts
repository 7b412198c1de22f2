import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseOracleConnectionString } from '../../src/config/oracle-connection.ts';
import { OracleSource, type OracleSourceOptions } from '../../src/sources/oracle/oracle-source.ts';
import { asScnPosition } from '../../src/sources/oracle/position.ts';
import { OracleServer, type OracleServerOptions } from '../servers/oracle/oracle.ts';
import { CollectingSink } from './collecting-sink.ts';
import { RecordingLogger } from './recording-logger.ts';

/** Milliseconds within which something has to come. */
const CATCH_UP = 30_000;

/** A source that reads a server into a sink, until the test ends or it fails. */
export class OracleRun {
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

  /** @param from where another run has stopped; undefined: a first start */
  async start(from?: string): Promise<this> {
    await this.source.connect();
    const position = from === undefined ? await this.source.initialPosition() : this.source.parsePosition(from);
    if (from === undefined) await this.source.verifyCheckpoint(position, undefined);
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
        sleep(
          CATCH_UP,
          { error: new Error(`nothing came for ${CATCH_UP} ms; at ${this.sink.position}, ${scn} wanted`) },
          { ref: false },
        ),
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

/** A server that ends with the test, and has to have known every statement. */
export async function startOracle(t: TestContext, options: OracleServerOptions): Promise<OracleServer> {
  const server = await OracleServer.start(options);
  t.after(async () => {
    await server.close();
    assert.deepEqual(server.double.refused, [], 'every statement was one that the double knows');
  });
  return server;
}
