import type { ConnectionDescription } from '../config/connection.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import type { CheckSide } from '../preflight/check.ts';
import { connectionText, keepText, parseSide, savedConnection } from '../sessions/connections.ts';
import type { Saved } from '../sessions/engine-child.ts';
import type { Replication } from '../sessions/replication.ts';
import type { ConnectionKeeper } from './connection-keeper.ts';
import { SERVERS } from './servers.ts';

/**
 * The connections of a replication that has been launched: after another password, another host, or a loss of what was saved.
 * What is typed is in memory alone until it is accepted. Whether a connection leads to the database that the checkpoint is of,
 * the next resume looks at.
 */
export class LaunchedConnections implements ConnectionKeeper {
  readonly env: NodeJS.ProcessEnv;
  readonly servers: ConnectionKeeper['servers'];
  readonly #saved: Saved;
  #replication: Replication;
  readonly #drafts = new Map<string, Readonly<Record<string, string>>>();
  readonly #passwords = new Map<CheckSide, string>();

  constructor(replication: Replication, saved: Saved, servers: ConnectionKeeper['servers'] = SERVERS) {
    this.#replication = replication;
    this.#saved = saved;
    this.env = saved.env;
    this.servers = servers;
  }

  get replication(): Replication {
    return this.#replication;
  }

  keepConnection(side: CheckSide, text: string, variable?: string): void {
    const { name, answers } = this.#replication;
    const { store, secrets } = this.#saved;
    // Set before it is read, so that the reference leads somewhere while this program runs.
    if (variable !== undefined && text !== `$${variable}`) this.env[variable] = text;
    const connection = savedConnection(variable === undefined ? text : `$${variable}`, side, this.env, answers.kind);
    keepText(secrets, name, side, text, connection);
    this.#replication = store.update(name, (now) => ({ ...now, answers: { ...now.answers, [side]: connection } }));
  }

  connectionText(side: CheckSide): string | undefined {
    const { answers, name } = this.#replication;
    return answers[side]?.reference ?? this.#saved.secrets.get(name, side);
  }

  connection(side: 'source'): SourceConnection;
  connection(side: 'target'): ConnectionDescription;
  connection(side: CheckSide): SourceConnection;
  connection(side: CheckSide): SourceConnection {
    const text = connectionText(this.#replication, side, this.#saved);
    return parseSide(text ?? '', side, this.#replication.answers.kind, this.env, `the ${side} connection`);
  }

  draft(form: string): Readonly<Record<string, string>> | undefined {
    return this.#drafts.get(form);
  }

  keepDraft(form: string, values: Readonly<Record<string, string>>): void {
    this.#drafts.set(form, values);
  }

  holdPassword(side: CheckSide, password: string): void {
    this.#passwords.set(side, password);
  }

  heldPassword(side: CheckSide): string | undefined {
    return this.#passwords.get(side);
  }
}
