import { ChangeKind, type ChangeLog, ENTRY_HEADER, OldTuple, tupleEnd, ValueKind } from '../changes/change-log.ts';
import { OperatorError } from '../errors.ts';
import type { Dialect } from '../target/dialect.ts';
import type { MappedColumn } from '../target/mapping.ts';
import type { MessageBuffer } from '../target/messages.ts';
import type { Session } from '../target/session.ts';
import { truncateStatements } from '../target/statements.ts';
import { mergeTuples, type RowStore } from '../target/table-writer.ts';
import type { SourceTable } from '../changes/table.ts';
import type { Written } from './apply-events.ts';
import { RowState, type TableWork } from './table-work.ts';

/** Fewer fresh rows than this go with the upserts: a COPY has a price of its own. */
const COPY_ROWS = 24;

/** What a statement is about. */
export interface StatementSubject {
  readonly table: TableWork;
  /** The columns that its parameters stand for, where there is one for each. */
  readonly columns?: readonly MappedColumn[];
}

export interface CollapseOptions {
  /** Send every change by itself, in source order: slower, and sure to pass what the source passed. */
  exact: boolean;
  /** Send fresh rows by COPY. */
  copy: boolean;
}

/**
 * Turns changes into statements. Changes of the same row are folded into one while nothing forbids it; what is folded is
 * a *segment*, written as deletes (children first), then updates and inserts (parents first). A segment ends where the
 * order of changes matters: at a truncate, at a change of a key, at changes of rows without key, between the tables of a
 * foreign-key cycle, and at a delete that makes the target itself change rows that wait in the segment.
 */
export class Collapser {
  /** What the source's foreign keys change by themselves comes as changes of its own. */
  readonly cascadesLogged: boolean;
  readonly #dialect: Dialect;
  readonly #resolve: (table: SourceTable) => TableWork;
  /** Tables of the open segment, by target name. */
  readonly #segment = new Map<string, TableWork>();
  /** For each foreign-key cycle, the table changed last in the segment. */
  readonly #cycles = new Map<number, TableWork>();
  /** Tables written since the last `takeTouched`. */
  readonly #touched = new Set<TableWork>();
  #merged: Buffer[] = [];
  #truncates: TableWork[] = [];
  /** What each statement written since the last `takeWritten` is about. */
  #statements: StatementSubject[] = [];
  /** Set by #scan. */
  #key = '';
  #complete = true;

  constructor(dialect: Dialect, resolve: (table: SourceTable) => TableWork, cascadesLogged = true) {
    this.cascadesLogged = cascadesLogged;
    this.#dialect = dialect;
    this.#resolve = resolve;
  }

  /** Tables written since the last call, the rows of each, and what each statement is about. */
  takeWritten(): { touched: TableWork[]; written: Written[]; subjects: StatementSubject[] } {
    const touched = [...this.#touched];
    const subjects = this.#statements;
    this.#touched.clear();
    this.#statements = [];
    return { touched, written: touched.map((work) => work.takeCounts()), subjects };
  }

  /** Writes the changes in [start, end) of `log` into `script`. Throws what `resolve` throws; nothing counts as written then. */
  write(
    log: ChangeLog,
    start: number,
    end: number,
    session: Session,
    script: MessageBuffer,
    options: CollapseOptions,
  ): void {
    const buffer = log.buffer;
    const works = log.tables.map(() => undefined as TableWork | undefined);
    const store: RowStore = { log: buffer, merged: this.#merged };
    const close = () => this.#close(session, script, store, options);
    let at = start;
    try {
      while (at < end) {
        const length = buffer.readUInt32BE(at);
        const kind = buffer[at + 4];
        const index = (buffer[at + 6] << 8) | buffer[at + 7];
        let work = works[index];
        if (work === undefined) {
          work = this.#resolve(log.tables[index]);
          works[index] = work;
        }
        if (kind === ChangeKind.truncate) {
          if (this.#truncates.length === 0) close();
          this.#truncates.push(work);
        } else {
          if (this.#truncates.length > 0) close();
          this.#enter(work, close);
          this.#change(kind, work, buffer, at, session, script, store, close);
          if (options.exact) close();
        }
        at += length;
      }
      close();
    } catch (error) {
      this.takeWritten();
      throw error;
    } finally {
      this.#abandon();
    }
  }

  #change(
    kind: number,
    work: TableWork,
    buffer: Buffer,
    at: number,
    session: Session,
    script: MessageBuffer,
    store: RowStore,
    close: () => void,
  ): void {
    const old = buffer[at + 5];
    const first = at + ENTRY_HEADER;
    const key = work.writer.mapping.key;
    if (kind === ChangeKind.insert) {
      if (key.length === 0) {
        work.add(RowState.insert, first);
        return;
      }
      this.#scan(work, buffer, first);
      const slot = work.slots.get(this.#key);
      const state = slot === undefined ? undefined : work.states[slot];
      if (state === undefined) work.set(this.#key, RowState.insert, first);
      else if (state !== RowState.delete && state !== RowState.replace) work.set(this.#key, RowState.upsert, first);
      else if (this.cascadesLogged || work.cascades.size === 0) work.set(this.#key, RowState.replace, first);
      else {
        // Nothing but the delete itself, at the target, takes along what it took along at the source.
        const key = this.#key;
        close();
        this.#enter(work, close);
        work.set(key, RowState.insert, first);
      }
      return;
    }
    if (kind === ChangeKind.delete) {
      if (key.length === 0) {
        this.#requireFull(work, old);
        close();
        this.#statements.push({ table: work });
        work.writer.deleteRow(session, script, first, store);
        this.#count(work, 0, 1);
        return;
      }
      this.#beforeDelete(work, close);
      this.#scan(work, buffer, first);
      work.set(this.#key, RowState.delete, first);
      return;
    }
    let row = old === OldTuple.none ? first : tupleEnd(buffer, first);
    if (key.length === 0) {
      this.#requireFull(work, old);
      close();
      if (work.writer.updateRow(session, script, first, row, store)) this.#statements.push({ table: work });
      this.#count(work, 1, 0);
      return;
    }
    this.#scan(work, buffer, row);
    if (old !== OldTuple.none) {
      if (!this.#complete) {
        row = this.#merge(buffer, row, buffer, first, old === OldTuple.full);
        this.#scan(work, this.#merged[-row - 1], 0);
      }
      const newKey = this.#key;
      const complete = this.#complete;
      this.#scan(work, buffer, first);
      if (this.#key !== newKey) {
        close();
        this.#move(work, first, row, complete, session, script, store);
        return;
      }
      this.#complete = complete;
    }
    this.#update(work, this.#key, row, store);
  }

  /** An update that leaves the key as it is. */
  #update(work: TableWork, key: string, row: number, store: RowStore): void {
    const slot = work.slots.get(key);
    if (slot === undefined) {
      work.set(key, this.#complete ? RowState.upsert : RowState.partial, row);
      return;
    }
    const state = work.states[slot];
    if (this.#complete) {
      work.set(
        key,
        state === RowState.partial ? RowState.upsert : state === RowState.delete ? RowState.replace : state,
        row,
      );
      return;
    }
    if (state === RowState.delete) {
      work.set(key, RowState.partial, row);
      return;
    }
    const earlier = work.at[slot];
    const [older, olderAt] = earlier < 0 ? [store.merged[-earlier - 1], 0] : [store.log, earlier];
    const [newer, newerAt] = row < 0 ? [store.merged[-row - 1], 0] : [store.log, row];
    // Whatever the earlier tuple holds, NULLs included, is the row's content; what it lacks stays unchanged.
    work.set(key, state, this.#merge(newer, newerAt, older, olderAt, true));
  }

  /** An update that changes the key. The row is written whole as well, in case the target did not have it. */
  #move(
    work: TableWork,
    old: number,
    row: number,
    complete: boolean,
    session: Session,
    script: MessageBuffer,
    store: RowStore,
  ): void {
    this.#statements.push({ table: work });
    work.writer.move(session, script, old, row, store);
    // A row that references itself has been changed by the target once more, and must not be changed back.
    if (complete && !work.selfReferencing) {
      this.#statements.push({ table: work, columns: work.writer.mapping.columns });
      work.writer.upsert(session, script, [row], store);
    }
    this.#count(work, 1, 0);
  }

  #merge(newer: Buffer, newerAt: number, older: Buffer, olderAt: number, olderFull: boolean): number {
    return -this.#merged.push(mergeTuples(newer, newerAt, older, olderAt, olderFull));
  }

  /** Makes `work` part of the segment, ending the segment first where the order of tables matters. */
  #enter(work: TableWork, close: () => void): void {
    const present = this.#segment.get(work.name);
    if (present === work) {
      if (work.cycle < 0) return;
    } else if (present !== undefined) {
      // The same target table by another version of the source table.
      close();
    }
    if (work.cycle >= 0) {
      const last = this.#cycles.get(work.cycle);
      if (last !== undefined && last !== work) close();
      this.#cycles.set(work.cycle, work);
    }
    this.#segment.set(work.name, work);
    this.#touched.add(work);
  }

  /** Rows that the target would change by itself on this delete must be written before it. */
  #beforeDelete(work: TableWork, close: () => void): void {
    if (work.cascades.size === 0) return;
    for (const other of this.#segment.values()) {
      if (other.writes > 0 && work.cascades.has(other.name)) {
        close();
        this.#enter(work, close);
        return;
      }
    }
  }

  /** Reads the key of the tuple at `at` into #key, and into #complete whether every value was sent. */
  #scan(work: TableWork, buffer: Buffer, at: number): void {
    const key = work.writer.mapping.key;
    const columns = (buffer[at] << 8) | buffer[at + 1];
    let text = '';
    let part = 0;
    let complete = true;
    at += 2;
    for (let i = 0; i < columns; i++) {
      const isKey = part < key.length && key[part] === i;
      if (buffer[at] === ValueKind.text) {
        const length = buffer.readInt32BE(at + 1);
        if (isKey) {
          const value = buffer.toString('latin1', at + 5, at + 5 + length);
          text = key.length === 1 ? value : `${text}${length}:${value}`;
          part++;
        }
        at += 5 + length;
      } else {
        if (buffer[at] === ValueKind.unchanged) complete = false;
        if (isKey) {
          text += '~';
          part++;
        }
        at++;
      }
    }
    this.#key = text;
    this.#complete = complete;
  }

  /** Writes the segment and empties it. */
  #close(session: Session, script: MessageBuffer, store: RowStore, options: CollapseOptions): void {
    if (this.#truncates.length > 0) {
      const mappings = this.#truncates.sort((a, b) => a.rank - b.rank).map((work) => work.writer.mapping);
      const statements = truncateStatements(mappings, this.#dialect, options.exact);
      for (const statement of statements) {
        this.#statements.push({ table: this.#truncates[0] });
        script.query(statement);
      }
      this.#truncates = [];
    }
    if (this.#segment.size === 0) return;
    const works = [...this.#segment.values()];
    if (works.length > 1) works.sort((a, b) => a.rank - b.rank);
    for (let i = works.length - 1; i >= 0; i--) this.#writeDeletes(works[i], session, script, store);
    for (const work of works) this.#writeRows(work, session, script, store, options);
    for (const work of works) work.clear();
    this.#segment.clear();
    this.#cycles.clear();
  }

  #writeDeletes(work: TableWork, session: Session, script: MessageBuffer, store: RowStore): void {
    if (work.states.length === 0) return;
    const rows: number[] = [];
    for (let i = 0; i < work.states.length; i++) {
      const state = work.states[i];
      if (state === RowState.delete || (state === RowState.replace && work.cascades.size === 0)) rows.push(work.at[i]);
    }
    if (rows.length === 0) return;
    this.#statements.push({ table: work });
    work.writer.delete(session, script, rows, store);
    this.#count(work, 0, rows.length);
  }

  #writeRows(
    work: TableWork,
    session: Session,
    script: MessageBuffer,
    store: RowStore,
    options: CollapseOptions,
  ): void {
    if (work.writes === 0) return;
    let fresh: number[] = [];
    const whole: number[] = [];
    const partial = new Map<string, number[]>();
    for (let i = 0; i < work.states.length; i++) {
      const at = work.at[i];
      switch (work.states[i]) {
        case RowState.insert:
          fresh.push(at);
          break;
        case RowState.replace:
          // Where deleting it would take rows of other tables along, the row is written over.
          if (work.cascades.size === 0) fresh.push(at);
          else whole.push(at);
          break;
        case RowState.upsert:
          whole.push(at);
          break;
        case RowState.partial: {
          const group = sentMask(store, at);
          const rows = partial.get(group);
          if (rows === undefined) partial.set(group, [at]);
          else rows.push(at);
        }
      }
    }
    this.#count(work, work.writes, 0);
    // In CSV the only value of a one-column row, when it is NULL, makes an empty line, which CockroachDB passes over.
    const oneColumn = this.#dialect.product === 'cockroachdb' && work.writer.mapping.columns.length === 1;
    const copy = options.copy && work.copyAllowed && !oneColumn && fresh.length >= COPY_ROWS;
    if (!copy) {
      whole.push(...fresh);
      fresh = [];
    }
    // New rows may take unique values that updated rows give up, but rows that refer to rows of their own table need
    // the new ones first.
    const copyFresh = () => {
      if (fresh.length === 0) return;
      this.#statements.push({ table: work });
      work.writer.copy(script, fresh, store);
    };
    if (work.selfReferencing) copyFresh();
    if (whole.length > 0) {
      this.#statements.push({ table: work, columns: work.writer.mapping.columns });
      work.writer.upsert(session, script, whole, store);
    }
    for (const rows of partial.values()) {
      if (work.writer.update(session, script, rows, store)) this.#statements.push({ table: work });
    }
    if (!work.selfReferencing) copyFresh();
  }

  #count(work: TableWork, upserted: number, deleted: number): void {
    work.upserted += upserted;
    work.deleted += deleted;
  }

  #abandon(): void {
    for (const work of this.#segment.values()) work.clear();
    this.#segment.clear();
    this.#cycles.clear();
    this.#truncates = [];
    this.#merged = [];
  }

  #requireFull(work: TableWork, old: number): void {
    if (old === OldTuple.full) return;
    const { schema, name } = work.source;
    throw new OperatorError(
      'PG_REPLICA_IDENTITY',
      `a row of table ${schema}.${name} was changed, but the source does not tell which: it has no replica identity`,
      { fix: `ALTER TABLE "${schema}"."${name}" REPLICA IDENTITY FULL; -- in the source database` },
    );
  }
}

/** The columns that were sent, as text to group rows by. */
function sentMask(store: RowStore, row: number): string {
  const buffer = row < 0 ? store.merged[-row - 1] : store.log;
  let at = Math.max(row, 0);
  const columns = (buffer[at] << 8) | buffer[at + 1];
  let mask = '';
  at += 2;
  for (let i = 0; i < columns; i++) {
    mask += buffer[at] === ValueKind.unchanged ? '0' : '1';
    at += buffer[at] === ValueKind.text ? 5 + buffer.readInt32BE(at + 1) : 1;
  }
  return mask;
}
