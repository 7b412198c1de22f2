import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { registerSecret } from '../config/secrets.ts';
import { OperatorError } from '../errors.ts';
import { closedFolder, stateFolder } from './folder.ts';
import {
  broughtUpToDate,
  currentFormat,
  keepCopy,
  removeCopies,
  type SavedMigration,
  type SavedValues,
} from './saved-format.ts';

/** Connection strings, and the word by which the engine knows its owner. */
export type SecretKey = 'source' | 'target' | 'staging' | 'control';

/** Secrets by their keys, and the number of the format; without one it is the first. */
type SavedSecrets = Partial<Record<SecretKey, string>> & { readonly format?: number };

/** Grows when an older program could not make sense of what a newer one has saved. */
const MIGRATIONS: readonly SavedMigration[] = [];

/**
 * What must not be seen of the saved replications: a file for each, mode 0600, in a folder of its own with mode 0700. Files
 * that others could have read or replaced are refused, not mended: what they hold may be known already.
 */
export class SecretsFile {
  readonly #folder: string;
  readonly #migrations: readonly SavedMigration[];

  private constructor(folder: string, migrations: readonly SavedMigration[]) {
    this.#folder = folder;
    this.#migrations = migrations;
  }

  /** @throws OperatorError SESSION_FOLDER */
  static open(env: NodeJS.ProcessEnv, migrations: readonly SavedMigration[] = MIGRATIONS): SecretsFile {
    return new SecretsFile(closedFolder(join(stateFolder(env), 'secrets')), migrations);
  }

  /** @throws OperatorError SECRETS_UNSAFE, SECRETS_DAMAGED, SECRETS_NEWER */
  get(name: string, key: SecretKey): string | undefined {
    const value = this.#read(name).secrets[key];
    if (value !== undefined && key === 'control') registerSecret(value);
    return value;
  }

  /** Undefined forgets it. @throws OperatorError SECRETS_UNSAFE, SECRETS_DAMAGED, SECRETS_NEWER, SECRETS_NOT_SAVED */
  set(name: string, key: SecretKey, value: string | undefined): void {
    const { secrets, format } = this.#read(name);
    this.#write(name, { ...secrets, [key]: value }, format);
  }

  remove(name: string): void {
    rmSync(this.#path(name), { force: true });
    removeCopies(this.#path(name));
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }

  /** The secrets as this version has them, and in which format they are saved; 0: not yet. */
  #read(name: string): { readonly secrets: SavedSecrets; readonly format: number } {
    const path = this.#path(name);
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT') return { secrets: {}, format: 0 };
      if (code === 'ELOOP') throw unsafe(path, 'is a link to somewhere else', `rm ${path}`);
      throw unsafe(path, `cannot be opened (${code})`, `ls -l ${path}`);
    }
    try {
      const { mode, uid } = fstatSync(descriptor);
      if (process.getuid !== undefined && uid !== process.getuid()) {
        throw unsafe(path, 'belongs to another user', `ls -l ${path}`);
      }
      if ((mode & 0o077) !== 0) throw unsafe(path, 'can be read by other users of this machine', `chmod 600 ${path}`);
      const saved = JSON.parse(readFileSync(descriptor, 'utf8')) as SavedValues;
      const format = Number(saved.format ?? 1);
      if (!(format <= currentFormat(this.#migrations))) throw newer(path);
      return { secrets: broughtUpToDate(saved, format, this.#migrations) as SavedSecrets, format };
    } catch (error) {
      if (error instanceof OperatorError) throw error;
      // The parser's own message would show what the file holds.
      throw new OperatorError('SECRETS_DAMAGED', `the connection strings saved in ${path} cannot be read`, {
        fix: `rm ${path}\n# then enter the connections again: the key e in instar, or: instar edit ${name} --file changes.yaml`,
      });
    } finally {
      closeSync(descriptor);
    }
  }

  #write(name: string, secrets: SavedSecrets, before: number): void {
    const path = this.#path(name);
    const fresh = `${path}.${randomUUID()}`;
    const format = currentFormat(this.#migrations);
    try {
      if (before > 0 && before < format) keepCopy(path, before);
      const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
      const descriptor = openSync(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        fchmodSync(descriptor, 0o600);
        writeSync(descriptor, JSON.stringify({ ...secrets, format }));
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(fresh, path);
    } catch (cause) {
      rmSync(fresh, { force: true });
      const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
      throw new OperatorError('SECRETS_NOT_SAVED', `the connection strings could not be saved in ${path}: ${reason}`, {
        fix: `df -h ${this.#folder}`,
        cause,
      });
    }
  }
}

function newer(path: string): OperatorError {
  return new OperatorError('SECRETS_NEWER', `${path} was written by a newer version of this program`, {
    fix: 'go on with the newer version; nothing was changed (instar version tells which one this is)',
  });
}

function unsafe(path: string, what: string, fix: string): OperatorError {
  return new OperatorError('SECRETS_UNSAFE', `${path} holds connection strings and ${what}; it is not used`, { fix });
}
