import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Conf from 'conf';
import { OperatorError } from '../errors.ts';
import { closedFolder, NAME, stateFolder } from './folder.ts';
import { takeLock } from './process-lock.ts';
import type { Replication } from './replication.ts';
import {
  broughtUpToDate,
  currentFormat,
  keepCopy,
  removeCopies,
  type SavedMigration,
  type SavedValues,
} from './saved-format.ts';

/** Grows when an older program could not make sense of what a newer one has saved. */
const MIGRATIONS: readonly SavedMigration[] = [];

/** Milliseconds that other processes get to finish a change of the same replication; it takes them a few. */
const CHANGE_PATIENCE = 5000;

/** What a process may keep others from: setting a replication up or removing it, or starting its engine. */
export type LockPurpose = 'setup' | 'start';

interface Saved {
  format: number;
  replication: Replication;
}

/**
 * The saved replications, a file each, so that what happens to one never touches another. Everything is read anew when it is
 * asked for, because other processes change it too.
 */
export class ReplicationStore {
  readonly #folder: string;
  readonly #migrations: readonly SavedMigration[];
  readonly #problems: string[] = [];

  private constructor(folder: string, migrations: readonly SavedMigration[]) {
    this.#folder = folder;
    this.#migrations = migrations;
  }

  /** @throws OperatorError SESSION_FOLDER */
  static open(env: NodeJS.ProcessEnv, migrations: readonly SavedMigration[] = MIGRATIONS): ReplicationStore {
    return new ReplicationStore(closedFolder(join(stateFolder(env), 'replications')), migrations);
  }

  /** What was found damaged or unreadable, and where it is now, in words for an operator. */
  get problem(): string | undefined {
    return this.#problems.length === 0 ? undefined : [...new Set(this.#problems)].join('\n');
  }

  /** All of them, the one that was used last in front. */
  list(): Replication[] {
    return readdirSync(this.#folder)
      .filter((file) => file.endsWith('.json') && NAME.test(file.slice(0, -5)))
      .flatMap((file) => this.#read(file.slice(0, -5)) ?? [])
      .sort((a, b) => lastUse(b) - lastUse(a) || a.name.localeCompare(b.name));
  }

  get(name: string): Replication | undefined {
    return NAME.test(name) ? this.#read(name) : undefined;
  }

  /** Writes a replication, in place of what was saved under its name. @throws OperatorError SESSION_NOT_SAVED */
  save(replication: Replication): void {
    const { name } = replication;
    if (!NAME.test(name)) {
      throw new OperatorError('SESSION_NAME', `${JSON.stringify(name)} cannot be the name of a replication`, {
        fix: 'use up to 64 letters, digits, hyphens, underscores and dots, and no dot in front',
      });
    }
    this.#alone(name, () => this.#write(replication));
  }

  /**
   * Changes what is saved, read anew, while no other process changes it.
   * @throws OperatorError SESSION_MISSING when it is not there any more, SESSION_NOT_SAVED
   */
  update(name: string, change: (replication: Replication) => Replication): Replication {
    return this.#alone(name, () => {
      const found = this.get(name);
      if (found === undefined) throw this.missing(name);
      const changed = change(found);
      this.#write(changed);
      return changed;
    });
  }

  remove(name: string): void {
    if (!NAME.test(name)) return;
    rmSync(this.#path(name), { force: true });
    removeCopies(this.#path(name));
  }

  /** The error for a name that nothing is saved under, or nothing that this version understands. */
  missing(name: string): OperatorError {
    if (NAME.test(name) && this.#formatOnDisk(name) > currentFormat(this.#migrations)) {
      return new OperatorError('SESSION_NEWER', `replication ${name} was saved by a newer version of this program`, {
        fix: 'go on with the newer version; nothing was changed (instar version tells which one this is)',
      });
    }
    const names = this.list().map((each) => each.name);
    return new OperatorError('SESSION_MISSING', `no replication is saved as ${JSON.stringify(name)}`, {
      fix: names.length === 0 ? 'instar' : `one of: ${names.join(', ')}`,
    });
  }

  /**
   * Keeps other processes from the same purpose until what is returned is called. A process that has died does not count.
   * @throws OperatorError SESSION_BUSY that names the process.
   */
  async lock(name: string, purpose: LockPurpose = 'setup'): Promise<() => void> {
    if (!NAME.test(name)) throw this.missing(name);
    const taken = takeLock(join(this.#folder, `${name}.${purpose}.lock`));
    if (typeof taken !== 'number') return taken;
    const does = purpose === 'setup' ? 'is open in' : 'is being started by';
    throw new OperatorError('SESSION_BUSY', `replication ${name} ${does} another instar, process ${taken}`, {
      fix: `go on there, or end it: kill ${taken}`,
    });
  }

  /** Does work that reads and writes one file while no other process does. It waits without giving way: for milliseconds. */
  #alone<T>(name: string, work: () => T): T {
    const deadline = performance.now() + CHANGE_PATIENCE;
    for (;;) {
      const taken = this.#takeChange(name);
      if (typeof taken !== 'number') {
        try {
          return work();
        } finally {
          taken();
        }
      }
      if (performance.now() > deadline) throw this.#notSaved(name, `process ${taken} keeps it from being changed`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }

  #takeChange(name: string): (() => void) | number {
    try {
      return takeLock(join(this.#folder, `${name}.change.lock`));
    } catch (cause) {
      throw this.#notSaved(name, (cause as Error).message, cause);
    }
  }

  #write(replication: Replication): void {
    const { name } = replication;
    try {
      // What cannot be read is set aside first: it is never overwritten. What is still there then is a newer version's.
      if (this.#read(name) === undefined && readOr(this.#path(name), undefined) !== undefined) {
        throw new OperatorError(
          'SESSION_EXISTS',
          `a newer version of this program has saved a replication as ${name}`,
          {
            fix: 'choose another name, or use the newer version',
          },
        );
      }
      const format = currentFormat(this.#migrations);
      const before = this.#formatOnDisk(name);
      if (before > 0 && before < format) keepCopy(this.#path(name), before);
      this.#conf(name).store = { format, replication };
    } catch (cause) {
      throw cause instanceof OperatorError ? cause : this.#notSaved(name, (cause as Error).message, cause);
    }
  }

  #notSaved(name: string, reason: string, cause?: unknown): OperatorError {
    return new OperatorError('SESSION_NOT_SAVED', `replication ${name} could not be saved: ${reason}`, {
      fix: `df -h ${this.#folder}`,
      cause,
    });
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }

  /** 0 when there is no file, or it cannot be read. */
  #formatOnDisk(name: string): number {
    const saved = parseJson(readOr(this.#path(name), ''));
    return typeof saved?.format === 'number' ? saved.format : 0;
  }

  #conf(name: string): Conf<Saved & Record<string, unknown>> {
    return new Conf({ cwd: this.#folder, configName: name, configFileMode: 0o600, clearInvalidConfig: false });
  }

  #read(name: string): Replication | undefined {
    const path = this.#path(name);
    const text = readOr(path, undefined);
    if (text === undefined) return undefined;
    const saved = parse(text, name, this.#migrations);
    if (saved !== 'damaged') {
      if (saved !== 'newer') return saved.replication;
      this.#problems.push(`${path} was written by a newer version of this program and is left alone`);
      return undefined;
    }
    const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`;
    renameSync(path, aside);
    this.#problems.push(`what was saved of ${name} cannot be read; it was set aside as ${aside}`);
    return undefined;
  }
}

function readOr<T>(path: string, otherwise: T): string | T {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function parse(text: string, name: string, migrations: readonly SavedMigration[]): Saved | 'damaged' | 'newer' {
  const value = parseJson(text);
  if (typeof value?.format !== 'number' || value.format < 1) return 'damaged';
  if (value.format > currentFormat(migrations)) return 'newer';
  const saved = broughtUpToDate(value, value.format, migrations) as unknown as Partial<Saved>;
  const { replication } = saved;
  const whole =
    replication?.name === name &&
    typeof replication.created === 'string' &&
    typeof replication.answers === 'object' &&
    Array.isArray(replication.made);
  return whole ? (saved as Saved) : 'damaged';
}

function parseJson(text: string): SavedValues | undefined {
  try {
    return (JSON.parse(text) as SavedValues | null) ?? undefined;
  } catch {
    return undefined;
  }
}

function lastUse({ created, run, ending }: Replication): number {
  return Math.max(Date.parse(created), run?.started ?? 0, ending === undefined ? 0 : Date.parse(ending.at));
}
