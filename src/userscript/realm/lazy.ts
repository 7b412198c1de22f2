import type { Input } from './input.ts';
import type { Intrinsics } from './intrinsics.ts';
import type { RealmIo } from './io.ts';

/** Columns whose values are made when a script looks at them: JSON documents and arrays. */
export interface Lazy {
  /** Accessors for the lazy columns of a table, by their number among these. The same for all rows, or they would be slow. */
  accessors(shown: readonly number[]): PropertyDescriptor[];
  /** Gives a row the texts of its lazy columns, out of the script's sight. */
  stamp(row: object, texts: unknown[]): object;
}

export function createLazy(intrinsics: Intrinsics, input: Input, io: RealmIo): Lazy {
  const { record } = intrinsics;
  const { probe, missing } = io;

  interface Made {
    value: unknown;
  }

  /** Puts a private field onto an object that is there already: what its constructor is derived from returns that object. */
  const Itself = function Itself(row: object): object {
    return row;
  } as unknown as new (
    row: object,
  ) => object;
  class Stamp extends Itself {
    #states: unknown[];
    constructor(row: object, states: unknown[]) {
      super(row);
      this.#states = states;
    }
    static of(row: object): unknown[] | undefined {
      return #states in row ? row.#states : undefined;
    }
  }

  /** The texts of the row made last: what is no row of ours, as a Proxy of one is, can only mean that one. */
  let last: unknown[] = [];

  /** What nobody has looked at is a text or NULL; what somebody has, an object. */
  const isMade = (state: unknown): state is Made => typeof state === 'object' && state !== null;

  function accessor(column: number, shown: number): PropertyDescriptor {
    const descriptor = record<unknown>();
    descriptor.get = function (this: object) {
      const states = Stamp.of(this) ?? last;
      const state = states[column];
      if (isMade(state)) return state.value;
      if (probe[0] === 1) return missing;
      const made = { value: input.show(state, shown) };
      states[column] = made;
      return made.value;
    };
    descriptor.set = function (this: object, value: unknown) {
      (Stamp.of(this) ?? last)[column] = { value };
    };
    descriptor.enumerable = true;
    descriptor.configurable = true;
    return descriptor;
  }

  return {
    accessors(shown) {
      const list: PropertyDescriptor[] = [];
      for (let i = 0; i < shown.length; i++) intrinsics.put(list, i, accessor(i, shown[i]));
      return list;
    },
    stamp(row, texts) {
      last = texts;
      return new Stamp(row, texts);
    },
  };
}
