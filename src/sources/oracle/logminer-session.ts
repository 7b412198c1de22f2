import { type OracleConnection, rows } from './connection.ts';
import type { LogFile } from './log-files.ts';
import type { RedoRow } from './logminer-rows.ts';
import { failureOf } from './ora-errors.ts';
import type { Scn } from './scn.ts';

export const ADD_FIRST_LOG = 'BEGIN DBMS_LOGMNR.ADD_LOGFILE(LOGFILENAME => :1, OPTIONS => DBMS_LOGMNR.NEW); END;';
export const ADD_LOG = 'BEGIN DBMS_LOGMNR.ADD_LOGFILE(LOGFILENAME => :1, OPTIONS => DBMS_LOGMNR.ADDFILE); END;';

/** Not with COMMITTED_DATA_ONLY: that loses what is committed behind the end of a window, and gathers whole transactions in the server's memory. */
export const START_LOGMINER =
  'BEGIN DBMS_LOGMNR.START_LOGMNR(STARTSCN => :1, ENDSCN => :2, OPTIONS => DBMS_LOGMNR.DICT_FROM_ONLINE_CATALOG + DBMS_LOGMNR.NO_ROWID_IN_STMT + DBMS_LOGMNR.NO_SQL_DELIMITER); END;';
export const END_LOGMINER = 'BEGIN DBMS_LOGMNR.END_LOGMNR; END;';

/**
 * The redo of a window: parameters are the SCN before it, its last SCN, and the owner of the tables; with a container, also the
 * name of that. Ends of transactions are wanted of everybody, as they do not tell whose tables were changed. Tables that
 * the dictionary does not know come under the owner UNKNOWN. Redo that the server cannot see (34) is of no container.
 */
export function windowQuery(inContainer: boolean): string {
  return `SELECT TO_CHAR(SCN), RAWTOHEX(XID), TO_CHAR(OPERATION_CODE), TO_CHAR(ROLLBACK), TO_CHAR(CSF), SEG_OWNER, TABLE_NAME, ROW_ID,
       TO_CHAR(STATUS), INFO, TO_CHAR(TIMESTAMP, 'YYYY-MM-DD HH24:MI:SS'), SQL_REDO
  FROM V$LOGMNR_CONTENTS
 WHERE SCN > :1 AND SCN <= :2
   AND (OPERATION_CODE IN (7, 34, 36) OR (SEG_OWNER IN (:3, 'UNKNOWN') AND OPERATION_CODE NOT IN (0, 6, 25, 27)))${
     inContainer ? '\n   AND (SRC_CON_NAME = :4 OR OPERATION_CODE = 34)' : ''
   }`;
}

/** Rows that are fetched at a time: a batch should be gone before the next one comes. */
const FETCHED = 500;

/** Windows after which a session ends and begins anew: what it has taken of the server's memory grows with each. */
const LONGEST = 2000;

/** ORA-01307: no LogMiner session is active. */
const NOT_ACTIVE = 1307;

/** LogMiner on one connection, to which its files and its state belong. */
export class LogMinerSession {
  readonly #connection: OracleConnection;
  readonly #owner: string;
  readonly #container: string | undefined;
  readonly #query: string;
  #files = '';
  #windows = 0;

  /** @param container the pluggable database that the tables are in; undefined on a server without any */
  constructor(connection: OracleConnection, owner: string, container: string | undefined) {
    this.#connection = connection;
    this.#owner = owner;
    this.#container = container;
    this.#query = windowQuery(container !== undefined);
  }

  /**
   * Makes the redo of a window ready, both ends included; `to` has to be behind `from`. The files are added anew only where they are others than
   * the last time: an online log has the name of the one that it was written over.
   */
  async start(files: readonly LogFile[], from: Scn, to: Scn): Promise<void> {
    const names = files.map(({ name }) => name);
    const key = files.map(({ name, sequence }) => `${sequence} ${name}`).join('\n');
    if (key !== this.#files || ++this.#windows > LONGEST) {
      await this.end();
      for (const [i, name] of names.entries()) {
        await this.#connection.execute(i === 0 ? ADD_FIRST_LOG : ADD_LOG, [name]);
      }
      this.#files = key;
    }
    await this.#connection.execute(START_LOGMINER, [from, to]);
  }

  /** The rows behind `after` up to `to`, as many at a time as were fetched. */
  async *rows(after: Scn, to: Scn): AsyncGenerator<readonly RedoRow[]> {
    const binds: (bigint | string)[] = [after, to, this.#owner];
    if (this.#container !== undefined) binds.push(this.#container);
    const { resultSet } = await this.#connection.execute<RedoRow>(this.#query, binds, {
      resultSet: true,
      fetchArraySize: FETCHED,
      prefetchRows: FETCHED,
    });
    if (resultSet === undefined) return;
    try {
      for (;;) {
        // A server may send fewer than were asked for, and have more. Behind the last one the driver asks nobody.
        const batch = await resultSet.getRows(FETCHED);
        if (batch.length === 0) return;
        yield batch;
      }
    } finally {
      // Of a connection that was lost there is nothing to close.
      await resultSet.close().catch(() => {});
    }
  }

  /** Lets go of the files, and of the memory at the server. */
  async end(): Promise<void> {
    this.#files = '';
    this.#windows = 0;
    try {
      await this.#connection.execute(END_LOGMINER);
    } catch (error) {
      if (failureOf(error)?.number !== NOT_ACTIVE) throw error;
    }
  }
}

export const CURRENT_SCN = `SELECT TO_CHAR(CURRENT_SCN), TO_CHAR(SYSTIMESTAMP, 'TZH:TZM') FROM V$DATABASE`;

/** The newest SCN, and how far the clock that LogMiner's times are taken from is ahead of UTC, in microseconds. */
export async function readCurrentScn(connection: OracleConnection): Promise<{ scn: Scn; offset: number }> {
  const [[scn, zone]] = await rows<readonly [string, string]>(connection, CURRENT_SCN);
  const [, sign, hours, minutes] = /^([+-])(\d+):(\d+)$/.exec(zone) ?? ['', '+', '0', '0'];
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000_000;
  return { scn: BigInt(scn), offset: sign === '-' ? -offset : offset };
}
