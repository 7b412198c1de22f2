import type { ErrorCode } from '../explanations/table.ts';
import vm from 'node:vm';
import { createConfigure } from './realm/configure.ts';
import { createFailures } from './realm/failures.ts';
import { createInput } from './realm/input.ts';
import { createIntrinsics } from './realm/intrinsics.ts';
import { type Configuration, COUNTERS, type PlanSpec, type RealmIo, Shown, type ThrownText } from './realm/io.ts';
import { createLazy } from './realm/lazy.ts';
import { createOutput } from './realm/output.ts';
import { createRealm, type Realm } from './realm/realm.ts';
import { createRows } from './realm/rows.ts';
import { createScope } from './realm/scope.ts';
import { createWrites } from './realm/writes.ts';

/** Name of the compiled script in traces. */
export const SCRIPT_NAME = 'userscript.js';

/** Entries of a configuration that are counted; a script with more has something else in mind than this program. */
const MOST_ENTRIES = 4096;

/** Stands for a value that the source did not send. */
export const MISSING = Symbol('missing');

/**
 * A context of its own for a script: no code from strings, none of Node's globals, and no object of the realm around it
 * within reach. To be made in a worker thread, which is what bounds its memory and its time.
 */
export class Sandbox {
  readonly io: RealmIo;
  readonly configuration: Configuration;
  readonly realm: Realm;
  readonly #context: vm.Context;

  /** @throws ScriptFailure when the script cannot be evaluated. */
  constructor(code: string, progress: Int32Array, longest: number) {
    this.#context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: false } });
    this.io = {
      progress,
      counts: new Float64Array(MOST_ENTRIES * 3 * COUNTERS),
      values: [],
      out: [],
      outcomes: [],
      events: [],
      missing: MISSING,
      probe: new Int32Array(1),
      longest,
    };
    const { io } = this;
    const intrinsics = this.#make(createIntrinsics)();
    const failures = this.#make(createFailures)(intrinsics);
    const input = this.#make(createInput)(intrinsics);
    const lazy = this.#make(createLazy)(intrinsics, input, io);
    const output = this.#make(createOutput)(intrinsics, failures, input, longest);
    const rows = this.#make(createRows)(intrinsics, failures, lazy, output, io);
    const writes = this.#make(createWrites)(intrinsics, failures, output, rows, io);
    const configure = this.#make(createConfigure)(intrinsics, failures);
    const scope = this.#make(createScope);
    this.realm = this.#make(createRealm)(intrinsics, failures, configure, rows, writes);
    scope(intrinsics, failures, output, io);
    const failed = this.realm.load(this.#evaluate(`(function (module, exports, require) {${code}\n})`, SCRIPT_NAME));
    if (failed !== undefined) throw new ScriptFailure(failed);
    this.configuration = JSON.parse(this.realm.configuration()) as Configuration;
    if (this.configuration.schemas.length + this.configuration.tables.length > MOST_ENTRIES) {
      throw new ScriptFailure(problem('SCRIPT_CONFIG', `more than ${MOST_ENTRIES} pairs of handlers were configured`));
    }
  }

  addPlan(spec: PlanSpec): void {
    this.realm.addPlan(spec, this.#evaluate(makerOf(spec), 'row.js'));
  }

  /** Milliseconds of a run, divided among the handlers that were called in it by `before`, the counters in front of it. */
  addTime(before: Float64Array, milliseconds: number): void {
    const { counts } = this.io;
    let calls = 0;
    for (let i = 0; i < before.length; i += COUNTERS) calls += counts[i] - before[i];
    if (calls === 0) return;
    for (let i = 0; i < before.length; i += COUNTERS) counts[i + 3] += (milliseconds * (counts[i] - before[i])) / calls;
  }

  /** Counters of the handlers that are configured. */
  get counters(): Float64Array {
    const { schemas, tables } = this.configuration;
    return this.io.counts.slice(0, (schemas.length + tables.length) * 3 * COUNTERS);
  }

  #evaluate(code: string, filename: string): unknown {
    // The wrapper stands in front of the script's first line.
    return new vm.Script(code, { filename }).runInContext(this.#context);
  }

  /** The function as one of the script's context. */
  #make<F extends (...args: never[]) => unknown>(part: F): F {
    return this.#evaluate(`(${part.toString()})`, 'realm.js') as F;
  }
}

/** What a script did wrong. */
export class ScriptFailure extends Error {
  readonly thrown: ThrownText;
  constructor(thrown: ThrownText) {
    super(thrown.message);
    this.thrown = thrown;
  }
}

/** A failure that the sandbox itself tells of. */
export function problem(code: ErrorCode, message: string): ThrownText {
  return { code, name: '', message, stack: '', request: 0, handler: '', table: '' };
}

/**
 * The text of a function that makes a row, which is fast because it knows the columns: a literal up to the first column that
 * is made when it is looked at, then one assignment each. What an object inherits is defined rather than assigned.
 */
function makerOf({ columns, shown }: PlanSpec): string {
  const key = (name: string) => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name));
  const isLazy = (i: number) => shown[i] >= Shown.json;
  const first = columns.findIndex((_, i) => isLazy(i));
  const literal = columns.slice(0, first < 0 ? columns.length : first).map((name, i) => `${key(name)}:v[i+${i}]`);
  if (first < 0) return `(function(v,i){return{${literal.join(',')}}})`;
  const texts: string[] = [];
  const rest = columns.slice(first).map((name, offset) => {
    const i = first + offset;
    const quoted = JSON.stringify(name);
    if (isLazy(i)) return `define(r,${quoted},accessors[${texts.push(`v[i+${i}]`) - 1}]);`;
    if (!(name in Object.prototype)) return `r[${quoted}]=v[i+${i}];`;
    return `define(r,${quoted},{__proto__:null,value:v[i+${i}],writable:true,enumerable:true,configurable:true});`;
  });
  return `(function(v,i,accessors,define,stamp){const r={${literal.join(',')}};${rest.join('')}return stamp(r,[${texts.join(',')}])})`;
}
