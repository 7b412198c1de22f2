import type { Failures } from './failures.ts';
import type { Intrinsics } from './intrinsics.ts';
import type { RealmIo, RealmWrite } from './io.ts';
import type { Output } from './output.ts';
import type { Handlers, Row, Rows } from './rows.ts';

export interface Writes {
  readonly getTX: () => unknown;
  readonly write: (rows: unknown) => Promise<unknown>;
  /** Begins a call of onWrite; what it asks for and how it ends is told by events. */
  begin(handlers: Handlers, rows: RealmWrite): void;
  /** Answers a request: the rows of a query, or nothing. */
  answer(request: number, rows: readonly (readonly (string | boolean | null)[])[] | undefined): void;
  refuse(request: number, message: string): void;
  /** Ends the present call: what it still asks for is refused. */
  over(): void;
}

/** The part of the API that works inside of onWrite. */
export function createWrites(
  intrinsics: Intrinsics,
  failures: Failures,
  output: Output,
  rows: Rows,
  io: RealmIo,
): Writes {
  const { apply, isArray, stringify, parse, freeze, put, record, toText, promiseThen, PromiseType } = intrinsics;
  const { running } = failures;
  const fail: Failures['fail'] = failures.fail;
  const { events, out, progress, counts } = io;
  interface Waiting {
    resolve(value: unknown): void;
    reject(error: unknown): void;
  }
  let present: RealmWrite | undefined;
  let asked = 0;
  let waiting = record<Waiting>();

  function tell(kind: string, number: unknown, content: unknown): void {
    events[events.length] = kind;
    events[events.length] = number;
    events[events.length] = content;
  }

  function required(name: string): RealmWrite {
    return (
      present ??
      fail(
        'SCRIPT_TRANSACTION',
        `${name} can only be used inside of onWrite, before the promise that it returns is settled`,
      )
    );
  }

  function request(kind: string, content: unknown): Promise<unknown> {
    const number = ++asked;
    return new PromiseType((resolve, reject) => {
      waiting[number] = { resolve, reject };
      tell(kind, number, content);
    });
  }

  /** JSON of a statement and its parameters. */
  function statement(name: string, args: readonly unknown[]): string {
    if (typeof args[0] !== 'string') fail('SCRIPT_TRANSACTION', `${name} was given no SQL text`);
    let text = stringify(args[0] as string);
    for (let i = 1; i < args.length; i++) {
      const value = output.text(args[i] ?? null, isArray(args[i]) ? 3 : 0, '', undefined);
      text += `,${value === null ? 'null' : stringify(value)}`;
    }
    return `[${text}]`;
  }

  function emitDeletion(op: Row, name: string): void {
    const { before, pk } = op;
    const key = rows.target(name)?.key ?? [];
    if (key.length === 0) {
      if (!rows.isRow(before)) {
        fail('SCRIPT_KEY', `write() was given a deletion without the row before it, and table ${name} has no key`);
      }
      rows.emit(1, name, before, undefined, 0);
      return;
    }
    if (!isArray(pk) || pk.length !== key.length) {
      fail('SCRIPT_KEY', `write() was given a deletion whose pk is not the key of table ${name}: ${key[0]}…`);
    }
    const row = record<unknown>();
    for (let i = 0; i < key.length; i++) row[key[i]] = pk[i];
    rows.emit(1, name, row, undefined, 0);
  }

  function emitOp(op: unknown, own: RealmWrite): void {
    if (!rows.isRow(op)) fail('SCRIPT_RESULT', 'write() was given something that is no row');
    const { action, data, meta } = op;
    const named = rows.isRow(meta) ? meta.table : undefined;
    const name = typeof named === 'string' ? named : own.target;
    if (action === 'delete') {
      emitDeletion(op, name);
      return;
    }
    if (action !== 'upsert' || !rows.isRow(data)) {
      fail('SCRIPT_RESULT', 'write() takes rows whose action is delete, or upsert with data');
    }
    rows.emit(0, name, data, undefined, 0);
  }

  async function write(list: unknown): Promise<unknown> {
    const own = required('write()');
    if (!isArray(list)) fail('SCRIPT_RESULT', 'write() takes a list of rows');
    const start = out.length;
    const emitted: unknown[] = [];
    try {
      for (let i = 0; i < list.length; i++) emitOp(list[i], own);
      for (let i = start; i < out.length; i++) put(emitted, i - start, out[i]);
    } finally {
      out.length = start;
    }
    return request('put', emitted);
  }

  function getTX(): unknown {
    const own = required('getTX()');
    const live = (name: string) => {
      if (present !== own) fail('SCRIPT_TRANSACTION', `${name} was called on a transaction that has ended`);
    };
    return freeze({
      query: async (...args: unknown[]) => {
        live('query()');
        return request('query', statement('query()', args));
      },
      exec: async (...args: unknown[]) => {
        live('exec()');
        return request('exec', statement('exec()', args));
      },
      columns: () => {
        live('columns()');
        return parse(own.columns);
      },
      schema: () => {
        live('schema()');
        return own.schema;
      },
      table: () => {
        live('table()');
        return own.table;
      },
    });
  }

  function rowOp(own: RealmWrite, i: number): Row {
    const plan = rows.plan(own.plans[i]);
    const row = rows.rowOf(plan, own.at[i]);
    const key = rows.target(own.target)?.key ?? [];
    const pk: unknown[] = [];
    for (let j = 0; j < key.length; j++) put(pk, j, rows.columnValue(row, key[j]) ?? null);
    const meta = { schema: plan.schema, table: own.target };
    const before = own.before[i] < 0 ? undefined : rows.rowOf(plan, own.before[i]);
    const op: Row = own.calls[i] === 0 ? { action: 'upsert', data: row, meta, pk } : { action: 'delete', meta, pk };
    if (before !== undefined) op.before = before;
    return op;
  }

  return {
    getTX,
    write,
    begin(handlers, own) {
      present = own;
      waiting = record<Waiting>();
      running.handler = 'onWrite';
      running.table = own.target;
      progress[1] = 0;
      progress[2] = 4;
      progress[0]++;
      counts[handlers.counters + 8]++;
      const failed = (error: unknown) => tell('failed', 0, failures.thrown(error));
      try {
        const ops: unknown[] = [];
        for (let i = 0; i < own.length; i++) put(ops, i, rowOp(own, i));
        const result = apply(handlers.write!, undefined, [ops]);
        const settled = new PromiseType((resolve) => {
          resolve(result);
        });
        apply(promiseThen, settled, [() => tell('done', 0, undefined), failed]);
      } catch (error) {
        failed(error);
      }
    },
    answer(number, list) {
      const own = waiting[number];
      delete waiting[number];
      progress[0]++;
      if (list === undefined) {
        own?.resolve(undefined);
        return;
      }
      const copied: unknown[] = [];
      for (let i = 0; i < list.length; i++) {
        const row: unknown[] = [];
        for (let j = 0; j < list[i].length; j++) put(row, j, list[i][j]);
        put(copied, i, row);
      }
      own?.resolve(copied);
    },
    refuse(number, message) {
      const own = waiting[number];
      delete waiting[number];
      progress[0]++;
      own?.reject(failures.refusal(number, toText(message)));
    },
    over() {
      present = undefined;
      waiting = record<Waiting>();
    },
  };
}
