/**
 * Whether applying is paused by request. It outlives streams, so that a pause survives lost connections; it does not survive
 * the process.
 */
export class Pause {
  readonly #listeners = new Set<(active: boolean) => void>();
  #active = false;

  get active(): boolean {
    return this.#active;
  }

  /** Pauses or continues; asking twice for the same is no change. */
  set(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    for (const listener of this.#listeners) listener(active);
  }

  /** Calls `listener` at each change; returns how to stop that. */
  onChange(listener: (active: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
