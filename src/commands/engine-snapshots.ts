import { parseSize } from '../config/size.ts';
import { UsageError } from '../errors.ts';
import type { Compression } from '../metrics/snapshots/snapshot-file.ts';
import type { Retention } from '../metrics/snapshots/snapshot-store.ts';
import type { EngineSettings } from './replicate.ts';

/** What the flags say of metrics snapshots. */
export interface SnapshotSettings {
  readonly dataDir: string;
  readonly period: number;
  readonly compression: Compression;
  readonly retention: Retention;
}

type Flags = Pick<
  EngineSettings,
  | 'dataDir'
  | 'metricsAddr'
  | 'metricsSnapshotPeriod'
  | 'metricsSnapshotCompression'
  | 'metricsSnapshotRetentionSize'
  | 'metricsSnapshotRetentionTime'
>;

/**
 * How snapshots are to be written; undefined when they are not.
 * @throws UsageError where the flags do not fit together: there are snapshots only of metrics that are served, and never
 * without an end.
 */
export function snapshotSettings(flags: Flags): SnapshotSettings | undefined {
  const { metricsSnapshotPeriod: period, metricsSnapshotRetentionTime: time } = flags;
  if (period === 0) return undefined;
  if (flags.metricsAddr === undefined) {
    throw new UsageError('--metricsSnapshotPeriod needs --metricsAddr: without it there are no metrics', {
      fix: '--metricsAddr 127.0.0.1:30005',
    });
  }
  const size = flags.metricsSnapshotRetentionSize === '' ? undefined : parseSize(flags.metricsSnapshotRetentionSize);
  if (time === 0 && !size) {
    throw new UsageError('metrics snapshots would fill the disk: neither their age nor their size has a limit', {
      fix: '--metricsSnapshotRetentionTime 168h\n--metricsSnapshotRetentionSize 100MiB',
    });
  }
  const compression = flags.metricsSnapshotCompression as Compression;
  return { dataDir: flags.dataDir, period, compression, retention: { time, size: size || undefined } };
}
