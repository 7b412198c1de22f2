const FIRST_CAPACITY = 32;

/** Numbers in a block; blocks are not copied when another one is needed. */
const BLOCK = 1 << 16;

/** A change whose undo was found. A row's own number is never this. */
const GONE = 0;

/** In the place of a row's number: what was written to a large object, of which the redo tells no row. */
export const LARGE_OBJECT = 0xffffffff;

/**
 * The changes of a transaction from the first to the last, so that one that is taken back can be found: by a number of its row, from the last one
 * back. Eight bytes for each.
 */
export class UndoStack {
  /** Pairs: the row's number, and the ordinal of the change plus one, 0 for a change that is not replicated. All blocks but a first one alone are full-sized. */
  readonly #blocks: Uint32Array[] = [new Uint32Array(FIRST_CAPACITY)];
  #length = 0;

  /** @param ordinal that of the change; -1 for a change that is not replicated, whose undo has to be known none the less */
  push(row: number, ordinal: number): void {
    const within = this.#length % BLOCK;
    const last = Math.floor(this.#length / BLOCK);
    if (last === this.#blocks.length) this.#blocks.push(new Uint32Array(BLOCK));
    if (within === this.#blocks[last].length) {
      const grown = new Uint32Array(within * 2);
      grown.set(this.#blocks[last]);
      this.#blocks[last] = grown;
    }
    const block = this.#blocks[last];
    block[within] = row;
    block[within + 1] = ordinal + 1;
    this.#length += 2;
  }

  /**
   * Takes the last change of the row off, and the large objects that were written for it, which stand right behind it: calls `drop` with the
   * ordinals of those that are replicated. False when the row was not changed.
   */
  undo(row: number, drop: (ordinal: number) => void): boolean {
    for (let at = this.#length - 2; at >= 0; at -= 2) {
      if (this.#row(at) !== row) continue;
      this.#takeOff(at, drop);
      for (let after = at + 2; after < this.#length && this.#row(after) === LARGE_OBJECT; after += 2) {
        this.#takeOff(after, drop);
      }
      // So that a rollback of very many rows does not look through those that are gone for each of them.
      while (this.#length > 0 && this.#row(this.#length - 2) === GONE) this.#length -= 2;
      return true;
    }
    return false;
  }

  #row(at: number): number {
    return this.#blocks[Math.floor(at / BLOCK)][at % BLOCK];
  }

  #takeOff(at: number, drop: (ordinal: number) => void): void {
    const block = this.#blocks[Math.floor(at / BLOCK)];
    const within = at % BLOCK;
    block[within] = GONE;
    if (block[within + 1] > 0) drop(block[within + 1] - 1);
  }
}

/** A number for a row of a table, never 0 nor LARGE_OBJECT. Rows may share one: changes are taken back from the last one, so that this hardly matters. */
export function rowNumber(table: number, rowId: string): number {
  let hash = 0x811c9dc5 ^ table;
  for (let i = 0; i < rowId.length; i++) hash = Math.imul(hash ^ rowId.charCodeAt(i), 0x01000193);
  const number = hash >>> 0;
  return number === GONE || number === LARGE_OBJECT ? 1 : number;
}
