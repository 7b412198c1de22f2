import type { Failures } from './failures.ts';
import type { Intrinsics } from './intrinsics.ts';
import type { RealmIo } from './io.ts';
import type { Output } from './output.ts';

/** Makes the script's global scope: the console comes, and what reaches memory or threads beyond all limits goes. */
export function createScope(intrinsics: Intrinsics, failures: Failures, output: Output, io: RealmIo): void {
  const { ownKeys, defineProperty, freeze, slice, toText, matches, ErrorType } = intrinsics;
  const { events } = io;
  const LONGEST_MESSAGE = 8192;
  let enabled = true;

  function shown(value: unknown): string {
    if (typeof value === 'string') return value;
    if (typeof value !== 'object' || value === null) return toText(value);
    if (value instanceof ErrorType) return `${failures.textOf(value, 'name')}: ${failures.textOf(value, 'message')}`;
    return output.json(value, false, undefined);
  }

  function message(args: readonly unknown[]): string {
    let text = '';
    for (let i = 0; i < args.length && text.length <= LONGEST_MESSAGE; i++) {
      let part: string;
      try {
        part = shown(args[i]);
      } catch {
        part = '[a value that cannot be shown]';
      }
      text += `${i > 0 ? ' ' : ''}${part}`;
    }
    return text.length > LONGEST_MESSAGE ? `${slice(text, 0, LONGEST_MESSAGE)}…` : text;
  }

  function logger(level: string): (...args: unknown[]) => void {
    return (...args) => {
      if (!enabled) return;
      const text = message(args);
      events[events.length] = 'log';
      events[events.length] = level;
      events[events.length] = text;
    };
  }

  const scope = globalThis as unknown as Record<string, unknown>;
  const names = ownKeys(scope);
  const UNBOUNDED =
    /^(?:(?:Uint|Int|BigUint|BigInt|Float)\d+(?:Clamped)?Array|(?:Shared)?ArrayBuffer|Atomics|WebAssembly|DataView|FinalizationRegistry|WeakRef)$/;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (typeof name === 'string' && matches(UNBOUNDED, name)) delete scope[name];
  }
  const console = {
    log: logger('info'),
    info: logger('info'),
    debug: logger('debug'),
    trace: logger('trace'),
    warn: logger('warning'),
    error: logger('error'),
    disable: () => {
      enabled = false;
    },
    enable: () => {
      enabled = true;
    },
  };
  defineProperty(scope, 'console', { value: freeze(console), writable: true, configurable: true, enumerable: false });
  // The runtime's machinery for traces would call what stands here with objects of its own realm.
  defineProperty(ErrorType, 'prepareStackTrace', { value: undefined, writable: false, configurable: false });
  defineProperty(scope, 'Error', { value: ErrorType, writable: false, configurable: false });
}
