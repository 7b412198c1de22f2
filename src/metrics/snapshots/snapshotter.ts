import { join } from 'node:path';
import { formatDuration } from '../../config/duration.ts';
import { formatSize } from '../../config/size.ts';
import type { ErrorCode } from '../../explanations/table.ts';
import type { Logger } from '../../log/logger.ts';
import type { Diagnostics } from '../diagnostics.ts';
import type { Metrics } from '../registry.ts';
import { type Compression, encodeSnapshot, SNAPSHOT_FOLDER } from './snapshot-file.ts';
import { type Retention, SnapshotStore } from './snapshot-store.ts';

export interface SnapshotterOptions {
  readonly dataDir: string;
  /** Milliseconds between two snapshots. */
  readonly period: number;
  readonly compression: Compression;
  readonly retention: Retention;
  readonly metrics: Pick<Metrics, 'text'>;
  readonly diagnostics: Pick<Diagnostics, 'document'>;
  readonly logger: Logger;
  /** Milliseconds since the epoch; stands in for the clock in tests. */
  readonly now?: () => number;
}

/**
 * Writes what the endpoints tell into files, once in a period: the history for those who have no Prometheus, and for support.
 * It never stands in the way of replication: one snapshot is under way at a time, and a disk that is full costs a warning.
 */
export class Snapshotter {
  readonly #options: SnapshotterOptions;
  readonly #store: SnapshotStore;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  /** The trouble that was told of last, until it is over. */
  #told: ErrorCode | undefined;

  /** Takes the first snapshot at once, and says in the log that it does. */
  constructor(options: SnapshotterOptions) {
    const { period, retention, logger } = options;
    this.#options = options;
    this.#store = new SnapshotStore(join(options.dataDir, SNAPSHOT_FOLDER), retention);
    const kept = [
      ...(retention.time > 0 ? [formatDuration(retention.time)] : []),
      ...(retention.size === undefined ? [] : [`at most ${formatSize(retention.size)}`]),
    ].join(', ');
    logger.info(
      `metrics snapshotter started, writing to ${this.#store.folder} every ${formatDuration(period)}, retaining ${kept}`,
    );
    this.#timer = setInterval(() => void this.#take(), period);
    this.#timer.unref();
    void this.#take();
  }

  /** Takes a last snapshot, which shows how it ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#take();
    this.#options.logger.info('metrics snapshotter stopped');
  }

  /** Never rejects. A disk that needs longer than the period has the next one left out. */
  #take(): Promise<void> {
    this.#running ??= this.#write().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #write(): Promise<void> {
    const { metrics, diagnostics, compression, logger, now = Date.now } = this.#options;
    const { folder } = this.#store;
    try {
      const at = now();
      const snapshot = { varz: await metrics.text(), diag: JSON.parse(diagnostics.document()) };
      const content = await encodeSnapshot(snapshot, compression);
      if (!(await this.#store.add({ at, compression }, content))) return this.#tellTooLarge(content.length);
      if (this.#told !== undefined) logger.info(`metrics snapshots are written to ${folder} again`);
      this.#told = undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = code === 'ENOSPC' ? 'the disk is full' : message;
      this.#tell({
        code: 'METRICS_SNAPSHOT_FAILED',
        message: `metrics snapshots cannot be written to ${folder}: ${reason}; replication goes on, only the history of its metrics has a gap`,
        fix: `df -h ${folder}\nls -ld ${folder}`,
      });
    }
  }

  #tellTooLarge(bytes: number): void {
    this.#tell({
      code: 'METRICS_SNAPSHOT_TOO_LARGE',
      message: `a metrics snapshot has ${formatSize(bytes)}, more than --metricsSnapshotRetentionSize allows for all of them; none is written, and replication goes on`,
      fix: `--metricsSnapshotRetentionSize ${Math.ceil((100 * bytes) / 2 ** 20)}MiB`,
    });
  }

  #tell({ code, message, fix }: { code: ErrorCode; message: string; fix: string }): void {
    if (this.#told !== code) this.#options.logger.warn(message, { code, fix });
    this.#told = code;
  }
}
