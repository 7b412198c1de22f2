import type { ConnectionDescription } from '../config/connection.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import type { CheckSide } from '../preflight/check.ts';
import type { Replication } from '../sessions/replication.ts';
import type { Servers } from './servers.ts';

/** Where the connections of a replication are entered, tested and kept: in its setup, and later when they have changed. */
export interface ConnectionKeeper {
  /** As it is saved now. */
  readonly replication: Replication;
  /** The environment of the program, with what was entered for references that it does not hold. */
  readonly env: NodeJS.ProcessEnv;
  readonly servers: Pick<Servers, 'testConnection'>;
  /**
   * Saves the connection of a side: the string in the secrets file, or, with the name of a variable, a reference to it.
   * @throws OperatorError, UsageError when it cannot be read or saved
   */
  keepConnection(side: CheckSide, text: string, variable?: string): void;
  /** The whole connection string of a side as it was entered, a reference as such; undefined when it is not there (any more). */
  connectionText(side: CheckSide): string | undefined;
  /** @throws OperatorError when the connection is not known (any more) */
  connection(side: 'source'): SourceConnection;
  connection(side: 'target'): ConnectionDescription;
  connection(side: CheckSide): SourceConnection;
  /** What was typed in a form and is no answer yet. */
  draft(form: string): Readonly<Record<string, string>> | undefined;
  /** Saves what is typed in a form, a moment later. `values` must hold no secret. */
  keepDraft(form: string, values: Readonly<Record<string, string>>): void;
  /** Keeps a password that is typed, in memory alone: it is there when the operator comes back to the form. */
  holdPassword(side: CheckSide, password: string): void;
  heldPassword(side: CheckSide): string | undefined;
}
