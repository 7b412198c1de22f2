/** Lets one loop sleep until somebody wakes it; a wake that comes first is remembered. */
export class Signal {
  #woken = false;
  #wake: (() => void) | undefined;

  wake(): void {
    if (this.#wake === undefined) this.#woken = true;
    else this.#wake();
  }

  /** Resolves at the next wake, or after `milliseconds` if given. */
  wait(milliseconds?: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(() => this.#wake?.(), milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
