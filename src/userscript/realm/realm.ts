import type { Configure } from './configure.ts';
import type { Failures } from './failures.ts';
import type { Intrinsics } from './intrinsics.ts';
import type { PlanSpec, RealmRun, RealmWrite, TargetSpec, ThrownText } from './io.ts';
import type { Rows } from './rows.ts';
import type { Writes } from './writes.ts';

/** What the sandbox calls in the realm. */
export interface Realm {
  /** Evaluates the compiled script; undefined when that went well. */
  load(module: unknown): ThrownText | undefined;
  /** JSON of a Configuration. */
  configuration(): string;
  addPlan(spec: PlanSpec, make: unknown): void;
  setTargets(targets: readonly TargetSpec[]): void;
  /** Lets rows of a target table go through the table-level handlers of a number. */
  bind(table: string, handlers: number): void;
  run(run: RealmRun): { done: number; error: ThrownText | undefined };
  write(write: RealmWrite): void;
  answer(request: number, rows: readonly (readonly (string | boolean | null)[])[] | undefined): void;
  refuse(request: number, message: string): void;
  over(): void;
}

/** Puts the parts of the realm together, and the module `replicator@v2` in front of them. */
export function createRealm(
  intrinsics: Intrinsics,
  failures: Failures,
  configure: Configure,
  rows: Rows,
  writes: Writes,
): Realm {
  const { apply, freeze, stringify } = intrinsics;
  const { configureTargetSchema, configureTargetTables } = configure;
  const api = freeze({ configureTargetSchema, configureTargetTables, getTX: writes.getTX, write: writes.write });

  function require(name: unknown): unknown {
    if (name === 'replicator@v2') return api;
    const what = typeof name === 'string' ? stringify(name) : 'modules';
    return failures.fail('SCRIPT_FORBIDDEN', `a userscript cannot load ${what} while it runs`);
  }

  return {
    load(module) {
      try {
        const holder = { exports: {} };
        apply(module as (...args: unknown[]) => unknown, undefined, [holder, holder.exports, require]);
        return undefined;
      } catch (error) {
        return failures.thrown(error);
      } finally {
        configure.close();
      }
    },
    configuration: () => configure.text(),
    addPlan: (spec, make) => rows.addPlan(spec, make),
    setTargets: (targets) => rows.setTargets(targets),
    bind: (table, handlers) => rows.bind(table, configure.tableHandlers(handlers)),
    run: (run) => rows.run(run, configure.schemaHandlers),
    write: (write) => writes.begin(configure.tableHandlers(write.handler), write),
    answer: (request, list) => writes.answer(request, list),
    refuse: (request, message) => writes.refuse(request, message),
    over: () => writes.over(),
  };
}
