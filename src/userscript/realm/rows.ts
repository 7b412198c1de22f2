import type { Failures } from './failures.ts';
import type { Intrinsics } from './intrinsics.ts';
import type { PlanSpec, RealmIo, RealmRun, TargetSpec, ThrownText } from './io.ts';
import type { Lazy } from './lazy.ts';
import type { Output } from './output.ts';

export type Row = Record<string, unknown>;
export type Handler = (...args: unknown[]) => unknown;

/** The handlers of a schema or of tables. */
export interface Handlers {
  readonly upsert: Handler | undefined;
  readonly remove: Handler | undefined;
  readonly write: Handler | undefined;
  /** Where their counters begin. */
  readonly counters: number;
}

export interface Plan extends PlanSpec {
  /** Makes a row of the values that begin at an offset. */
  readonly make: (values: unknown[], at: number, accessors: unknown, define: unknown, stamp: unknown) => Row;
  /** Of its columns that are made when they are looked at. */
  readonly accessors: readonly PropertyDescriptor[];
  readonly index: Record<string, number>;
  /** True when every value is shown as it is. */
  readonly plain: boolean;
}

export interface Target {
  readonly name: string;
  readonly shown: Record<string, number>;
  readonly kinds: Record<string, string>;
  readonly key: readonly string[];
}

export interface Rows {
  addPlan(spec: PlanSpec, make: unknown): void;
  plan(id: number): Plan;
  setTargets(targets: readonly TargetSpec[]): void;
  target(name: string): Target | undefined;
  /** Binds the handlers of a number to a target table. */
  bind(table: string, handlers: Handlers): void;
  /** Calls handlers until one fails; how many calls went well, and the failure. */
  run(run: RealmRun, schemaHandlers: (index: number) => Handlers): { done: number; error: ThrownText | undefined };
  rowOf(plan: Plan, at: number): Row;
  isRow(value: unknown): value is Row;
  /** A row's value for a column, whose case may differ. */
  columnValue(row: Row, name: string): unknown;
  /** Puts a row for `target` into `out`. `plan` and `at` tell what the source sent, where it is known. */
  emit(call: number, target: string, row: Row, plan: Plan | undefined, at: number): void;
}

/** Rows on their way through the handlers. */
export function createRows(intrinsics: Intrinsics, failures: Failures, lazy: Lazy, output: Output, io: RealmIo): Rows {
  const { apply, keys, isArray, record, put, fold, defineProperty } = intrinsics;
  const { fail, running } = failures;
  const { progress, counts, values, out, outcomes, missing, probe, longest } = io;
  const plans = record<Plan>();
  let targets = record<Target>();
  const tableHandlers = record<Handlers>();

  /** Names that differ in case alone are one where nothing else has that name: so does the engine find columns and tables. */
  const folded = (name: string) => `\0${fold(name)}`;
  const findTarget = (name: string) => targets[name] ?? targets[folded(name)];

  function isRow(value: unknown): value is Row {
    return typeof value === 'object' && value !== null && !isArray(value);
  }

  function columnValue(row: Row, name: string): unknown {
    const value = row[name];
    if (value !== undefined) return value;
    const names = keys(row);
    const wanted = fold(name);
    for (let i = 0; i < names.length; i++) if (fold(names[i]) === wanted) return row[names[i]];
    return undefined;
  }

  /**
   * Whether the row still has what the source sent in a column. JSON and arrays are only made when a script looks at them:
   * what it has not looked at is not made for this either.
   */
  function unchanged(plan: Plan, row: Row, column: number, sent: unknown): boolean {
    const name = plan.columns[column];
    const shown = plan.shown[column];
    if (shown > 1) {
      probe[0] = 1;
      try {
        if (row[name] === missing) return true;
      } finally {
        probe[0] = 0;
      }
    }
    return output.unchanged(row[name], shown, sent);
  }

  function columnText(target: Target | undefined, name: string, value: unknown, sent: unknown): string | null {
    const known = target === undefined || target.shown[name] !== undefined ? name : folded(name);
    try {
      return output.text(value, target?.shown[known] ?? 0, target?.kinds[known] ?? '', sent);
    } catch (error) {
      const code = failures.codeOf(error);
      if (code === '') throw error;
      return fail(code, `column ${name}: ${failures.textOf(error, 'message')}`);
    }
  }

  function emit(call: number, name: string, row: Row, plan: Plan | undefined, at: number): void {
    const target = findTarget(name);
    const names = keys(row);
    const start = out.length;
    out[start] = call;
    out[start + 1] = name;
    let to = start + 3;
    let size = 0;
    for (let i = 0; i < names.length; i++) {
      const column = names[i];
      const from = plan?.index[column] ?? -1;
      const sent = from < 0 ? missing : values[at + from];
      const same = from >= 0 && sent !== missing && unchanged(plan!, row, from, sent);
      const value = same ? null : row[column];
      if (value === undefined) continue;
      const text = same ? null : columnText(target, column, value, sent);
      out[to] = column;
      out[to + 1] = text;
      out[to + 2] = same ? from : -1;
      if (text !== null) size += text.length;
      if (size > longest)
        fail('SCRIPT_OUTPUT', `a row of more than ${longest} characters was returned for table ${name}`);
      to += 3;
    }
    out[start + 2] = (to - start - 3) / 3;
  }

  /** Whether a handler left the row as it was given. */
  function untouched(plan: Plan, row: Row, at: number): boolean {
    const { columns, plain, shown } = plan;
    let i = 0;
    for (const name in row) {
      while (i < columns.length && values[at + i] === missing) i++;
      if (name !== columns[i]) return false;
      const sent = values[at + i];
      if (plain || shown[i] < 2 ? row[name] !== sent : !unchanged(plan, row, i, sent)) return false;
      i++;
    }
    while (i < columns.length && values[at + i] === missing) i++;
    return i === columns.length;
  }

  function rowOf(plan: Plan, at: number): Row {
    const row = plan.make(values, at, plan.accessors, defineProperty, lazy.stamp);
    const { columns } = plan;
    for (let i = 0; i < columns.length; i++) if (values[at + i] === missing) delete row[columns[i]];
    return row;
  }

  /** True for `{table: [row, …]}`: a bare row has a key, which is no list of rows. */
  function isRouting(value: Row): boolean {
    const names = keys(value);
    for (let i = 0; i < names.length; i++) {
      const rows = value[names[i]];
      if (!isArray(rows)) return false;
      for (let j = 0; j < rows.length; j++) if (!isRow(rows[j])) return false;
    }
    return names.length > 0;
  }

  function describe(value: unknown): string {
    if (value === undefined) return 'nothing';
    if (isArray(value)) return 'an array';
    if (typeof value !== 'object') return `a ${typeof value}`;
    return isRow(value) && typeof value.then === 'function' ? 'a promise' : 'an empty object';
  }

  /** What a handler returned, or null for a row that is left out. */
  function checked(result: unknown, row: Row, wanted: string): Row | null {
    if (result === null) return null;
    if (result === row) return row;
    if (isRow(result) && typeof result.then !== 'function' && keys(result).length > 0) return result;
    return fail('SCRIPT_RESULT', `it returned ${describe(result)} instead of ${wanted}, or null to leave the row out`);
  }

  /** Notes for the outside what runs now, so that it can be told when it never ends. */
  function enter(table: string, call: number, kind: number, handlers: Handlers): void {
    running.handler = kind % 2 === 0 ? 'onRowUpsert' : 'onRowDelete';
    running.table = table;
    progress[1] = call;
    progress[2] = kind;
    progress[0]++;
    counts[handlers.counters + (kind % 2) * 4]++;
  }

  function left(handlers: Handlers, kind: number, out: boolean): void {
    counts[handlers.counters + kind * 4 + (out ? 1 : 2)]++;
  }

  function keyOf(row: Row, target: string): string[] {
    const known = findTarget(target);
    const names = known === undefined || known.key.length === 0 ? keys(row) : (known.key as string[]);
    for (let i = 0; i < names.length; i++) {
      if (columnValue(row, names[i]) === undefined) {
        fail('SCRIPT_KEY', `the row has no column ${names[i]}, which is in the key of table ${target}`);
      }
    }
    return names;
  }

  /** The table's own handler for a deletion is told the key's values alone. */
  function deletedRow(result: unknown, key: readonly string[], target: string): Row | null {
    if (result === null) return null;
    if (!isArray(result)) {
      return fail(
        'SCRIPT_RESULT',
        `it returned ${describe(result)} instead of key values, or null to leave the row out`,
      );
    }
    if (result.length !== key.length) {
      fail(
        'SCRIPT_RESULT',
        `it returned ${result.length} values, but the key of table ${target} has ${key.length} columns`,
      );
    }
    const row = record<unknown>();
    for (let i = 0; i < key.length; i++) row[key[i]] = result[i];
    return row;
  }

  /** Puts out a row, after the table's own handler; false when that leaves it out. */
  function finish(call: number, kind: number, target: string, row: Row, plan: Plan, at: number): boolean {
    const handlers = tableHandlers[target];
    if (handlers?.upsert === undefined) {
      emit(call, target, row, plan, at);
      return true;
    }
    const meta = { schema: plan.schema, table: target };
    let result: Row | null;
    if (kind === 0) {
      enter(target, call, 2, handlers);
      result = checked(apply(handlers.upsert, undefined, [row, meta]), row, 'a row');
    } else {
      const key = keyOf(row, target);
      const texts: unknown[] = [];
      for (let i = 0; i < key.length; i++) put(texts, i, columnValue(row, key[i]));
      enter(target, call, 3, handlers);
      result = deletedRow(apply(handlers.remove!, undefined, [texts, meta]), key, target);
    }
    left(handlers, kind, result === null);
    if (result === null) return false;
    emit(call, target, result, plan, at);
    return true;
  }

  function runOne(call: number, kind: number, plan: Plan, at: number, handlersOf: (index: number) => Handlers): number {
    const row = rowOf(plan, at);
    let result: Row | null = row;
    if (plan.handlers >= 0) {
      const handlers = handlersOf(plan.handlers);
      const handler = kind === 0 ? handlers.upsert! : handlers.remove!;
      enter('', call, kind, handlers);
      const returned = apply(handler, undefined, [row, { schema: plan.schema, table: plan.table }]);
      result = checked(returned, row, 'a row, lists of rows by table');
      left(handlers, kind, result === null);
    }
    if (result === null) return 1;
    if (result === row) {
      if (tableHandlers[plan.target]?.upsert === undefined && untouched(plan, row, at)) return 0;
      return finish(call, kind, plan.target, row, plan, at) ? 2 : 1;
    }
    if (!isRouting(result)) return finish(call, kind, plan.target, result, plan, at) ? 2 : 1;
    let any = false;
    const names = keys(result);
    for (let i = 0; i < names.length; i++) {
      const rows = result[names[i]] as Row[];
      for (let j = 0; j < rows.length; j++) {
        if (finish(call, kind, names[i], rows[j], plan, at)) any = true;
      }
    }
    return any ? 2 : 1;
  }

  function addTarget({ name, columns, shown, kinds, key }: TargetSpec): void {
    const shownOf = record<number>();
    const kindOf = record<string>();
    for (let i = 0; i < columns.length; i++) {
      shownOf[columns[i]] = shown[i];
      shownOf[folded(columns[i])] = shown[i];
      kindOf[columns[i]] = kinds[i];
      kindOf[folded(columns[i])] = kinds[i];
    }
    const names: string[] = [];
    for (let i = 0; i < key.length; i++) put(names, i, key[i]);
    const target = { name, shown: shownOf, kinds: kindOf, key: names };
    targets[name] = target;
    targets[folded(name)] = target;
  }

  return {
    addPlan(spec, make) {
      const index = record<number>();
      let plain = true;
      for (let i = 0; i < spec.columns.length; i++) {
        index[spec.columns[i]] = i;
        if (spec.shown[i] > 1) plain = false;
      }
      const shown: number[] = [];
      let count = 0;
      for (let i = 0; i < spec.shown.length; i++) if (spec.shown[i] > 1) put(shown, count++, spec.shown[i]);
      plans[spec.id] = { ...spec, make: make as Plan['make'], accessors: lazy.accessors(shown), index, plain };
    },
    plan: (id) => plans[id],
    setTargets(list) {
      targets = record<Target>();
      for (let i = 0; i < list.length; i++) addTarget(list[i]);
    },
    target: findTarget,
    bind(table, handlers) {
      defineProperty(tableHandlers, table, { value: handlers, writable: true, configurable: true });
    },
    run({ plans: ids, calls, at, length }, handlersOf) {
      for (let i = 0; i < length; i++) {
        const from = out.length;
        try {
          outcomes[i] = runOne(i, calls[i], plans[ids[i]], at[i], handlersOf);
        } catch (error) {
          out.length = from;
          return { done: i, error: failures.thrown(error) };
        }
      }
      return { done: length, error: undefined };
    },
    rowOf,
    isRow,
    columnValue,
    emit,
  };
}
