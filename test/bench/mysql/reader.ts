import { parseMysqlConnectionString } from '../../../src/config/mysql-connection.ts';
import { connect } from '../../../src/sources/mysql/connection.ts';
import { BinlogDump } from '../../../src/sources/mysql/dump.ts';
import { parseMysqlPosition } from '../../../src/sources/mysql/positions.ts';

const GTID_EVENT = 33;
const XID_EVENT = 16;
/** Of a GTID event: where its number is, behind the header, the flags and the UUID. */
const GNO_OFFSET = 19 + 1 + 16;

/** How far it has come. */
interface Progress {
  /** Number of the transaction that is being received. */
  gno: bigint;
  /** Of the last one that was received whole. */
  committed: bigint;
  waiting: { readonly gno: bigint; resolve(): void } | undefined;
}

/** A reader that receives everything and applies nothing: no replicator behind the same server can be faster. */
export class MysqlReader {
  readonly #dump: BinlogDump;
  readonly #progress: Progress;

  private constructor(dump: BinlogDump, progress: Progress) {
    this.#dump = dump;
    this.#progress = progress;
  }

  /** @param executed the GTID set behind which it begins */
  static async start(sourceUrl: string, executed: string): Promise<MysqlReader> {
    const connection = await connect(parseMysqlConnectionString(sourceUrl, 'source', {}));
    const identity = {
      flavour: 'mysql',
      serverId: 4_000_000_001,
      uuid: 'b1e55ed0-0000-4000-8000-000000000001',
    } as const;
    const request = { flavour: 'mysql', executed: parseMysqlPosition(executed).encode() } as const;
    const progress: Progress = { gno: 0n, committed: 0n, waiting: undefined };
    const event = (buffer: Buffer, start: number): undefined => {
      const type = buffer[start + 4];
      if (type === GTID_EVENT) progress.gno = buffer.readBigInt64LE(start + GNO_OFFSET);
      if (type !== XID_EVENT) return;
      progress.committed = progress.gno;
      if (progress.waiting === undefined || progress.committed < progress.waiting.gno) return;
      progress.waiting.resolve();
      progress.waiting = undefined;
    };
    const dump = await BinlogDump.start(connection, identity, request, { event, heard: () => {} });
    return new MysqlReader(dump, progress);
  }

  /** Resolves once the end of the transaction `gno` was received. */
  async reach(gno: bigint): Promise<void> {
    if (this.#progress.committed >= gno) return;
    const reached = new Promise<void>((resolve) => {
      this.#progress.waiting = { gno, resolve };
    });
    await Promise.race([reached, this.#dump.ended]);
  }

  stop(): void {
    this.#dump.destroy();
  }
}
