import { closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Conf from 'conf';
import { OperatorError } from '../errors.ts';
import { closedFolder, NAME, stateFolder } from './folder.ts';
import { processIdentity } from './process-identity.ts';
import type { Replication } from './replication.ts';

/** Grows when an older program could not make sense of what a newer one has saved. */
const FORMAT = 1;

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
  readonly #problems: string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws OperatorError SESSION_FOLDER */
  static open(env: NodeJS.ProcessEnv): ReplicationStore {
    return new ReplicationStore(closedFolder(join(stateFolder(env), 'replications')));
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
    try {
      // What cannot be read is set aside first: it is never overwritten.
      this.#read(name);
      this.#conf(name).store = { format: FORMAT, replication };
    } catch (cause) {
      if (cause instanceof OperatorError) throw cause;
      throw new OperatorError(
        'SESSION_NOT_SAVED',
        `replication ${name} could not be saved: ${(cause as Error).message}`,
        {
          fix: `df -h ${this.#folder}`,
          cause,
        },
      );
    }
  }

  /** Changes what is saved, read anew. @throws OperatorError SESSION_MISSING when it is not there any more. */
  update(name: string, change: (replication: Replication) => Replication): Replication {
    const found = this.get(name);
    if (found === undefined) throw this.missing(name);
    const changed = change(found);
    this.save(changed);
    return changed;
  }

  remove(name: string): void {
    if (NAME.test(name)) rmSync(join(this.#folder, `${name}.json`), { force: true });
  }

  /** The error for a name that nothing is saved under. */
  missing(name: string): OperatorError {
    const names = this.list().map((each) => each.name);
    return new OperatorError('SESSION_MISSING', `no replication is saved as ${JSON.stringify(name)}`, {
      fix: names.length === 0 ? 'instar' : `one of: ${names.join(', ')}`,
    });
  }

  /**
   * Keeps other processes from changing a replication until what is returned is called. A process that has died does not
   * count.
   * @throws OperatorError SESSION_BUSY that names the process.
   */
  async lock(name: string): Promise<() => void> {
    const path = join(this.#folder, `${name}.lock`);
    const mine = `${process.pid} ${processIdentity(process.pid)}`;
    for (;;) {
      try {
        const descriptor = openSync(path, 'wx', 0o600);
        writeSync(descriptor, mine);
        closeSync(descriptor);
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readOr(path, '');
      const [pid, ...identity] = holder.split(' ');
      if (holder !== '' && processIdentity(Number(pid)) === identity.join(' ')) {
        throw new OperatorError('SESSION_BUSY', `replication ${name} is open in another instar, process ${pid}`, {
          fix: `go on there, or end it: kill ${pid}`,
        });
      }
      takeAway(path, holder);
    }
  }

  #conf(name: string): Conf<Saved & Record<string, unknown>> {
    return new Conf({ cwd: this.#folder, configName: name, configFileMode: 0o600, clearInvalidConfig: false });
  }

  #read(name: string): Replication | undefined {
    const path = join(this.#folder, `${name}.json`);
    const text = readOr(path, undefined);
    if (text === undefined) return undefined;
    const saved = parse(text, name);
    if (saved !== 'damaged') {
      if (saved.format <= FORMAT) return saved.replication;
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

/** Removes the lock of a process that has died, unless another process has taken its place since it was read. */
function takeAway(path: string, holder: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (readOr(aside, '') === holder) rmSync(aside);
    else renameSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function parse(text: string, name: string): Saved | 'damaged' {
  let value: Partial<Saved> | null;
  try {
    value = JSON.parse(text) as Partial<Saved> | null;
  } catch {
    return 'damaged';
  }
  if (typeof value?.format !== 'number') return 'damaged';
  if (value.format > FORMAT) return value as Saved;
  const { replication } = value;
  const whole =
    replication?.name === name &&
    typeof replication.created === 'string' &&
    typeof replication.answers === 'object' &&
    Array.isArray(replication.made);
  return whole ? (value as Saved) : 'damaged';
}

function lastUse({ created, run, ending }: Replication): number {
  return Math.max(Date.parse(created), run?.started ?? 0, ending === undefined ? 0 : Date.parse(ending.at));
}
