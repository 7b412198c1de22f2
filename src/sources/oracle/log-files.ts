import { OperatorError } from '../../errors.ts';
import { type OracleConnection, rows } from './connection.ts';
import type { Scn } from './scn.ts';

/** A redo log file that can be mined: it holds the redo of a thread from the SCN `first` up to, and without, `next`. */
export interface LogFile {
  readonly name: string;
  readonly thread: string;
  readonly sequence: bigint;
  readonly first: Scn;
  readonly next: Scn;
  readonly archived: boolean;
}

/** Online logs, one member of each group, that are not known to be damaged. */
export const ONLINE_LOGS = `SELECT MIN(f.MEMBER), TO_CHAR(l.THREAD#), TO_CHAR(l.SEQUENCE#), TO_CHAR(l.FIRST_CHANGE#), TO_CHAR(l.NEXT_CHANGE#)
  FROM V$LOG l JOIN V$LOGFILE f ON f.GROUP# = l.GROUP#
 WHERE l.STATUS NOT IN ('UNUSED', 'CLEARING', 'CLEARING_CURRENT') AND f.TYPE = 'ONLINE' AND (f.STATUS IS NULL OR f.STATUS = 'STALE')
   AND l.NEXT_CHANGE# > :1 AND l.FIRST_CHANGE# <= :2
 GROUP BY l.THREAD#, l.SEQUENCE#, l.FIRST_CHANGE#, l.NEXT_CHANGE#`;

/**
 * Archived logs of the present incarnation, from the one local destination with the lowest number: every destination has a copy of its
 * own, and two copies must not be mined together. Deleted ones are told, too.
 */
export const ARCHIVED_LOGS = `SELECT a.NAME, TO_CHAR(a.THREAD#), TO_CHAR(a.SEQUENCE#), TO_CHAR(a.FIRST_CHANGE#), TO_CHAR(a.NEXT_CHANGE#), a.STATUS
  FROM V$ARCHIVED_LOG a JOIN V$DATABASE d ON d.RESETLOGS_CHANGE# = a.RESETLOGS_CHANGE# AND d.RESETLOGS_TIME = a.RESETLOGS_TIME
 WHERE a.ARCHIVED = 'YES' AND a.STANDBY_DEST = 'NO' AND a.NEXT_CHANGE# > :1 AND a.FIRST_CHANGE# <= :2
   AND a.DEST_ID = (SELECT MIN(DEST_ID) FROM V$ARCHIVE_DEST_STATUS WHERE STATUS = 'VALID' AND TYPE = 'LOCAL')
 ORDER BY a.THREAD#, a.SEQUENCE#`;

/** Threads of redo: each instance of a cluster writes one. What one wrote before it was disabled is as good as any other redo. */
export const THREADS = `SELECT TO_CHAR(THREAD#), STATUS, TO_CHAR(ENABLE_CHANGE#), TO_CHAR(CHECKPOINT_CHANGE#), TO_CHAR(LAST_REDO_CHANGE#), ENABLED
  FROM V$THREAD WHERE ENABLED IN ('PUBLIC', 'DISABLED') ORDER BY THREAD#`;

export interface RedoThread {
  readonly number: string;
  readonly open: boolean;
  /** SCN since when it writes redo. */
  readonly enabled: Scn;
  /** Of a closed thread: it has written nothing behind it. */
  readonly checkpoint: Scn;
  /** The newest redo that is on disk. */
  readonly lastRedo: Scn;
  /** Its instance was removed: its logs end somewhere, and none follows. */
  readonly disabled: boolean;
}

export async function readThreads(connection: OracleConnection): Promise<RedoThread[]> {
  const found = await rows<readonly (string | null)[]>(connection, THREADS);
  return found.map(([number, status, enabled, checkpoint, lastRedo, state]) => ({
    number: number ?? '',
    open: status === 'OPEN',
    enabled: BigInt(enabled ?? 0),
    checkpoint: BigInt(checkpoint ?? 0),
    lastRedo: BigInt(lastRedo ?? 0),
    disabled: state === 'DISABLED',
  }));
}

/**
 * The files that hold all redo from `from` to `to`, both included, of every thread.
 * @param patience `over`: a log that no view tells of is gone; else it may just be on its way to the archive
 * @throws OperatorError ORACLE_LOG_MISSING when some of it is gone for good; ORACLE_LOG_NOT_YET (transient) when a log was switched and its archived
 * copy is not told yet.
 */
export async function collectLogFiles(
  connection: OracleConnection,
  from: Scn,
  to: Scn,
  threads: readonly RedoThread[],
  patience: 'wait' | 'over' = 'wait',
): Promise<LogFile[]> {
  const archived = await rows<readonly (string | null)[]>(connection, ARCHIVED_LOGS, [from, to]);
  // Asked for afterwards: what is archived meanwhile is in both answers and not in none.
  const online = await rows<readonly (string | null)[]>(connection, ONLINE_LOGS, [from, to]);
  const files = new Map<string, LogFile>();
  const deleted: LogFile[] = [];
  for (const row of online) add(files, logFile(row, false));
  for (const row of archived) {
    const file = logFile(row, true);
    // The online copy may be overwritten while it is read.
    if (row[5] === 'A' && file.name !== '') add(files, file);
    else deleted.push(file);
  }
  const needed = threads.filter(({ open, checkpoint }) => open || checkpoint >= from);
  const chosen: LogFile[] = [];
  for (const thread of needed) {
    const all = [...files.values()].filter((file) => file.thread === thread.number);
    const start = thread.enabled > from ? thread.enabled : from;
    let end = thread.open || thread.checkpoint > to ? to : thread.checkpoint;
    if (thread.disabled) {
      const last = lastOf([...all, ...deleted.filter((file) => file.thread === thread.number)]);
      if (last < end) end = last;
    }
    if (start > end) continue;
    chosen.push(...covering(all, thread.number, start, end, deleted, patience));
  }
  return chosen;
}

/** The last SCN that any of the files may hold. */
function lastOf(files: readonly LogFile[]): Scn {
  return files.reduce((last, { next }) => (next - 1n > last ? next - 1n : last), 0n);
}

function add(files: Map<string, LogFile>, file: LogFile): void {
  files.set(`${file.thread}/${file.sequence}`, file);
}

function logFile([name, thread, sequence, first, next]: readonly (string | null)[], archived: boolean): LogFile {
  return {
    name: name ?? '',
    thread: thread ?? '',
    sequence: BigInt(sequence ?? 0),
    first: BigInt(first ?? 0),
    next: BigInt(next ?? 0),
    archived,
  };
}

/** The files of one thread in order, without a hole. */
function covering(
  files: readonly LogFile[],
  thread: string,
  from: Scn,
  to: Scn,
  deleted: readonly LogFile[],
  patience: 'wait' | 'over',
): LogFile[] {
  const sorted = files.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const chosen: LogFile[] = [];
  let at = from;
  for (const file of sorted) {
    if (file.next <= at || file.first > to) continue;
    if (file.first > at) break;
    chosen.push(file);
    at = file.next;
  }
  if (at > to) return chosen;
  const gone = deleted.find((file) => file.thread === thread && file.first <= at && file.next > at);
  const later = sorted.find((file) => file.first > at);
  // A log that is just being archived may be in neither view for a moment.
  if (gone === undefined && (patience === 'wait' || later === undefined)) throw notYet(thread, at);
  throw missing(thread, at, gone, later);
}

function missing(thread: string, at: Scn, gone: LogFile | undefined, later: LogFile | undefined): OperatorError {
  const until = later === undefined ? '' : ` up to SCN ${later.first - 1n}`;
  const which =
    gone === undefined
      ? 'no log of the server holds it any more'
      : `it was in the archived log with sequence ${gone.sequence}${gone.name === '' ? '' : ` (${gone.name})`}, which was deleted`;
  return new OperatorError(
    'ORACLE_LOG_MISSING',
    `the redo of thread ${thread} from SCN ${at}${until} is gone: ${which}; changes committed there were not applied, and cannot be had from the log`,
    {
      fix:
        'Restore the archived logs and let RMAN catalogue them (CATALOG START WITH), then start again with the same command: nothing is lost then.\n' +
        'Otherwise load the tables again, clear the checkpoint, and start with --scn and --backfillFromSCN of the new copy.',
    },
  );
}

function notYet(thread: string, at: Scn): OperatorError {
  return new OperatorError(
    'ORACLE_LOG_NOT_YET',
    `the log of thread ${thread} that holds SCN ${at} is being archived and cannot be read for the moment`,
    { transient: true },
  );
}
