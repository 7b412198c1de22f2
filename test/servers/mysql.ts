import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { promisify } from 'node:util';
import mysql, { type Connection } from 'mysql2/promise';
import { type Guard, guardProcess } from '../../src/demo/guard.ts';
import { exitsWithin } from '../../src/demo/server-process.ts';
import { freePort } from '../../src/metrics/free-port.ts';
import { ENVIRONMENT, type MysqlFlavour, MysqlPrograms } from './mysql-programs.ts';

export type { MysqlFlavour };

export const MYSQL_FLAVOURS = ['mysql', 'mariadb', 'mariadb-11'] as const satisfies readonly MysqlFlavour[];

export interface MysqlOptions {
  /** Default: `mysql`. */
  readonly flavour?: MysqlFlavour;
  /** Variables of the server, by their names with underscores: `{ binlog_row_image: 'MINIMAL' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether commits wait for the disk, so that they survive a SIGKILL of the whole machine. Default: no. */
  readonly fsync?: boolean;
}

/** A MySQL or MariaDB server of its own on a loopback port; the user root has no password. */
export interface MysqlServer {
  readonly flavour: MysqlFlavour;
  readonly port: number;
  readonly pid: number;
  /** Where the binary logs are, among others. */
  readonly dataDir: string;
  uri(database?: string, options?: { user?: string; password?: string; query?: string }): string;
  /** Runs statements on a connection of their own; the rows of the last one. Numbers that do not fit and all dates are text. */
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
    database?: string,
  ): Promise<Row[]>;
  connect(database?: string): Promise<Connection>;
  /** Makes a database, with the character set utf8mb4; returns its URI. */
  createDatabase(name: string): Promise<string>;
  /** Ends it in order and removes its files. */
  stop(): Promise<void>;
  /** SIGKILL; the files stay. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, after a kill or else after an orderly end; further settings are kept. */
  restart(settings?: Readonly<Record<string, string>>): Promise<void>;
  /** The end of the server's log. */
  logTail(): string;
}

const HOST = '127.0.0.1';
const START_LIMIT = 90_000;
const STOP_LIMIT = 30_000;
const run = promisify(execFile);

/** Starts a server that is ready for replication: binary log in rows with full metadata, GTIDs. */
export async function startMysql(options: MysqlOptions = {}): Promise<MysqlServer> {
  const server = new TestMysql(await MysqlPrograms.find(options.flavour ?? 'mysql'), options);
  await server.create();
  return server;
}

class TestMysql implements MysqlServer {
  readonly flavour: MysqlFlavour;
  port = 0;
  readonly #programs: MysqlPrograms;
  #settings: Record<string, string>;
  #base = '';
  #process: ChildProcess | undefined;
  #guard: Guard | undefined;

  constructor(programs: MysqlPrograms, { settings, fsync = false }: MysqlOptions) {
    this.flavour = programs.flavour;
    this.#programs = programs;
    this.#settings = { ...defaultSettings(programs.isMariadb, fsync), ...settings };
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('the server is not running');
    return this.#process.pid;
  }

  get dataDir(): string {
    return path.join(this.#base, 'data');
  }

  async create(): Promise<void> {
    this.#base = await mkdtemp(path.join(tmpdir(), 'instar-my-'));
    try {
      await run('cp', ['-R', '--sparse=always', await this.#programs.freshData(), this.dataDir]);
      for (let attempt = 1; ; attempt++) {
        this.port = await freePort();
        try {
          await this.#start();
          return;
        } catch (error) {
          // Somebody took the port between our look and the server's.
          if (attempt >= 5 || !/address already in use/i.test(this.logTail())) throw error;
        }
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  uri(database = '', { user = 'root', password, query }: { user?: string; password?: string; query?: string } = {}) {
    const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
    const rest = query === undefined ? '' : `?${query}`;
    return `mysql://${encodeURIComponent(user)}${secret}@${HOST}:${this.port}/${encodeURIComponent(database)}${rest}`;
  }

  async query<Row extends object = Record<string, unknown>>(
    sql: string,
    params: readonly unknown[] = [],
    database?: string,
  ): Promise<Row[]> {
    const connection = await this.connect(database);
    try {
      const [result] = await connection.query(sql, [...params]);
      const several = Array.isArray(result) && (Array.isArray(result[0]) || isHeader(result[0]));
      const last = several ? (result as unknown[]).at(-1) : result;
      return Array.isArray(last) ? (last as Row[]) : [];
    } finally {
      await connection.end();
    }
  }

  connect(database?: string): Promise<Connection> {
    return mysql.createConnection({
      host: HOST,
      port: this.port,
      user: 'root',
      database,
      multipleStatements: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      charset: 'utf8mb4',
    });
  }

  async createDatabase(name: string): Promise<string> {
    await this.query(`CREATE DATABASE \`${name.replaceAll('`', '``')}\` CHARACTER SET utf8mb4`);
    return this.uri(name);
  }

  async stop(): Promise<void> {
    // What is thrown away needs no orderly end, which can take seconds.
    await this.kill();
    await rm(this.#base, { recursive: true, force: true, maxRetries: 3 });
    this.#guard?.dismiss();
  }

  async kill(): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    running.kill('SIGKILL');
    await exitsWithin(running, STOP_LIMIT);
    this.#process = undefined;
  }

  async restart(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const running = this.#process;
    if (running !== undefined) {
      running.kill('SIGTERM');
      if (!(await exitsWithin(running, STOP_LIMIT))) await this.kill();
      this.#process = undefined;
    }
    this.#settings = { ...this.#settings, ...settings };
    await this.#start();
  }

  logTail(): string {
    if (!existsSync(this.#logFile)) return '';
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
  }

  get #logFile(): string {
    return path.join(this.#base, 'server.log');
  }

  async #start(): Promise<void> {
    const pidFile = path.join(this.#base, 'pid');
    await rm(pidFile, { force: true });
    const settings = Object.entries(this.#settings).map(([name, value]) => `--${name.replaceAll('_', '-')}=${value}`);
    const own = [`--port=${this.port}`, `--bind-address=${HOST}`];
    const { file, args } = this.#programs.server(this.#base, this.dataDir, [...own, ...settings]);
    const log = openSync(this.#logFile, 'w', 0o600);
    // Detached: the terminal's Ctrl-C is for the tests, which stop their servers themselves.
    const server = spawn(file, args, {
      cwd: this.#base,
      env: ENVIRONMENT,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    server.unref();
    this.#process = server;
    this.#guard?.dismiss();
    if (server.pid !== undefined) this.#guard = guardProcess(server.pid, this.#base);
    let failure: Error | undefined;
    server.once('error', (error) => {
      failure = error;
    });
    const deadline = Date.now() + START_LIMIT;
    // The pid file is written once connections are taken.
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8').trim() === '') {
      if (failure !== undefined || server.exitCode !== null || server.signalCode !== null) {
        this.#process = undefined;
        throw new Error(`${this.flavour} did not start: ${failure?.message ?? this.logTail()}`);
      }
      if (Date.now() > deadline)
        throw new Error(`${this.flavour} is not ready after ${START_LIMIT} ms\n${this.logTail()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    server.once('exit', () => {
      if (this.#process === server) this.#process = undefined;
    });
    await this.query('SELECT 1');
  }
}

/** The answer to a statement that is no question, among the answers to several statements. */
function isHeader(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'affectedRows' in answer && 'serverStatus' in answer;
}

/** Small, and ready for replication. */
function defaultSettings(mariadb: boolean, fsync: boolean): Record<string, string> {
  const common = {
    server_id: '1',
    log_bin: 'binlog',
    binlog_format: 'ROW',
    binlog_row_metadata: 'FULL',
    innodb_buffer_pool_size: '64M',
    innodb_flush_log_at_trx_commit: fsync ? '1' : '2',
    sync_binlog: fsync ? '1' : '0',
    performance_schema: 'OFF',
    skip_name_resolve: 'ON',
    max_connections: '100',
    max_allowed_packet: '256M',
    default_time_zone: '+00:00',
  };
  if (mariadb) return { ...common, innodb_log_file_size: '48M', character_set_server: 'utf8mb4' };
  return {
    ...common,
    gtid_mode: 'ON',
    enforce_gtid_consistency: 'ON',
    innodb_redo_log_capacity: '64M',
    mysqlx: 'OFF',
    // The certificates of its own are there with the data; making new ones takes a second.
    auto_generate_certs: 'ON',
  };
}

/** An empty database of one test, on a server that its whole file shares. */
export interface TestMysqlDatabase {
  readonly server: MysqlServer;
  readonly name: string;
  readonly url: string;
  query<Row extends object = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
}

/** A server shared by the tests of one file: started before the first, removed after the last. */
export interface SharedMysql {
  readonly server: MysqlServer;
  /** Makes a database that is dropped when the test ends. */
  freshDatabase(test: { after(done: () => Promise<void>): void }): Promise<TestMysqlDatabase>;
}

let databases = 0;

/** Registers a server for all tests of the calling file or suite. */
export function sharedMysql(options: MysqlOptions = {}): SharedMysql {
  let server: MysqlServer | undefined;
  before(async () => {
    server = await startMysql(options);
  });
  after(async () => {
    await server?.stop();
  });
  const running = (): MysqlServer => {
    if (server === undefined) throw new Error('the shared server is there only while tests run');
    return server;
  };
  return {
    get server() {
      return running();
    },
    async freshDatabase(test) {
      const own = running();
      databases += 1;
      const name = `test_${databases}`;
      const url = await own.createDatabase(name);
      test.after(async () => {
        await own.query(`DROP DATABASE IF EXISTS \`${name}\``);
      });
      return { server: own, name, url, query: (sql, params) => own.query(sql, params, name) };
    },
  };
}
