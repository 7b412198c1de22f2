import { SYSTEM_DATABASES } from '../tables.ts';

/** Which databases are replicated: one, or all but the server's own. */
export class DatabaseFilter {
  readonly #database: string | undefined;
  /** By the bytes of the name, which are what events have. */
  readonly #known = new Map<string, boolean>();

  /** @param database undefined: all */
  constructor(database: string | undefined) {
    this.#database = database;
  }

  /** The one database that is replicated; undefined: all. */
  get only(): string | undefined {
    return this.#database;
  }

  wants(database: string): boolean {
    return this.#database === undefined ? !SYSTEM_DATABASES.includes(database) : database === this.#database;
  }

  /** The same for a name that stands in [start, end) of an event. */
  wantsBytes(buffer: Buffer, start: number, end: number): boolean {
    const key = buffer.toString('latin1', start, end);
    let wanted = this.#known.get(key);
    if (wanted === undefined) {
      wanted = this.wants(buffer.toString('utf8', start, end));
      this.#known.set(key, wanted);
    }
    return wanted;
  }
}
