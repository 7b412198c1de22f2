import type { Client } from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import type { CheckSide } from './check.ts';
import { closeQuietly, openForChecks } from './connection-test.ts';

/** One connection for the questions of many checks, which take turns on it. Opened by the first. */
export class QuestionLine {
  readonly #open: () => Promise<Client>;
  #client: Promise<Client> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(description: ConnectionDescription, side: CheckSide) {
    this.#open = () => openForChecks(description, side);
  }

  /**
   * Asks when it is its turn. `questions` must not wait for another turn itself.
   * @throws OperatorError PG_… when the connection cannot be opened; else what `questions` throws.
   */
  ask<T>(questions: (client: Client) => Promise<T>): Promise<T> {
    const answer = this.#turn.then(async () => {
      if (this.#closed) throw new Error('the checks have ended');
      this.#client ??= this.#open();
      return questions(await this.#client);
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** Ends the connection, now or as soon as it is open. */
  close(): void {
    this.#closed = true;
    this.#client?.then(closeQuietly, () => {});
  }
}
