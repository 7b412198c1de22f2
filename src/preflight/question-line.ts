import type { Client } from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import type { Side } from '../config/postgres-client.ts';
import { closeQuietly, openForChecks } from './connection-test.ts';
import { Turns } from './turns.ts';

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

/** One connection to PostgreSQL or CockroachDB for the questions of many checks. */
export class QuestionLine extends Turns<Client> implements Line {
  constructor(description: ConnectionDescription, side: Side) {
    super({ open: () => openForChecks(description, side), close: closeQuietly });
  }
}
