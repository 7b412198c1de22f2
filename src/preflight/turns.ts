/** How a connection is opened and ended. */
export interface Opening<Connection> {
  open(): Promise<Connection>;
  /** Must not wait for an answer. */
  close(connection: Connection): void;
}

/** One connection for the questions of many checks, which take turns on it. Opened by the first. */
export class Turns<Connection> {
  readonly #opening: Opening<Connection>;
  #connection: Promise<Connection> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(opening: Opening<Connection>) {
    this.#opening = opening;
  }

  /**
   * Asks when it is its turn. `questions` must not wait for another turn itself.
   * @throws OperatorError when the connection cannot be opened; else what `questions` throws.
   */
  ask<T>(questions: (connection: Connection) => Promise<T>): Promise<T> {
    const answer = this.#turn.then(async () => {
      if (this.#closed) throw new Error('the checks have ended');
      this.#connection ??= this.#opening.open();
      return questions(await this.#connection);
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** Ends the connection, now or as soon as it is open. */
  close(): void {
    this.#closed = true;
    this.#connection?.then(
      (connection) => this.#opening.close(connection),
      () => {},
    );
  }
}
