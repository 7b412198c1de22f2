import { type OracleConnection, rows } from './connection.ts';
import { readThreads } from './log-files.ts';
import { readCurrentScn } from './logminer-session.ts';
import type { Scn } from './scn.ts';

/** Where a replication would begin now. */
export interface StartScn {
  /** A copy as of it has everything that is committed by then. */
  readonly scn: Scn;
  /** No transaction that was open at `scn` began before it. */
  readonly backfillFrom: Scn;
  /** The open transaction that began first. */
  readonly oldest: { readonly user: string; readonly scn: Scn; readonly since: string } | undefined;
  /** Open transactions of which the server does not tell when they began: they do not count, and somebody should be told. */
  readonly unknown: number;
  /** Open transactions of users that were not named. */
  readonly others: number;
}

/** Those of the pluggable database that is asked; without a session are those that others prepared for a commit in two phases. */
export const OPEN_TRANSACTIONS = `SELECT TO_CHAR(CASE WHEN t.START_SCN > 0 THEN t.START_SCN ELSE t.START_SCNW * 4294967296 + t.START_SCNB END), s.USERNAME, t.START_TIME
  FROM V$TRANSACTION t LEFT JOIN V$SESSION s ON s.SADDR = t.SES_ADDR`;

/** The same of every instance of a cluster: each sees its own in V$TRANSACTION. */
export const OPEN_TRANSACTIONS_OF_CLUSTER = `SELECT TO_CHAR(CASE WHEN t.START_SCN > 0 THEN t.START_SCN ELSE t.START_SCNW * 4294967296 + t.START_SCNB END), s.USERNAME, t.START_TIME
  FROM GV$TRANSACTION t LEFT JOIN GV$SESSION s ON s.SADDR = t.SES_ADDR AND s.INST_ID = t.INST_ID`;

/**
 * Reads where to begin. The views are no snapshot, so the SCN is asked for before and after: what is open at the second and was
 * not seen between them began behind the first.
 * @param mining to the root container, or to the only database
 * @param tables to where the tables are
 * @param users whose open transactions count, as the server spells them; none named: everybody's
 */
export async function readStart(
  mining: OracleConnection,
  tables: OracleConnection,
  users: readonly string[],
): Promise<StartScn> {
  const instances = (await readThreads(mining)).filter(({ open }) => open);
  const { scn: before } = await readCurrentScn(mining);
  const question = instances.length > 1 ? OPEN_TRANSACTIONS_OF_CLUSTER : OPEN_TRANSACTIONS;
  const found = await rows<readonly (string | null)[]>(tables, question);
  const { scn } = await readCurrentScn(mining);
  const open = found
    // One without a session may be anybody's.
    .filter(([, user]) => users.length === 0 || user === null || users.includes(user))
    .map(([start, user, since]) => ({ user: user ?? '', scn: BigInt(start ?? 0), since: since ?? '' }));
  const told = open.filter((each) => each.scn > 0n);
  const oldest = told.length === 0 ? undefined : told.reduce((a, b) => (b.scn < a.scn ? b : a));
  return {
    scn,
    backfillFrom: oldest !== undefined && oldest.scn < before ? oldest.scn : before,
    oldest,
    unknown: open.length - told.length,
    others: found.length - open.length,
  };
}
