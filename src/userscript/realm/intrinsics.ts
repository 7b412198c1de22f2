/*
 * The files of this folder are the realm that a userscript runs in. Each holds one function that is compiled anew inside of
 * the script's own context: it may use nothing from outside of its own body but its parameters, and no import at run time.
 * Everything that it needs of that context is kept here before the script runs, because the script may change all of it.
 */

/** The parts of the language that the realm keeps for itself. */
export interface Intrinsics {
  readonly apply: typeof Reflect.apply;
  readonly ownKeys: typeof Reflect.ownKeys;
  readonly defineProperty: typeof Reflect.defineProperty;
  readonly keys: typeof Object.keys;
  readonly hasOwn: typeof Object.hasOwn;
  readonly freeze: typeof Object.freeze;
  readonly isArray: typeof Array.isArray;
  readonly isFiniteNumber: typeof Number.isFinite;
  readonly stringify: (value: string) => string;
  readonly parse: typeof JSON.parse;
  readonly ErrorType: ErrorConstructor;
  readonly PromiseType: PromiseConstructor;
  readonly promiseThen: (...args: never[]) => unknown;
  readonly toText: (value: unknown) => string;
  /** A record without a prototype. */
  record<T>(): Record<string, T>;
  /** Sets element `i` as its own, whatever the script made of array prototypes. */
  put(list: unknown[], i: number, value: unknown): void;
  slice(text: string, from: number, to?: number): string;
  fold(text: string): string;
  codeAt(text: string, i: number): number;
  matches(pattern: RegExp, text: string): boolean;
  wellFormed(text: string): boolean;
  /** ISO 8601, of a Date only. */
  dateText(value: object): string | undefined;
  /** Keeps something about objects, out of the script's sight. */
  notes<T>(): { get(key: object): T | undefined; set(key: object, value: T): void };
}

export function createIntrinsics(): Intrinsics {
  const { apply, ownKeys, defineProperty } = Reflect;
  const { keys, hasOwn, create, freeze, getPrototypeOf } = Object;
  const plainPrototype = Object.prototype;
  const arrayPrototype = Array.prototype;
  const { stringify, parse } = JSON;
  const StringType = String;
  const WeakMapType = WeakMap;
  const { get, set } = WeakMap.prototype;
  const { slice, toLowerCase, charCodeAt, isWellFormed } = String.prototype;
  const { getTime, toISOString } = Date.prototype;
  const { exec } = RegExp.prototype;
  return {
    apply,
    ownKeys,
    defineProperty,
    keys,
    hasOwn,
    freeze,
    isArray: Array.isArray,
    isFiniteNumber: Number.isFinite,
    stringify,
    parse,
    ErrorType: Error,
    PromiseType: Promise,
    promiseThen: Promise.prototype.then,
    toText: (value) => StringType(value),
    record: () => create(null),
    put(list, i, value) {
      const descriptor = create(null);
      descriptor.value = value;
      descriptor.writable = true;
      descriptor.enumerable = true;
      descriptor.configurable = true;
      defineProperty(list, i, descriptor);
    },
    slice: (text, from, to) => apply(slice, text, [from, to]),
    fold: (text) => apply(toLowerCase, text, []),
    codeAt: (text, i) => apply(charCodeAt, text, [i]),
    matches: (pattern, text) => apply(exec, pattern, [text]) !== null,
    wellFormed: (text) => apply(isWellFormed, text, []),
    dateText(value) {
      // An error costs far more than a look, and hardly any object is a Date.
      const prototype = getPrototypeOf(value);
      if (prototype === plainPrototype || prototype === arrayPrototype || prototype === null) return undefined;
      try {
        apply(getTime, value, []);
      } catch {
        return undefined;
      }
      return apply(toISOString, value, []);
    },
    notes<T>() {
      const map = new WeakMapType<object, T>();
      return {
        get: (key: object) => apply(get, map, [key]) as T | undefined,
        set: (key: object, value: T) => {
          apply(set, map, [key, value]);
        },
      };
    },
  };
}
