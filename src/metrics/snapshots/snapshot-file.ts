import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

/** The folder of snapshots, in `--dataDir`. */
export const SNAPSHOT_FOLDER = 'metrics-snapshots';

export type Compression = 'gzip' | 'none';

/** What the name of a snapshot says. */
export interface SnapshotName {
  /** When it was taken, milliseconds since the epoch. */
  readonly at: number;
  readonly compression: Compression;
}

/** The metrics and the diagnostics of one moment. */
export interface Snapshot {
  /** Prometheus text, as `/_/varz` sends it. */
  readonly varz: string;
  /** The document of `/_/diag`; undefined in files of programs that do not write it. */
  readonly diag: unknown;
}

const NAME = /^snapshot-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z\.txt(\.gz)?$/;
/** A comment for whoever reads the text format: only HELP and TYPE behind the sign mean something. */
const DIAG = '# DIAG ';
/** More than this is not unpacked, bytes: whoever has more is no snapshot. */
const LARGEST = 64 * 1024 * 1024;

/** `snapshot-20261123T155206.123Z.txt.gz` */
export function snapshotName({ at, compression }: SnapshotName): string {
  const stamp = new Date(at).toISOString().replaceAll(/[-:]/g, '');
  return `snapshot-${stamp}.txt${compression === 'gzip' ? '.gz' : ''}`;
}

/** What a file's name says; undefined when it is not that of a snapshot. */
export function parseSnapshotName(name: string): SnapshotName | undefined {
  const [, year, month, day, hour, minute, second, gz] = NAME.exec(name) ?? [];
  if (year === undefined) return undefined;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? undefined : { at, compression: gz === undefined ? 'none' : 'gzip' };
}

/** The bytes of a snapshot: the metrics, then a comment with the diagnostics as JSON in one line. */
export async function encodeSnapshot({ varz, diag }: Snapshot, compression: Compression): Promise<Buffer> {
  const comment = diag === undefined ? '' : `${DIAG}${JSON.stringify(diag)}\n`;
  const text = Buffer.from(`${varz.endsWith('\n') ? varz : `${varz}\n`}${comment}`);
  return compression === 'gzip' ? await promisify(gzip)(text) : text;
}

/** Reads a snapshot. Rejects with an Error that says in a few words what is wrong with the file. */
export async function decodeSnapshot(bytes: Buffer, compression: Compression): Promise<Snapshot> {
  const text = (await unpacked(bytes, compression)).toString('utf8');
  if (text === '') throw new Error('it is empty');
  if (!text.endsWith('\n')) throw new Error('it is cut off');
  if (!/^[a-z_:][\w:]*(\{.*\})?[ \t]/im.test(text)) throw new Error('it holds no metrics');
  const last = text.lastIndexOf('\n', text.length - 2) + 1;
  if (!text.startsWith(DIAG, last)) return { varz: text, diag: undefined };
  return { varz: text.slice(0, last), diag: parsed(text.slice(last + DIAG.length)) };
}

async function unpacked(bytes: Buffer, compression: Compression): Promise<Buffer> {
  if (compression === 'none' || bytes.length === 0) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: LARGEST });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') throw new Error('it is cut off', { cause: error });
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new Error('it is too large', { cause: error });
    throw new Error('it is not compressed as its name says, or damaged', { cause: error });
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
