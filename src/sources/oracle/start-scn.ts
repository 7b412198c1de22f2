import { type OracleConnection, rows } from './connection.ts';
import type { Scn } from './scn.ts';

/** Where a replication would begin now. */
export interface StartScn {
  /** The newest SCN: a copy as of it has everything that is committed. */
  readonly scn: Scn;
  /** The SCN at which the oldest transaction began that is open; `scn` when none is. */
  readonly backfillFrom: Scn;
  /** That transaction. */
  readonly oldest: { readonly user: string; readonly scn: Scn; readonly since: string } | undefined;
  /** Open transactions of which the server does not tell when they began. */
  readonly unknown: number;
}

/** Of every instance; a transaction without a session has lost it, and will be rolled back. */
export const OPEN_TRANSACTIONS = `SELECT TO_CHAR(d.CURRENT_SCN), TO_CHAR(t.START_SCN), s.USERNAME, t.START_TIME
  FROM V$DATABASE d LEFT JOIN GV$TRANSACTION t ON t.START_SCN <= d.CURRENT_SCN
  LEFT JOIN GV$SESSION s ON s.SADDR = t.SES_ADDR AND s.INST_ID = t.INST_ID ORDER BY t.START_SCN`;

/**
 * Reads where to begin, in one question: so no transaction ends between the two numbers.
 * @param users whose open transactions count; none named: everybody's
 */
export async function readStart(tables: OracleConnection, users: readonly string[]): Promise<StartScn> {
  const found = await rows<readonly (string | null)[]>(tables, OPEN_TRANSACTIONS);
  const scn = BigInt(found[0]?.[0] ?? 0);
  const open = found.filter(([, start, user]) => start !== null && (users.length === 0 || users.includes(user ?? '')));
  const told = open.filter(([, start]) => BigInt(start ?? 0) > 0n);
  const [first] = told;
  const oldest =
    first === undefined ? undefined : { user: first[2] ?? '', scn: BigInt(first[1] ?? 0), since: first[3] ?? '' };
  return {
    scn,
    backfillFrom: oldest === undefined || oldest.scn > scn ? scn : oldest.scn,
    oldest,
    unknown: open.length - told.length,
  };
}
