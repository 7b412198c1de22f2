/** A set of ordinals, a bit for each: there may be millions. */
export class Ordinals {
  #bits = new Uint8Array(8);
  add(ordinal: number): void {
    const at = ordinal >>> 3;
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[at] |= 1 << (ordinal & 7);
  }

  has(ordinal: number): boolean {
    const at = ordinal >>> 3;
    return at < this.#bits.length && (this.#bits[at] & (1 << (ordinal & 7))) !== 0;
  }
}
