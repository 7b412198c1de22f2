import { MASK, mask } from '../config/secrets.ts';

/** Gives the present state of one part of the program as something JSON can hold (bigints and dates included). */
export type DiagnosticProvider = () => unknown;

/** What `/_/diag` shows: each part of the program registers how to describe itself. No secret leaves this class. */
export class Diagnostics {
  readonly #providers = new Map<string, DiagnosticProvider>();

  /** Shows what `provider` returns under `key`, in place of an earlier provider of that key. */
  register(key: string, provider: DiagnosticProvider): void {
    this.#providers.set(key, provider);
  }

  /** The document as indented JSON, every string in it masked. A provider that fails is shown as its error. */
  document(): string {
    const parts: Record<string, unknown> = {};
    for (const [key, provider] of this.#providers) parts[key] = describe(provider);
    return JSON.stringify(parts, undefined, 2);
  }
}

function describe(provider: DiagnosticProvider): unknown {
  try {
    return JSON.parse(JSON.stringify(provider(), masked) ?? 'null');
  } catch (error) {
    return { error: mask(error instanceof Error ? error.message : String(error)) };
  }
}

/** A bare password cannot be told from other text: it is known by the name it stands under. */
const SECRET_KEY = /password|secret|token/i;

function masked(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Error) return mask(value.message);
  if (typeof value !== 'string') return value;
  return SECRET_KEY.test(key) ? MASK : mask(value);
}
