import { type AnswerResult, type BindValue, OraError } from './answer.ts';
import { describe, isFetchedAsText, readBinds, readTypes, writeOut } from './columns.ts';
import { Cursor } from './cursor.ts';
import { type ExecuteCall, readExecute, readReexecute } from './execute.ts';
import { MESSAGE, writeEnd } from './messages.ts';
import type { Reader, Writer } from './wire.ts';

/** Directions of a bind. */
const IN = 32;
const IN_OUT = 48;

const RETURNING = /\breturn(ing)?\b[\s\S]*\binto\b/i;

/** What statements need of the session that executes them. */
export interface StatementSession {
  readonly fieldVersion: number;
  inTransaction: boolean;
  commit(): void;
  /** Faults that a test has ordered; see Faults.before(). */
  before(sql: string, isQuery: boolean): Promise<number | undefined>;
  answer(sql: string, binds: readonly BindValue[]): Promise<AnswerResult>;
}

/** The cursors of a session, and the calls that work with them. */
export class Statements {
  readonly #session: StatementSession;
  readonly #w: Writer;
  readonly #cursors = new Map<number, Cursor>();
  #last = 0;
  /** Of the call that is under way; undefined when it has none. */
  current: Cursor | undefined;

  constructor(session: StatementSession, w: Writer) {
    this.#session = session;
    this.#w = w;
  }

  close(id: number): void {
    this.cancel(id);
    this.#cursors.delete(id);
  }

  /** Gives the rows up that were not fetched. */
  cancel(id: number): void {
    this.#cursors.get(id)?.close();
  }

  closeAll(): void {
    for (const id of this.#cursors.keys()) this.close(id);
  }

  execute(r: Reader): Promise<void> {
    return this.#execute(r, readExecute(r, this.#session.fieldVersion));
  }

  reexecute(r: Reader, fetch: boolean): Promise<void> {
    return this.#execute(r, readReexecute(r, fetch));
  }

  fetch(r: Reader): void {
    const cursor = this.#take(r.integer(), null);
    this.#rows(cursor, r.integer());
  }

  #take(id: number, sql: string | null): Cursor {
    this.current = this.#cursors.get(id);
    if (sql !== null) {
      this.current?.close();
      this.current = new Cursor(this.current?.id ?? ++this.#last, sql);
      this.#cursors.set(this.current.id, this.current);
    }
    if (this.current === undefined) throw new OraError(1001, 'invalid cursor');
    return this.current;
  }

  async #execute(r: Reader, call: ExecuteCall): Promise<void> {
    const { fieldVersion } = this.#session;
    const cursor = this.#take(call.cursor, call.sql);
    if (call.define) {
      cursor.defines = readTypes(r, call.types, fieldVersion);
      if (!cursor.defines.every(isFetchedAsText)) throw new TypeError('locators of LOBs are not imitated');
      this.#rows(cursor, call.rows);
      return;
    }
    if (!call.execute) throw new TypeError('a parse without an execution is not imitated');
    if (cursor.kind === 'dml' && RETURNING.test(cursor.sql)) throw new TypeError('RETURNING INTO is not imitated');
    if (call.types > 0) cursor.binds = readTypes(r, call.types, fieldVersion);
    const rows: BindValue[][] = [];
    while (r.left > 0) {
      if (r.u8() !== MESSAGE.ROW_DATA) throw new TypeError('binds of an unknown form');
      rows.push(readBinds(r, cursor.binds, cursor.kind === 'plsql'));
    }
    const dropAfter = await this.#session.before(cursor.sql, cursor.kind === 'query');
    if (cursor.kind === 'query') {
      cursor.open(await this.#session.answer(cursor.sql, rows[0] ?? []), dropAfter);
      this.#opened(cursor, call);
      return;
    }
    const results: AnswerResult[] = [];
    for (const binds of rows.length > 0 ? rows : [[]]) results.push(await this.#session.answer(cursor.sql, binds));
    if (cursor.kind === 'dml') this.#session.inTransaction = true;
    if (call.commit) this.#session.commit();
    if (cursor.kind === 'plsql') this.#out(cursor, results, call.sql !== null);
    this.#end(cursor, cursor.kind === 'plsql' ? 1 : results.reduce((sum, { affected }) => sum + (affected ?? 0), 0));
  }

  #opened(cursor: Cursor, call: ExecuteCall): void {
    const isNew = call.sql !== null;
    if (isNew) {
      this.#w.u8(MESSAGE.DESCRIBE);
      describe(this.#w, cursor.columns, this.#session.fieldVersion);
    }
    // The driver says how it wants CLOBs once it has seen that there are any.
    const undefinedYet = cursor.defines === undefined && cursor.columns.some(({ type }) => type === 'CLOB');
    if (call.fetch && !undefinedYet) this.#rows(cursor, call.rows);
    else this.#end(cursor, 0);
  }

  #rows(cursor: Cursor, most: number): void {
    const more = cursor.fetch(this.#w, most);
    this.#end(cursor, cursor.sent, more ? undefined : new OraError(1403, 'no data found'));
  }

  /**
   * Values of OUT binds. The first `out.length` binds are declared IN OUT: so the driver sends a value for each of
   * them at every execution, and reads those that it knows as OUT.
   */
  #out(cursor: Cursor, results: readonly AnswerResult[], describeBinds: boolean): void {
    const w = this.#w;
    const count = results[0].out?.length ?? 0;
    const types = cursor.binds;
    if (count > types.length) throw new TypeError(`${count} values for ${types.length} binds`);
    if (types.length > 0 && describeBinds) {
      w.u8(MESSAGE.IO_VECTOR)
        .u8(0)
        .integers(types.length & 0xff, types.length >> 8, 1, 0, 0, 0);
      for (const at of types.keys()) w.u8(at < count ? IN_OUT : IN);
    }
    if (count === 0) return;
    for (const { out = [] } of results) {
      w.u8(MESSAGE.ROW_DATA);
      for (let at = 0; at < count; at++) writeOut(w, types[at], out[at] ?? null);
    }
  }

  #end(cursor: Cursor, rows: number, error?: OraError): void {
    const { inTransaction, fieldVersion } = this.#session;
    writeEnd(this.#w, { inTransaction, fieldVersion, cursor: cursor.id, rows, error });
  }
}
