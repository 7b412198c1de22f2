/** A savepoint, and the numbers of the parts that would go with it. */
interface Savepoint {
  readonly name: string;
  readonly parts: number[];
}

/**
 * Which part of a transaction a change belongs to, so that ROLLBACK TO can take back what came after a savepoint. Part 0 is
 * what came before the first one.
 */
export class Savepoints {
  #savepoints: Savepoint[] = [];
  #last = 0;
  /** The part that changes belong to now. */
  current = 0;

  /** A savepoint takes the place of an earlier one of the same name, but not its changes. */
  set(name: string): void {
    this.release(name, false);
    this.#savepoints.push({ name: fold(name), parts: [this.#newPart()] });
  }

  /** Forgets a savepoint and, with `later`, those that were set after it; their changes belong to the one before. */
  release(name: string, later = true): void {
    const index = this.#find(name);
    if (index < 0) return;
    const gone = this.#savepoints.splice(index, later ? this.#savepoints.length - index : 1);
    this.#savepoints[index - 1]?.parts.push(...gone.flatMap(({ parts }) => parts));
  }

  /** The parts that are taken back; undefined when there is no such savepoint. The savepoint stays. */
  rollbackTo(name: string): readonly number[] | undefined {
    const index = this.#find(name);
    if (index < 0) return undefined;
    const gone = this.#savepoints.splice(index).flatMap(({ parts }) => parts);
    this.#savepoints.push({ name: fold(name), parts: [this.#newPart()] });
    return gone;
  }

  #newPart(): number {
    this.#last++;
    this.current = this.#last;
    return this.#last;
  }

  #find(name: string): number {
    return this.#savepoints.findIndex((savepoint) => savepoint.name === fold(name));
  }
}

/** Names of savepoints are the same in capitals and small letters. */
function fold(name: string): string {
  return name.toLowerCase();
}
