import type { ModelTable, ModelTransaction, RedoModel } from '../servers/oracle/redo-model.ts';
import type { ModelColumn, ModelValue } from '../servers/oracle/redo-text.ts';
import type { Dice } from './workload-steps.ts';

const column = (name: string, type: string, length: number, nullable = true): ModelColumn => ({
  name,
  type,
  length,
  nullable,
});

/** The tables of the workload at the target. */
export const ORACLE_TARGET_TABLES = `
  CREATE TABLE orders (id numeric PRIMARY KEY, name text, amount numeric, placed timestamp, stamp timestamp, note text, token bytea, code text);
  CREATE TABLE lines (order_id numeric, no numeric, text text, PRIMARY KEY (order_id, no));
  CREATE TABLE pairs (a numeric NOT NULL, b numeric NOT NULL, text text, UNIQUE (a, b));
  CREATE TABLE docs (id numeric PRIMARY KEY, title text NOT NULL, body text, bin bytea);
  CREATE TABLE journal (what text, at timestamp)`;

/** What each column of a table is compared as. */
const COMPARED: Readonly<Record<string, string>> = {
  ORDERS: `id::text, name, amount::text, to_char(placed, 'YYYY-MM-DD HH24:MI:SS'), to_char(stamp, 'YYYY-MM-DD HH24:MI:SS.US') || '000', note, upper(encode(token, 'hex')), code`,
  LINES: 'order_id::text, no::text, text',
  PAIRS: 'a::text, b::text, text',
  DOCS: `id::text, title, body, upper(encode(bin, 'hex'))`,
  JOURNAL: `what, to_char(at, 'YYYY-MM-DD HH24:MI:SS')`,
};

/** Queries of the target whose rows are those of the model, table by table. */
export function comparedQueries(): [table: string, sql: string][] {
  return Object.entries(COMPARED).map(([table, columns]) => [table, `SELECT ${columns} FROM ${table.toLowerCase()}`]);
}

const WORDS = [
  "it's",
  'a || b',
  '), (',
  ', "',
  'x\\y',
  'žluťoučký',
  '漢字',
  '🙂',
  "''",
  ' end ',
  "where 'a' = 'b'",
  ';',
];

/** Most transactions that are open at a time. */
const LANES = 8;

/** The first of them are long: each step ends one of these with this chance, 1 in so many. */
const LONG_LANES = 2;
const LONG = 300;

/**
 * Random transactions at an Oracle database: interleaved and long ones, many that commit at once, savepoints within savepoints, rollbacks, keys that move,
 * change places and are used again, large objects, long rows, tables without key, and with a unique one in its place.
 */
export class OracleWorkload {
  readonly #model: RedoModel;
  readonly #dice: Dice;
  readonly #tables: Readonly<Record<'orders' | 'lines' | 'pairs' | 'docs' | 'journal', ModelTable>>;
  readonly #lanes: (ModelTransaction | undefined)[] = [];
  #ids = 0;

  constructor(model: RedoModel, owner: string, dice: Dice) {
    this.#model = model;
    this.#dice = dice;
    this.#tables = {
      orders: model.createTable(
        owner,
        'ORDERS',
        [
          column('ID', 'NUMBER', 22, false),
          column('NAME', 'VARCHAR2', 4000),
          column('AMOUNT', 'NUMBER', 22),
          column('PLACED', 'DATE', 7),
          column('STAMP', 'TIMESTAMP(6)', 11),
          column('NOTE', 'NVARCHAR2', 400),
          column('TOKEN', 'RAW', 16),
          column('CODE', 'CHAR', 6),
        ],
        ['ID'],
      ),
      lines: model.createTable(
        owner,
        'LINES',
        [column('ORDER_ID', 'NUMBER', 22, false), column('NO', 'NUMBER', 22, false), column('TEXT', 'VARCHAR2', 4000)],
        ['ORDER_ID', 'NO'],
      ),
      pairs: model.createTable(
        owner,
        'PAIRS',
        [column('A', 'NUMBER', 22, false), column('B', 'NUMBER', 22, false), column('TEXT', 'VARCHAR2', 4000)],
        [],
        { PAIRS_U: ['A', 'B'] },
      ),
      docs: model.createTable(
        owner,
        'DOCS',
        [
          column('ID', 'NUMBER', 22, false),
          column('TITLE', 'VARCHAR2', 100, false),
          column('BODY', 'CLOB', 4000),
          column('BIN', 'BLOB', 4000),
        ],
        ['ID'],
      ),
      journal: model.createTable(owner, 'JOURNAL', [column('WHAT', 'VARCHAR2', 100), column('AT', 'DATE', 7)], []),
    };
  }

  /** Transactions that are open from now on, and have changed something: a copy that is made next lacks all of it. */
  open(): void {
    for (let lane = 0; lane < LANES; lane++) {
      const opened = this.#model.begin(1 + (lane % this.#model.threads));
      this.#lanes[lane] = opened;
      for (let i = 0; i < 5; i++) this.#change(opened);
    }
  }

  /** Where mining has to begin for what is open. */
  get oldest(): bigint {
    return this.#lanes.reduce(
      (least, lane) => (lane !== undefined && lane.firstScn < least ? lane.firstScn : least),
      this.#model.scn,
    );
  }

  /** The SCN as of which a copy holds what is committed: asking for it takes it, so that nothing commits at it any more. */
  copied(): bigint {
    const { scn } = this.#model;
    this.#model.advance(1n);
    return scn;
  }

  /** Something happens. */
  step(): void {
    const dice = this.#dice;
    const lane = dice.roll(LANES);
    const open = this.#lanes[lane];
    if (open === undefined) {
      this.#lanes[lane] = this.#model.begin(1 + dice.roll(this.#model.threads));
      return;
    }
    const what = dice.roll(20);
    if (lane < LONG_LANES ? dice.roll(LONG) === 0 : what < 2) this.#end(lane, open);
    else if (what === 0) {
      // As the servers of a parallel statement do.
      for (let other = LONG_LANES; other < LANES; other++) {
        const each = this.#lanes[other];
        if (each !== undefined && dice.roll(2) === 0) this.#end(other, each);
      }
    } else if (what === 2) this.#takenBack(open, 2);
    else if (what === 3) this.#model.advance(BigInt(dice.roll(300)));
    else if (what === 4 && dice.roll(12) === 0) this.#model.switchLog(1 + dice.roll(this.#model.threads));
    else this.#change(open);
  }

  /** Ends everything that is open. */
  finish(): void {
    this.#lanes.forEach((open, lane) => {
      if (open !== undefined) this.#end(lane, open);
    });
  }

  /** What the target has to hold, as `comparedQueries` selects it. */
  rows(table: string): ModelValue[][] {
    const found = Object.values(this.#tables).find(({ name }) => name === table);
    return [...(found?.rows.values() ?? [])];
  }

  /** Changes up to a savepoint, with others within. */
  #takenBack(open: ModelTransaction, depth: number): void {
    const dice = this.#dice;
    const savepoint = open.savepoint();
    for (let i = dice.roll(5); i >= 0; i--) {
      if (depth > 0 && dice.roll(4) === 0) this.#takenBack(open, depth - 1);
      else this.#change(open);
    }
    open.rollbackTo(savepoint);
  }

  /** Two rows change places, or one goes away and comes back, or it is replaced by another one of its key. */
  #keys(open: ModelTransaction): void {
    const { orders } = this.#tables;
    const rowId = this.#free(orders, open);
    const other = this.#free(orders, open);
    if (rowId === undefined || other === undefined) return;
    const id = orders.rows.get(rowId)?.[0] ?? null;
    const key = (value: ModelValue) => new Map([[0, value]]);
    const what = this.#dice.roll(3);
    if (what === 0) {
      open.delete(orders, rowId);
      open.insert(orders, [id, ...this.#order()]);
    } else {
      open.update(orders, rowId, key(String(++this.#ids)));
      if (what === 1 && other !== rowId) {
        const others = orders.rows.get(other)?.[0] ?? null;
        open.update(orders, other, key(id));
        open.update(orders, rowId, key(others));
      } else open.update(orders, rowId, key(id));
    }
  }

  #end(lane: number, open: ModelTransaction): void {
    if (this.#dice.roll(6) === 0) open.rollback();
    // Several commits may have one SCN.
    else open.commit(this.#dice.roll(4) === 0 ? 0n : 1n);
    this.#lanes[lane] = undefined;
  }

  #change(open: ModelTransaction): void {
    const dice = this.#dice;
    const { orders, lines, pairs, docs, journal } = this.#tables;
    const kind = dice.roll(14);
    if (kind === 12) this.#keys(open);
    else if (kind === 13) open.insert(pairs, [String(++this.#ids), String(dice.roll(5)), this.#word()]);
    else if (kind < 3) open.insert(orders, [String(++this.#ids), ...this.#order()]);
    else if (kind === 3) open.insert(lines, [String(++this.#ids), String(dice.roll(5)), this.#text()]);
    else if (kind === 4) open.insert(docs, [String(++this.#ids), this.#word(), this.#large(false), this.#large(true)]);
    else if (kind === 5) open.insert(journal, [this.#word(), this.#date()]);
    else {
      const table = dice.pick([orders, orders, lines, pairs, docs, journal]);
      const rowId = this.#free(table, open);
      if (rowId === undefined) return;
      if (kind === 6) open.delete(table, rowId);
      else if (kind === 7 && table === orders) {
        open.update(orders, rowId, new Map([[0, String(++this.#ids)]]));
      } else if (table === docs) open.update(docs, rowId, new Map([[1, this.#word()]]));
      else if (table === journal) open.update(journal, rowId, new Map([[0, this.#word()]]));
      else if (table === pairs) open.update(pairs, rowId, new Map([[dice.pick([1, 2]), String(dice.roll(1_000_000))]]));
      else if (table === lines) open.update(lines, rowId, new Map([[2, this.#text()]]));
      else {
        const values = this.#order();
        const set = new Map<number, ModelValue>();
        for (let i = 1; i <= values.length; i++) if (dice.roll(3) === 0) set.set(i, values[i - 1]);
        if (set.size > 0) open.update(orders, rowId, set);
      }
    }
  }

  /** A row that no other transaction holds. */
  #free(table: ModelTable, open: ModelTransaction): string | undefined {
    const rowIds = [...table.rows.keys()];
    for (let i = 0; i < 5 && rowIds.length > 0; i++) {
      const rowId = this.#dice.pick(rowIds);
      const held = this.#lanes.some((other) => other !== undefined && other !== open && other.locked.has(rowId));
      if (!held) return rowId;
    }
    return undefined;
  }

  #order(): ModelValue[] {
    const dice = this.#dice;
    const or = (value: ModelValue) => (dice.roll(5) === 0 ? null : value);
    return [
      or(dice.roll(20) === 0 ? this.#text() : this.#word()),
      or(`${dice.pick(['', '-'])}${dice.pick(['0', '7', '123456789012345678901234567890'])}.${1 + dice.roll(8)}`),
      or(this.#date()),
      or(`${this.#date()}.${String(dice.roll(1_000_000)).padStart(6, '0')}000`),
      or(this.#word()),
      or(Array.from({ length: 16 }, () => dice.roll(256).toString(16).toUpperCase().padStart(2, '0')).join('')),
      or(dice.pick(['A', 'BC', 'x y'])),
    ];
  }

  #word(): string {
    const dice = this.#dice;
    return (
      Array.from({ length: 1 + dice.roll(4) }, () => dice.pick(WORDS))
        .join('')
        .trim() || 'w'
    );
  }

  /** Long enough to be cut into several rows of redo. */
  #text(): string {
    let text = this.#word();
    const length = this.#dice.roll(3900);
    while (text.length < length) text += this.#word();
    return text;
  }

  #large(hex: boolean): ModelValue {
    const dice = this.#dice;
    if (dice.roll(3) === 0) return null;
    const length = dice.pick([10, 900, 2500]);
    if (hex) return 'C0FFEE'.repeat(length / 2);
    let text = '';
    while (text.length < length) text += dice.pick(['lorem ', "it's ", 'ipsum (', '); ']);
    return text.trim();
  }

  #date(): string {
    const { roll } = this.#dice;
    const two = (value: number) => String(value).padStart(2, '0');
    return `${1900 + roll(200)}-${two(1 + roll(12))}-${two(1 + roll(28))} ${two(roll(24))}:${two(roll(60))}:${two(roll(60))}`;
  }
}
