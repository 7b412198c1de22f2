import type { Retention } from '../source.ts';
import { type OracleConnection, rows } from './connection.ts';
import type { Scn } from './scn.ts';

/**
 * Ages in seconds: of the end of the newest archived log that was removed, which is how far back the redo goes, and of the
 * archived log that holds an SCN.
 */
export const LOG_HORIZON = `SELECT TO_CHAR(ROUND((SYSDATE - MAX(CASE WHEN a.STATUS <> 'A' THEN a.NEXT_TIME END)) * 86400)),
       TO_CHAR(ROUND((SYSDATE - MAX(CASE WHEN a.FIRST_CHANGE# <= :1 THEN a.FIRST_TIME END)) * 86400))
  FROM V$ARCHIVED_LOG a JOIN V$DATABASE d ON d.RESETLOGS_CHANGE# = a.RESETLOGS_CHANGE# AND d.RESETLOGS_TIME = a.RESETLOGS_TIME
 WHERE a.ARCHIVED = 'YES' AND a.STANDBY_DEST = 'NO'
   AND a.DEST_ID = (SELECT MIN(DEST_ID) FROM V$ARCHIVE_DEST_STATUS WHERE STATUS = 'VALID' AND TYPE = 'LOCAL')`;

/** How far back the server's redo goes, and from when that is which a start at `mineFrom` would read. */
export async function readLogHorizon(connection: OracleConnection, mineFrom: Scn): Promise<Retention> {
  const [[kept, needed]] = await rows<readonly [string | null, string | null]>(connection, LOG_HORIZON, [mineFrom]);
  return {
    limitBytes: undefined,
    safeBytes: undefined,
    walStatus: undefined,
    keptSeconds: kept === null ? undefined : Math.max(1, Number(kept)),
    // Redo that is in no archived log yet is in no danger.
    neededSeconds: needed === null ? 0 : Math.max(0, Number(needed)),
  };
}
