import type { ConnectionDescription } from '../config/connection.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import { OperatorError } from '../errors.ts';
import type { CheckSide, Fix } from '../preflight/check.ts';
import { connectionText, keepText, parseSide, savedConnection } from '../sessions/connections.ts';
import { NAME } from '../sessions/folder.ts';
import type { Answers, Created, Replication, SourceKind } from '../sessions/replication.ts';
import type { SecretsFile } from '../sessions/secrets.ts';
import type { ReplicationStore } from '../sessions/store.ts';
import { createdTable } from './created-table.ts';
import { SERVERS, type Servers } from './servers.ts';
import type { Page, SetupSession } from './setup-machine.ts';

/** Milliseconds after the last key until what was typed is saved. */
const REST = 250;

/** Where fixes that have run are kept among the drafts. */
const FIXES = 'fixes';

type Drafts = NonNullable<Replication['drafts']>;

export interface SetupParts {
  readonly store: ReplicationStore;
  readonly secrets: SecretsFile;
  /** Gets the connections that are entered for variables which it does not hold: they count as long as the program runs. */
  readonly env: NodeJS.ProcessEnv;
  /** The saved replication that is to be gone on with; without it a new one is begun. */
  readonly name?: string;
  /** Default: the real ones. */
  readonly servers?: Servers;
}

/**
 * Begins a setup, or goes on with one, and keeps other processes from it until it is closed.
 * @throws OperatorError SESSION_BUSY when it is open elsewhere, SESSION_MISSING
 */
export async function openSetup(parts: SetupParts): Promise<SetupSession> {
  const { store, name } = parts;
  if (name !== undefined) {
    const unlock = await store.lock(name);
    const saved = store.get(name);
    if (saved !== undefined) return new SavedSetup(parts, saved, unlock);
    unlock();
    throw store.missing(name);
  }
  for (let number = 1; ; number++) {
    const fresh = number === 1 ? 'replication' : `replication-${number}`;
    if (store.get(fresh) !== undefined) continue;
    const unlock = await store.lock(fresh).catch((error: unknown) => {
      if (error instanceof OperatorError && error.code === 'SESSION_BUSY') return undefined;
      throw error;
    });
    if (unlock === undefined) continue;
    return new SavedSetup(
      parts,
      { name: fresh, created: new Date().toISOString(), answers: {}, step: 'kind', made: [] },
      unlock,
    );
  }
}

class SavedSetup implements SetupSession {
  readonly store: ReplicationStore;
  readonly secrets: SecretsFile;
  readonly env: NodeJS.ProcessEnv;
  readonly servers: Servers;
  #replication: Replication;
  #unlock: () => void;
  /** Drafts as they are, some of which are not saved yet. */
  #drafts: Drafts;
  #timer: NodeJS.Timeout | undefined;
  readonly #passwords = new Map<CheckSide, string>();
  #closed = false;
  onTrouble: (error: unknown) => void = () => {};

  constructor({ store, secrets, env, servers = SERVERS }: SetupParts, replication: Replication, unlock: () => void) {
    this.store = store;
    this.secrets = secrets;
    this.env = env;
    this.servers = servers;
    this.#replication = replication;
    this.#drafts = replication.drafts ?? {};
    this.#unlock = unlock;
  }

  get replication(): Replication {
    return this.#replication;
  }

  get ran(): readonly string[] {
    return Object.values(this.#drafts[FIXES] ?? {});
  }

  choose(kind: SourceKind): void {
    const { name, answers } = this.#replication;
    if (answers.kind !== undefined && answers.kind !== kind) {
      // Only the target is the same for all.
      const { target, staging, targetSchema } = answers;
      if (this.secrets.get(name, 'source') !== undefined) this.secrets.set(name, 'source', undefined);
      this.#passwords.delete('source');
      const { target: typed, ...others } = this.#drafts;
      this.#drafts = { ...(typed && { target: typed }), ...(others[FIXES] && { [FIXES]: others[FIXES] }) };
      this.#save((saved) => ({ ...saved, answers: { target, staging, targetSchema } }));
    }
    this.change({ kind });
  }

  change(answers: Partial<Answers>): void {
    this.#save((saved) => ({ ...saved, answers: { ...saved.answers, ...answers } }));
  }

  keepConnection(side: CheckSide, text: string, variable?: string): void {
    const { name } = this.#replication;
    // Set before it is read, so that the reference leads somewhere while this program runs.
    if (variable !== undefined && text !== `$${variable}`) this.env[variable] = text;
    const saved = savedConnection(
      variable === undefined ? text : `$${variable}`,
      side,
      this.env,
      this.#replication.answers.kind,
    );
    keepText(this.secrets, name, side, text, saved);
    this.#passwords.delete(side);
    this.#drop(side);
    this.change({ [side]: saved });
  }

  connectionText(side: CheckSide): string | undefined {
    const { answers, name } = this.#replication;
    return answers[side]?.reference ?? this.secrets.get(name, side);
  }

  connection(side: 'source'): SourceConnection;
  connection(side: 'target'): ConnectionDescription;
  connection(side: CheckSide): SourceConnection;
  connection(side: CheckSide): SourceConnection {
    const text = connectionText(this.#replication, side, this);
    const { kind } = this.#replication.answers;
    return parseSide(text ?? '', side, kind, this.env, `the ${side} connection`);
  }

  draft(form: string): Readonly<Record<string, string>> | undefined {
    return this.#drafts[form];
  }

  keepDraft(form: string, values: Readonly<Record<string, string>>): void {
    this.#drafts = { ...this.#drafts, [form]: values };
    this.#timer ??= setTimeout(() => this.#flush(), REST).unref();
  }

  holdPassword(side: CheckSide, password: string): void {
    this.#passwords.set(side, password);
  }

  heldPassword(side: CheckSide): string | undefined {
    return this.#passwords.get(side);
  }

  open(page: Page): void {
    this.#save((saved) => ({ ...saved, step: page }));
  }

  async rename(name: string): Promise<void> {
    const before = this.#replication.name;
    if (!NAME.test(name)) {
      throw new OperatorError('SESSION_NAME', `${JSON.stringify(name)} cannot be the name of a replication`, {
        fix: 'use up to 64 letters, digits, hyphens, underscores and dots, and no dot in front',
      });
    }
    if (name === before) return;
    if (this.store.get(name) !== undefined) {
      throw new OperatorError('SESSION_EXISTS', `there is a replication ${name} already`, {
        fix: 'choose another name, or resume that one from the list of saved replications',
      });
    }
    const unlock = await this.store.lock(name);
    try {
      const renamed = { ...this.#replication, name, drafts: this.#drafts };
      this.store.save(renamed);
      for (const side of ['source', 'target', 'staging'] as const) {
        const text = this.secrets.get(before, side);
        if (text !== undefined) this.secrets.set(name, side, text);
      }
      this.#replication = renamed;
    } catch (error) {
      unlock();
      throw error;
    }
    this.secrets.remove(before);
    this.store.remove(before);
    this.#unlock();
    this.#unlock = unlock;
  }

  async runFix(fix: Fix): Promise<void> {
    await this.servers.runFix(
      fix,
      fix.side === 'source' ? { source: this.connection('source') } : { target: this.connection('target') },
    );
    const { statements = [], side } = fix;
    const fixes = { ...this.#drafts[FIXES] };
    const tables: Created[] = [];
    for (const statement of statements) {
      fixes[`${Object.keys(fixes).length + 1}`] = `${side}: ${statement}`;
      const name = createdTable(statement);
      if (name !== undefined) tables.push({ what: 'table', side, name, at: new Date().toISOString() });
    }
    this.#drafts = { ...this.#drafts, [FIXES]: fixes };
    this.#save((saved) => ({ ...saved, made: [...saved.made, ...tables] }));
  }

  close(): void {
    if (this.#closed) return;
    if (this.#timer !== undefined) this.#flush();
    this.#closed = true;
    this.#unlock();
  }

  forget(): void {
    const { name } = this.#replication;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.secrets.remove(name);
    this.store.remove(name);
    this.close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#save((saved) => saved);
  }

  #drop(form: string): void {
    const { [form]: _, ...others } = this.#drafts;
    this.#drafts = others;
  }

  /**
   * Saves a change of what is on the disk now, or of the beginning when nothing is there yet. A disk that is full does not end
   * the setup: the change counts, and somebody is told.
   */
  #save(change: (saved: Replication) => Replication): void {
    const { name } = this.#replication;
    try {
      const changed = { ...change(this.store.get(name) ?? this.#replication), drafts: this.#drafts };
      this.#replication = changed;
      this.store.save(changed);
    } catch (error) {
      this.#replication = { ...change(this.#replication), drafts: this.#drafts };
      this.onTrouble(error);
    }
  }
}
