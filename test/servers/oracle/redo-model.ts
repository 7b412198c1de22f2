import { RedoLogs } from './redo-log.ts';
import { literal, type ModelColumn, type ModelValue, type Nls } from './redo-text.ts';

export interface ModelTable {
  readonly owner: string;
  readonly name: string;
  readonly objectId: number;
  readonly columns: readonly ModelColumn[];
  /** Positions of the columns of the primary key; none: the table has none. */
  readonly key: readonly number[];
  /** Unique indexes beside it, by their names: positions of their columns. */
  readonly unique: ReadonlyMap<string, readonly number[]>;
  /** Everything but large objects is logged of it. */
  allLogged: boolean;
  /** What is in it now, committed or not, by ROWID. */
  readonly rows: Map<string, ModelValue[]>;
}

/** A row change in the redo, from which the text is made when it is mined. */
interface Change {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly table: ModelTable;
  /** Columns that are set, with their values. */
  readonly set: readonly (readonly [number, ModelValue])[];
  /** Columns of the condition. */
  readonly where: readonly (readonly [number, ModelValue])[];
}

/** A record of the redo; `text` where it is no row change. */
export interface RedoRecord {
  readonly scn: bigint;
  readonly xid: string;
  readonly operation: number;
  readonly rollback: boolean;
  readonly owner: string | null;
  readonly table: string | null;
  readonly rowId: string;
  readonly thread: number;
  readonly container: string | null;
  readonly status: number;
  readonly info: string | null;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly change?: Change;
  readonly text?: string;
}

/** Columns whose content is written apart from the row when it is longer than this. */
const INLINE_LOB = 1000;
/** Characters of a large object in one record. */
const LOB_PIECE = 500;

export interface ModelOptions {
  readonly container?: string | null;
  readonly threads?: number;
  readonly scn?: bigint;
  readonly cdb?: boolean;
}

/**
 * An Oracle database as LogMiner shows it: tables, transactions that change them, and the redo that these leave. What it holds at the
 * end is the truth that a target is compared with.
 *
 * What it does not imitate: DDL, and redo of tables that were altered or dropped; TRUNCATE; holes; values that LogMiner
 * does not tell (tests write such records themselves). Parents of parallel transactions; numbers of transactions without their
 * sequence; undo of writes to large objects, which goes with that of their rows; pieces of LONG, XMLTYPE and long VARCHAR2;
 * internal records; rows that are chained, or of index-organized tables. Names with quotes that LogMiner fails to double. Versions of the dictionary.
 * Threads that are closed. Several destinations
 * of archived logs, members of groups that are damaged, and how long anything takes. Locks: a test does not let two transactions change one
 * row. A failing statement takes nothing back.
 */
export class RedoModel {
  readonly tables = new Map<string, ModelTable>();
  readonly redo: RedoRecord[] = [];
  readonly logs: RedoLogs;
  readonly container: string | null;
  readonly cdb: boolean;
  readonly threads: number;
  readonly dbid = '2904171234';
  resetlogs = 1n;
  /** The newest SCN. */
  scn: bigint;
  /** Records that are on disk: LogMiner sees no others. */
  flushed = 0;
  /** Of this thread nothing from that record on is on disk; its newest redo there is of that SCN. */
  slow: { readonly thread: number; readonly from: number; readonly scn: bigint } | undefined;
  readonly open = new Set<ModelTransaction>();
  #xids = 0;
  #rowIds = 0;
  #objects = 73000;
  /** What the database is set to; a test may change it, and so may the statements of fixes. */
  readonly settings = {
    version: '19.28.0.0.0',
    logMode: 'ARCHIVELOG',
    minimal: 'YES',
    key: 'YES',
    all: 'NO',
    force: 'YES',
    openMode: 'READ WRITE',
    role: 'PRIMARY',
    switches: 2,
    logBytes: 1024 * 2 ** 20,
  };
  /** Views and tables that the user may not read, and `LOGMINING`, `DBMS_LOGMNR`. */
  readonly denied = new Set<string>();
  /** The error that they get: ORA-00942, or ORA-41900 of newer servers. */
  denial = 942;
  /** Tables of which partitions have numbers of their own, by those. */
  readonly partitions = new Map<string, ModelTable>();
  /** Tables that the user may not see. */
  readonly hidden = new Set<string>();
  /** Hours by which the host's clock is ahead of UTC. */
  readonly zone = 2;

  constructor({ container = null, threads = 1, scn = 26_685_000n, cdb = container !== null }: ModelOptions = {}) {
    this.container = container;
    this.threads = threads;
    this.scn = scn;
    this.cdb = cdb;
    this.logs = new RedoLogs(threads, scn - 1000n);
  }

  /** @param unique by its name the columns of each unique index: without a primary key the first of them is what is logged */
  createTable(
    owner: string,
    name: string,
    columns: readonly ModelColumn[],
    key: readonly string[],
    unique: Readonly<Record<string, readonly string[]>> = {},
  ): ModelTable {
    const positions = (names: readonly string[]) => names.map((each) => columns.findIndex((one) => one.name === each));
    const table: ModelTable = {
      owner,
      name,
      objectId: ++this.#objects,
      columns,
      allLogged: false,
      key: positions(key),
      unique: new Map(Object.entries(unique).map(([index, names]) => [index, positions(names)])),
      rows: new Map(),
    };
    this.tables.set(`${owner}.${name}`, table);
    return table;
  }

  begin(thread = 1, user = 'APP'): ModelTransaction {
    const number = ++this.#xids;
    const hex = (value: number, width: number) => value.toString(16).toUpperCase().padStart(width, '0');
    const xid = `${hex((number % 10) + 1, 4)}${hex(number % 34, 4)}${hex(number, 8)}`;
    const transaction = new ModelTransaction(this, xid, thread, this.scn + 1n, user);
    this.open.add(transaction);
    return transaction;
  }

  nextRowId(): string {
    return `AAAR2o${(++this.#rowIds).toString(36).toUpperCase().padStart(12, '0')}`;
  }

  /** Adds a record; `step` is how much the SCN grows before it. */
  write(
    record: Omit<RedoRecord, 'scn' | 'time' | 'container' | 'status' | 'info'> & Partial<RedoRecord>,
    step = 1n,
  ): void {
    this.scn += step;
    this.redo.push({
      time: Date.now(),
      container: this.container,
      status: 0,
      info: null,
      ...record,
      scn: this.scn,
    });
  }

  /** Time passes. */
  advance(scns: bigint): void {
    this.scn += scns;
  }

  /** Index of the first record behind an SCN. */
  firstAfter(scn: bigint): number {
    let low = 0;
    let high = this.redo.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.redo[middle].scn > scn) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The newest SCN of a thread that is on disk. */
  lastRedo(thread: number): bigint {
    if (this.slow?.thread === thread) return this.slow.scn;
    // An idle instance keeps up by itself.
    const last = this.redo[this.flushed - 1];
    return this.threads > 1 && thread > 1 ? this.scn : (last?.scn ?? this.scn);
  }

  /** From now on the instance of that thread writes nothing to disk, until the returned function is called. */
  stall(thread: number): () => void {
    this.slow = { thread, from: this.redo.length, scn: this.scn };
    return () => {
      this.slow = undefined;
    };
  }

  /** LGWR writes everything to disk. */
  flush(): void {
    this.flushed = this.redo.length;
  }

  switchLog(thread = 1, archive: 'there' | 'late' = 'there'): void {
    this.flush();
    this.logs.switch(thread, ++this.scn, archive);
  }

  /** The text of a record, for a session with these settings. */
  render({ change, text, rowId }: RedoRecord, nls: Nls, options: { readonly rowIds: boolean }): string {
    if (change === undefined) return text ?? '';
    const { table, set, where, kind } = change;
    const place = `"${table.owner}"."${table.name}"`;
    const name = (i: number) => `"${table.columns[i].name}"`;
    const value = (i: number, text: ModelValue) => literal(table.columns[i], text, nls);
    const conditions = where.map(([i, v]) => (v === null ? `${name(i)} IS NULL` : `${name(i)} = ${value(i, v)}`));
    if (options.rowIds) conditions.push(`ROWID = '${rowId}'`);
    const condition = conditions.length > 0 ? ` where ${conditions.join(' and ')}` : '';
    if (kind === 'delete') return `delete from ${place}${condition}`;
    if (kind === 'update')
      return `update ${place} set ${set.map(([i, v]) => `${name(i)} = ${value(i, v)}`).join(', ')}${condition}`;
    const columns = set.map(([i]) => name(i)).join(',');
    const values = set.map(([i, v]) => (isEmptyLob(table.columns[i], v) ? emptyLob(table.columns[i]) : value(i, v)));
    return `insert into ${place}(${columns}) values (${values.join(',')})`;
  }
}

function isLob({ type }: ModelColumn): boolean {
  return type === 'CLOB' || type === 'BLOB' || type === 'NCLOB';
}

function isEmptyLob(column: ModelColumn, value: ModelValue): boolean {
  return value === '' && isLob(column);
}

function emptyLob({ type }: ModelColumn): string {
  return type === 'BLOB' ? 'EMPTY_BLOB()' : 'EMPTY_CLOB()';
}

/** What has to be done to take a change back. */
interface Undo {
  readonly table: ModelTable;
  readonly rowId: string;
  readonly before: ModelValue[] | undefined;
}

/** A transaction of the model: writes its redo as it goes. */
export class ModelTransaction {
  readonly xid: string;
  readonly firstScn: bigint;
  /** Whose session it is. */
  readonly user: string;
  readonly #model: RedoModel;
  readonly #thread: number;
  readonly #undo: Undo[] = [];
  readonly #locked = new Set<string>();
  #begun = false;

  constructor(model: RedoModel, xid: string, thread: number, firstScn: bigint, user: string) {
    this.#model = model;
    this.xid = xid;
    this.#thread = thread;
    this.firstScn = firstScn;
    this.user = user;
  }

  /** Rows that no other transaction may touch until this one ends. */
  get locked(): ReadonlySet<string> {
    return this.#locked;
  }

  get changes(): number {
    return this.#undo.length;
  }

  insert(table: ModelTable, values: readonly ModelValue[]): string {
    const rowId = this.#model.nextRowId();
    const inline = values.map((value, i) => (value !== null && isLob(table.columns[i]) ? '' : value));
    this.#change(
      'insert',
      table,
      rowId,
      undefined,
      [...values],
      inline.map((value, i) => [i, value] as const),
      [],
    );
    values.forEach((value, i) => {
      if (value !== null && value !== '' && isLob(table.columns[i])) this.#lob(table, rowId, i, value);
    });
    return rowId;
  }

  update(table: ModelTable, rowId: string, set: ReadonlyMap<number, ModelValue>): void {
    const before = this.#row(table, rowId);
    const after = before.map((value, i) => (set.has(i) ? (set.get(i) ?? null) : value));
    const logged = this.#condition(table, before);
    // What a column was that is set is told, too.
    const former = before
      .map((value, i) => [i, value] as const)
      .filter(([i]) => set.has(i) && !isLob(table.columns[i]) && !logged.some(([each]) => each === i));
    this.#change('update', table, rowId, before, after, [...set], [...logged, ...former]);
  }

  delete(table: ModelTable, rowId: string): void {
    const before = this.#row(table, rowId);
    const all = before.map((value, i) => [i, value] as const).filter(([i]) => !isLob(table.columns[i]));
    this.#change('delete', table, rowId, before, undefined, [], all);
  }

  /** A savepoint, for `rollbackTo`. */
  savepoint(): number {
    return this.#undo.length;
  }

  rollbackTo(savepoint: number): void {
    while (this.#undo.length > savepoint) {
      const undo = this.#undo.pop();
      if (undo !== undefined) this.#takeBack(undo);
    }
  }

  commit(step = 1n): void {
    this.#model.open.delete(this);
    if (!this.#begun) return;
    this.#record(7, { text: 'commit' }, step);
  }

  rollback(): void {
    this.rollbackTo(0);
    this.#model.open.delete(this);
    if (this.#begun) this.#record(36, { text: 'rollback' });
  }

  #row(table: ModelTable, rowId: string): ModelValue[] {
    const row = table.rows.get(rowId);
    if (row === undefined) throw new TypeError(`no row ${rowId}`);
    return row;
  }

  /** With primary key logging: the key, else a unique one, else everything but large objects. */
  #condition(table: ModelTable, before: readonly ModelValue[]): (readonly [number, ModelValue])[] {
    const [logged = []] = table.allLogged ? [] : table.key.length > 0 ? [table.key] : table.unique.values();
    if (logged.length > 0) return logged.map((i) => [i, before[i]] as const);
    return before.map((value, i) => [i, value] as const).filter(([i]) => !isLob(table.columns[i]));
  }

  #change(
    kind: Change['kind'],
    table: ModelTable,
    rowId: string,
    before: ModelValue[] | undefined,
    after: ModelValue[] | undefined,
    set: Change['set'],
    where: Change['where'],
  ): void {
    this.#undo.push({ table, rowId, before });
    this.#locked.add(rowId);
    if (after === undefined) table.rows.delete(rowId);
    else table.rows.set(rowId, after);
    this.#write(kind, table, rowId, set, where, false);
  }

  /** The undo of a change is redo, too, and tells little of the row. */
  #takeBack({ table, rowId, before }: Undo): void {
    const current = table.rows.get(rowId);
    if (before === undefined) {
      table.rows.delete(rowId);
      this.#write('delete', table, rowId, [], [], true);
    } else if (current === undefined) {
      table.rows.set(rowId, before);
      this.#write(
        'insert',
        table,
        rowId,
        before.map((value, i) => [i, value] as const),
        [],
        true,
      );
    } else {
      table.rows.set(rowId, before);
      const set = before.map((value, i) => [i, value] as const).filter(([i, value]) => value !== current[i]);
      this.#write('update', table, rowId, set, [], true);
    }
  }

  #write(
    kind: Change['kind'],
    table: ModelTable,
    rowId: string,
    set: Change['set'],
    where: Change['where'],
    rollback: boolean,
  ): void {
    const operation = { insert: 1, delete: 2, update: 3 }[kind];
    this.#record(operation, {
      change: { kind, table, set, where },
      owner: table.owner,
      table: table.name,
      rowId,
      rollback,
    });
  }

  /** The content of a large object follows its row: short ones as an update, long ones in pieces. */
  #lob(table: ModelTable, rowId: string, column: number, value: string): void {
    const row = this.#row(table, rowId);
    if (value.length <= INLINE_LOB) {
      // It is a change of its own, with an undo of its own.
      this.#undo.push({ table, rowId, before: row.map((each, i) => (i === column ? '' : each)) });
      this.#write('update', table, rowId, [[column, value]], this.#condition(table, row), false);
      return;
    }
    const { type, name } = table.columns[column];
    const hex = type === 'BLOB';
    const nls: Nls = new Map([
      ['NLS_DATE_FORMAT', 'YYYY-MM-DD HH24:MI:SS'],
      ['NLS_TIMESTAMP_FORMAT', 'YYYY-MM-DD HH24:MI:SS.FF9'],
    ]);
    const where = this.#condition(table, row)
      .map(([i, v]) =>
        v === null
          ? `"${table.columns[i].name}" IS NULL`
          : `"${table.columns[i].name}" = ${literal(table.columns[i], v, nls)}`,
      )
      .join(' and ');
    const locator = hex ? 'loc_b' : 'loc_c';
    const place = { owner: table.owner, table: table.name, rowId: '' };
    this.#record(9, {
      ...place,
      text: `DECLARE\n loc_c CLOB;\n buf_c VARCHAR2(6174);\n loc_b BLOB;\n buf_b RAW(6174);\nBEGIN\n select "${name}" into ${locator} from "${table.owner}"."${table.name}" where ${where} for update;\n`,
    });
    for (let at = 0; at < value.length; at += LOB_PIECE) {
      const piece = value.slice(at, at + LOB_PIECE);
      const content = hex ? `HEXTORAW('${piece}')` : `'${piece.replaceAll("'", "''")}'`;
      const unit = hex ? 2 : 1;
      this.#record(10, {
        ...place,
        text: ` buf_${hex ? 'b' : 'c'} := ${content};\n  dbms_lob.write(${locator}, ${piece.length / unit}, ${at / unit + 1}, buf_${hex ? 'b' : 'c'});\n`,
      });
    }
  }

  #record(operation: number, record: Partial<RedoRecord>, step = 1n): void {
    const common = {
      xid: this.xid,
      rollback: false,
      owner: null,
      table: null,
      rowId: 'AAAAAAAAAAAAAAAAAA',
      thread: this.#thread,
    };
    if (!this.#begun) {
      this.#begun = true;
      this.#model.write({ ...common, operation: 6, text: 'set transaction read write' });
    }
    this.#model.write({ ...common, operation, ...record }, step);
  }
}
