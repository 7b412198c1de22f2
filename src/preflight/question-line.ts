import type { Client } from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import type { Side } from '../config/postgres-client.ts';
import { closeQuietly, openForChecks } from './connection-test.ts';

/** Where questions are asked, one after the other. */
export interface Line {
  /**
   * Asks when it is its turn. `questions` must not wait for another turn itself.
   * @throws OperatorError PG_… when the connection cannot be opened; else what `questions` throws.
   */
  ask<T>(questions: (client: Client) => Promise<T>): Promise<T>;
  /** Ends the connection, now or as soon as it is open. */
  close(): void;
}

/** One connection for the questions of many checks, which take turns on it. Opened by the first. */
export class QuestionLine implements Line {
  readonly #open: () => Promise<Client>;
  #client: Promise<Client> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(description: ConnectionDescription, side: Side) {
    this.#open = () => openForChecks(description, side);
  }

  ask<T>(questions: (client: Client) => Promise<T>): Promise<T> {
    const answer = this.#turn.then(async () => {
      if (this.#closed) throw new Error('the checks have ended');
      this.#client ??= this.#open();
      return questions(await this.#client);
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  close(): void {
    this.#closed = true;
    this.#client?.then(closeQuietly, () => {});
  }
}
