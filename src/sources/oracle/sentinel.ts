import type { OracleConnection } from './connection.ts';
import { failureOf } from './ora-errors.ts';
import type { Scn } from './scn.ts';

/** The table that is written to for its redo alone. */
export const SENTINEL = 'REPLICATOR_SENTINEL';

/** Under which the row of this program is kept. */
const KEY = 1n;

/** ORA-00001: the row is there already. */
const NOT_UNIQUE = 1;

/** Parameters: the SCN, the key. */
export function updateSentinel(owner: string): string {
  return `UPDATE ${quoted(owner)}."${SENTINEL}" SET "LASTSCN" = :1 WHERE "KEYCOL" = :2`;
}

/** Parameters: the key, the SCN. */
export function insertSentinel(owner: string): string {
  return `INSERT INTO ${quoted(owner)}."${SENTINEL}" ("KEYCOL", "LASTSCN") VALUES (:1, :2)`;
}

/** Waits for the disk, whatever the session or the server is set to. */
export const COMMIT_TO_DISK = 'COMMIT WRITE IMMEDIATE WAIT';

/**
 * Makes the server write all redo up to `scn` to disk: some of it may still be in memory, and a window that ended there
 * would miss what is written later. A commit of our own row brings everything before it along. It also lets the newest SCN grow on an idle server.
 */
export async function flushRedo(connection: OracleConnection, owner: string, scn: Scn): Promise<void> {
  const update = async () => (await connection.execute(updateSentinel(owner), [scn, KEY])).rowsAffected;
  if ((await update()) === 0) {
    try {
      await connection.execute(insertSentinel(owner), [KEY, scn]);
    } catch (error) {
      // Another replication of this schema was first.
      if (failureOf(error)?.number !== NOT_UNIQUE) throw error;
      await update();
    }
  }
  await connection.execute(COMMIT_TO_DISK);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
