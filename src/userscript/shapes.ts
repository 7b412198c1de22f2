import { problem, ScriptFailure } from './sandbox.ts';
import type { OutTable, TablePlan, TargetPlan } from './protocol.ts';

/** The columns of rows that handlers make of one table's rows for one target table. */
export interface Shape {
  readonly target: string;
  readonly columns: readonly string[];
  /** Positions of the columns that tell rows apart; empty when nothing does. */
  readonly key: readonly number[];
  /** True when the rows can stand as rows of the source table itself. */
  readonly own: boolean;
}

/** Tables of a request: they are numbered with 16 bits. */
const MOST_TABLES = 0xffff;

/** What is known of one table's rows for one target table. */
interface Route {
  /** Of the rows written last. */
  last: Shape | undefined;
  /** Of rows that are deleted before any was written. */
  deletion: Shape | undefined;
  readonly shapes: Map<string, Shape>;
}

/** Shapes of one table's rows for one target table that are kept: who makes more of them has no use for it. */
const MOST_SHAPES = 64;

/** Position of `name` in `names`: exact, else the only one that differs in case alone; -1 when there is none. */
export function positionOf(names: readonly string[], name: string): number {
  const exact = names.indexOf(name);
  if (exact >= 0) return exact;
  const folded = name.toLowerCase();
  const found = names.findIndex((other) => other.toLowerCase() === folded);
  return names.findLastIndex((other) => other.toLowerCase() === folded) === found ? found : -1;
}

/**
 * Finds the shape of rows. Rows that have the same columns have the same shape, in whatever order they come: it is by shape
 * that the engine gathers rows into statements.
 */
export class Shapes {
  readonly #targets = new Map<string, TargetPlan>();
  readonly #routes = new Map<string, Route>();

  #open = false;

  /** `open`: rows may also go to tables that are not among them. */
  setTargets(targets: readonly TargetPlan[], open: boolean): void {
    this.#open = open;
    this.#targets.clear();
    this.#routes.clear();
    for (const target of targets) this.#targets.set(target.name, target);
  }

  target(name: string): TargetPlan | undefined {
    const exact = this.#targets.get(name);
    if (exact !== undefined) return exact;
    const names = [...this.#targets.keys()];
    const position = positionOf(names, name);
    return position < 0 ? undefined : this.#targets.get(names[position]);
  }

  /** The shape of a row with these columns. @throws ScriptFailure when the target has no such table or no key for it. */
  upsert(plan: TablePlan | undefined, target: string, names: readonly string[]): Shape {
    const route = this.#route(plan, target);
    const { last } = route;
    if (
      last !== undefined &&
      last.columns.length === names.length &&
      names.every((name, i) => last.columns[i] === name)
    ) {
      return last;
    }
    const key = [...names].sort().join('\0');
    let shape = route.shapes.get(key);
    if (shape === undefined) {
      shape = this.#make(plan, target, names);
      if (route.shapes.size >= MOST_SHAPES) route.shapes.clear();
      route.shapes.set(key, shape);
    }
    route.last = shape;
    return shape;
  }

  /** The shape in which a row with these columns is deleted: that of the last rows written, where that has the key. */
  deletion(plan: TablePlan | undefined, target: string, names: readonly string[]): Shape {
    const route = this.#route(plan, target);
    const { last } = route;
    const holds = (shape: Shape) =>
      shape.key.length > 0 && shape.key.every((position) => positionOf(names, shape.columns[position]) >= 0);
    if (last !== undefined && holds(last)) return last;
    const { deletion } = route;
    if (deletion !== undefined && (holds(deletion) || sameNames(deletion.columns, names))) return deletion;
    if (plan?.fits && target === plan.target) {
      const own = this.#own(plan, target, plan.columns);
      if (own !== undefined && holds(own)) return own;
    }
    const found = this.target(target);
    const key = found === undefined || found.key.length === 0 ? names : found.key;
    const positions = key.map((name) => positionOf(names, name));
    const absent = key.filter((_, i) => positions[i] < 0);
    if (absent.length > 0) throw noKey(target, absent);
    // With all columns it is a table that the target can take rows of, although these rows have no more than the key.
    const shape = this.#make(plan, target, found === undefined || found.key.length === 0 ? names : found.columns);
    route.deletion = shape;
    return shape;
  }

  /** A shape by which the target table that bare rows go to can be named; undefined where there is no such table. */
  truncation(plan: TablePlan): Shape | undefined {
    const { last } = this.#route(plan, plan.target);
    if (last !== undefined) return last;
    const target = this.target(plan.target);
    return target && this.#make(plan, plan.target, plan.fits ? plan.columns : target.columns);
  }

  /** Whether rows of a table have been given other columns than it has. */
  reshaped(plan: TablePlan): boolean {
    return this.#route(plan, plan.target).last?.own === false;
  }

  #route(plan: TablePlan | undefined, target: string): Route {
    const name = `${plan?.id ?? ''}\0${target}`;
    let route = this.#routes.get(name);
    if (route === undefined) {
      route = { last: undefined, deletion: undefined, shapes: new Map() };
      this.#routes.set(name, route);
    }
    return route;
  }

  #make(plan: TablePlan | undefined, name: string, names: readonly string[]): Shape {
    const own = plan !== undefined && name === plan.target ? this.#own(plan, name, names) : undefined;
    if (own !== undefined) return own;
    const target = this.target(name);
    if (target === undefined) {
      if (!this.#open && (plan === undefined || name !== plan.target)) throw noTable(name);
      if (plan === undefined) return { target: name, columns: names, key: [], own: false };
      const key = plan.identity === 'key' ? plan.sentKey.map((position) => names.indexOf(plan.columns[position])) : [];
      return { target: name, columns: names, key: key.includes(-1) ? [] : key, own: false };
    }
    return { target: target.name, columns: names, key: this.#key(plan, target, names), own: false };
  }

  /** The shape of the source's own rows, when the columns are just those and the key is the same on both sides. */
  #own(plan: TablePlan, name: string, names: readonly string[]): Shape | undefined {
    if (names.length !== plan.columns.length || !plan.columns.every((column) => names.includes(column)))
      return undefined;
    const target = this.target(name);
    const sent = plan.sentKey.map((position) => plan.columns[position]);
    if (plan.identity === 'key' && target !== undefined && target.key.length > 0) {
      if (sent.length !== target.key.length || !target.key.every((column) => positionOf(sent, column) >= 0))
        return undefined;
    }
    const key = plan.identity === 'key' ? plan.sentKey : plan.key;
    return { target: name, columns: plan.columns, key, own: true };
  }

  #key(plan: TablePlan | undefined, target: TargetPlan, names: readonly string[]): number[] {
    const within = (key: readonly string[]) => key.map((column) => positionOf(names, column));
    if (target.key.length > 0) {
      const key = within(target.key);
      if (!key.includes(-1)) return key;
      if (target.makesKey) return [];
      throw noKey(
        target.name,
        target.key.filter((_, i) => key[i] < 0),
      );
    }
    const wanted = plan === undefined ? undefined : plan.sentKey.map((position) => plan.columns[position]);
    const keys = target.uniqueKeys.filter((key) => !within(key).includes(-1));
    const same = keys.find(
      (key) => wanted?.length === key.length && key.every((column) => positionOf(wanted, column) >= 0),
    );
    return same === undefined ? [] : within(same);
  }
}

function noTable(name: string): ScriptFailure {
  return new ScriptFailure(
    problem('SCRIPT_TABLE', `it returned rows for table ${name}, which the target schema does not have`),
  );
}

/** Whether two lists have the same names in the same order. */
function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => b[i] === name);
}

/** A row lacks a part of the key that it is told apart by. */
export function noKey(target: string, absent: readonly string[]): ScriptFailure {
  return new ScriptFailure(
    problem(
      'SCRIPT_KEY',
      `the row for table ${target} has no column ${absent.join(', ')}, which is in the key of that table`,
    ),
  );
}

/** How the outside is told of the tables of a request. */
export class OutTables {
  readonly list: OutTable[];
  readonly #indexes = new Map<Shape, number>();

  /** `own`: tables of the request, which keep their numbers. */
  constructor(own: number) {
    this.list = Array.from({ length: own }, (_, index) => ({ index }));
  }

  indexOf(shape: Shape, plan: TablePlan | undefined, ownIndex: number): number {
    if (shape.own) return ownIndex;
    let index = this.#indexes.get(shape);
    if (index === undefined) {
      if (this.list.length >= MOST_TABLES) {
        throw new ScriptFailure(problem('SCRIPT_OUTPUT', 'its rows have too many different sets of columns'));
      }
      const { target, columns, key } = shape;
      index = this.list.push({ plan: plan?.id, target, columns, key: key.map((position) => columns[position]) }) - 1;
      this.#indexes.set(shape, index);
    }
    return index;
  }
}
