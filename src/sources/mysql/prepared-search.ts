import { ChangeLog } from '../../changes/change-log.ts';
import { SpilledTransaction } from '../../changes/spill.ts';
import type { ChangeSink, Position } from '../source.ts';
import { BinlogReader, type BinlogReaderParts } from './binlog/binlog-reader.ts';
import type { Connection } from './connection.ts';
import { BinlogDump } from './dump.ts';
import { type Gtid, gtidText, PositionTracker } from './positions.ts';

let filesMade = 0;

/** Takes what XA COMMITs deliver until the wanted one has come; nothing else is of interest. */
class CommitSink implements ChangeSink {
  readonly changes = new ChangeLog();
  readonly full = false;
  readonly targetColumns: ChangeSink['targetColumns'];
  /** What was prepared for the wanted commit; null when that had no changes. Undefined until it has come. */
  found: SpilledTransaction | null | undefined;
  readonly #commit: string;

  constructor(commit: Gtid, targetColumns: ChangeSink['targetColumns']) {
    this.#commit = gtidText(commit);
    this.targetColumns = targetColumns;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  begin(): void {}
  entryAppended(): void {}
  commit(): void {
    this.changes.clear();
  }
  spillStarted(): void {}

  commitSpilled(transaction: SpilledTransaction, _commitTime: number, position: Position): void {
    if (this.found === undefined && this.#isWanted(position)) this.found = transaction;
    else transaction.discard();
  }

  progress(position: Position): void {
    if (this.found === undefined && this.#isWanted(position)) this.found = null;
  }

  /** A position of MariaDB ends, in the domain of the last transaction, with that one. */
  #isWanted(position: Position): boolean {
    return position.toString().split(',').includes(this.#commit);
  }
}

/** Of the reader of the stream, what the search takes over. */
export type SearchParts = Pick<
  BinlogReaderParts,
  'database' | 'sink' | 'definitions' | 'fetchMetadata' | 'values' | 'spillDirectory' | 'tables' | 'charsets' | 'log'
>;

/**
 * Finds what an XA PREPARE has left in the log of a MariaDB server, by reading all of the log once more on a connection of its own:
 * MariaDB's positions have no gaps, so that after a restart of this program a stream begins behind transactions that are still to be
 * decided. `commit` is the GTID of the XA COMMIT. Undefined when the log does not have its beginning any more.
 * @throws OperatorError of the log, whatever the server answers, and the reason of `stop` when it aborts
 */
export async function searchPrepared(
  connection: Connection,
  parts: SearchParts,
  commit: Gtid,
  stop: AbortSignal,
): Promise<SpilledTransaction | undefined> {
  const { log, spillDirectory } = parts;
  const wanted = gtidText(commit);
  const sink = new CommitSink(commit, (table) => parts.sink.targetColumns(table));
  const nothing = () => new SpilledTransaction(spillDirectory, `mysql-search-${process.pid}-${++filesMade}`);
  let unknown = false;
  const reader = new BinlogReader({
    ...parts,
    flavour: 'mariadb',
    sink,
    positions: new PositionTracker('mariadb', undefined),
    truncate: 'ignore',
    metrics: undefined,
    gather: new Set(),
    preparedOnly: true,
    // Of others that were prepared before the log begins nothing is wanted.
    searchPrepared: async (_xid, decided) => {
      unknown ||= gtidText(decided) === wanted;
      return nothing();
    },
  });
  log.info('the log is searched for changes that were prepared before the stream began', { committed: wanted });
  const end = Promise.withResolvers<void>();
  const look = (): undefined => {
    if (sink.found !== undefined) end.resolve();
  };
  const dump = await BinlogDump.start(
    connection,
    { flavour: 'mariadb', serverId: 0, uuid: '' },
    { flavour: 'mariadb', everything: true },
    {
      event: (buffer, from, to) => {
        const wait = reader.feed(buffer, from, to);
        if (wait === undefined) return look();
        return wait.then(look);
      },
      heard: () => {},
    },
  );
  const cut = () => end.reject(stop.reason);
  stop.addEventListener('abort', cut, { once: true });
  if (stop.aborted) cut();
  try {
    await Promise.race([end.promise, dump.ended]);
  } finally {
    stop.removeEventListener('abort', cut);
    dump.destroy();
    reader.discard();
  }
  if (sink.found === undefined || unknown) {
    sink.found?.discard();
    return undefined;
  }
  return sink.found ?? nothing();
}
