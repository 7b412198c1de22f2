/** The row and column that writes go to: `select "C" into loc_c from "S"."T" where … for update`. */
const LOCATOR =
  /select\s+"([^"]+)"\s+into\s+loc_\w+\s+from\s+"[^"]+"\."[^"]+"(?:\s+a)?\s+where\s+(.*?)\s+for\s+update/is;
const WRITE = /dbms_lob\.write\s*\(\s*loc_\w+\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*buf_\w+\s*\)/i;
const TRIM_TO_NOTHING = /dbms_lob\.trim\s*\(\s*loc_\w+\s*,\s*0\s*\)/i;
const TEXT = /buf_\w+\s*:=\s*'((?:[^']|'')*)'/s;
const HEX = /buf_\w+\s*:=\s*HEXTORAW\s*\(\s*'([0-9A-F]*)'\s*\)/i;

/** A large object that a transaction is writing. */
interface LobWrite {
  readonly table: string;
  readonly column: string;
  /** Conditions that tell the row, as SQL. */
  readonly where: string;
  /** True when nothing was in it before. */
  readonly empty: boolean;
  /** As literal SQL, between its quotes: text with doubled quotes, or hexadecimal digits. */
  parts: string[];
  hex: boolean;
  /** Characters or bytes so far. */
  length: number;
  /** Why the content is not known. */
  lost: boolean;
}

/** What a transaction last did to large objects. */
interface State {
  /** The row that was written last, and which of its large objects are empty, to be filled. */
  table: string;
  rowId: string;
  readonly empty: Set<string>;
  write: LobWrite | undefined;
}

/** A large object's content was put together: as the update that says so. */
export interface LobUpdate {
  readonly table: string;
  /** Undefined when the content is not known, because only a part of it was written. */
  readonly sql: string | undefined;
}

/**
 * Puts the content of large objects together. A row that is inserted with one comes with `EMPTY_CLOB()` in its place; what was
 * written to it follows in pieces, each with its offset. Of an object that was not empty before only the written part is in the redo.
 */
export class LobWrites {
  readonly #states = new Map<string, State>();

  /**
   * A row was changed in a table with large objects: `assigned` are those that it sets, `emptied` those of them that it sets to be empty.
   */
  row(xid: string, table: string, rowId: string, assigned: readonly string[], emptied: readonly string[]): void {
    let state = this.#states.get(xid);
    if (state === undefined) {
      if (emptied.length === 0) return;
      state = { table, rowId, empty: new Set(), write: undefined };
      this.#states.set(xid, state);
    }
    if (state.table !== table || state.rowId !== rowId) {
      state.table = table;
      state.rowId = rowId;
      state.empty.clear();
    }
    for (const column of assigned) state.empty.delete(column);
    for (const column of emptied) state.empty.add(column);
  }

  /** True when the transaction is writing a large object: `settle` has to be called before anything else of it is read. */
  pending(xid: string): boolean {
    return this.#states.size > 0 && this.#states.get(xid)?.write !== undefined;
  }

  /** Takes a locator, a piece, or a cut. Yields the object before, when another one begins. */
  read(xid: string, table: string, sql: string): LobUpdate | undefined {
    let state = this.#states.get(xid);
    if (state === undefined) {
      state = { table, rowId: '', empty: new Set(), write: undefined };
      this.#states.set(xid, state);
    }
    let ended: LobUpdate | undefined;
    const locator = LOCATOR.exec(sql);
    if (locator !== null) {
      const [, column, where] = locator;
      const current = state.write;
      if (current?.table !== table || current.column !== column || current.where !== where) {
        ended = updateOf(current);
        const empty = state.table === table && state.empty.delete(column);
        state.write = { table, column, where, empty, parts: [], hex: false, length: 0, lost: false };
      }
    }
    this.#piece(state, table, sql);
    return ended;
  }

  /** Ends what a transaction was writing. */
  settle(xid: string): LobUpdate | undefined {
    const state = this.#states.get(xid);
    if (state === undefined) return undefined;
    const ended = updateOf(state.write);
    state.write = undefined;
    return ended;
  }

  /** The transaction has ended. */
  forget(xid: string): void {
    this.#states.delete(xid);
  }

  #piece(state: State, table: string, sql: string): void {
    const { write } = state;
    const wrote = WRITE.exec(sql);
    if (write === undefined) {
      // A piece whose locator was not told.
      if (wrote !== null)
        state.write = { table, column: '', where: '', empty: false, parts: [], hex: false, length: 0, lost: true };
      return;
    }
    if (wrote !== null) {
      const text = TEXT.exec(sql);
      const hex = text === null ? HEX.exec(sql) : null;
      const content = text?.[1] ?? hex?.[1];
      const offset = Number(wrote[2]);
      if (content === undefined || !write.empty || offset !== write.length + 1) write.lost = true;
      else {
        write.hex = hex !== null;
        write.parts.push(content);
        write.length += Number(wrote[1]);
      }
    } else if (TRIM_TO_NOTHING.test(sql)) {
      state.write = { ...write, empty: true, parts: [], length: 0, lost: false };
    } else if (/dbms_lob\./i.test(sql)) write.lost = true;
  }
}

function updateOf(write: LobWrite | undefined): LobUpdate | undefined {
  if (write === undefined) return undefined;
  const { table, column, where, parts, hex, lost } = write;
  if (lost) return { table, sql: undefined };
  if (parts.length === 0) return undefined;
  const content = hex ? `HEXTORAW('${parts.join('')}')` : `'${parts.join('')}'`;
  return { table, sql: `update "T"."T" set "${column}" = ${content} where ${where}` };
}
