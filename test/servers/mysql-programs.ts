import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** MySQL 9.7, MariaDB 10.11 and MariaDB 11.8, or what Debian has newer. */
export type MysqlFlavour = 'mysql' | 'mariadb' | 'mariadb-11';

/** How to run a program: what to spawn, and its first arguments. */
interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('get-mysql.sh', import.meta.url));

/** The programs of one flavour, unpacked from Debian packages and run by the loader and the libraries that came along. */
export class MysqlPrograms {
  readonly flavour: MysqlFlavour;
  readonly #root: string;

  private constructor(flavour: MysqlFlavour, root: string) {
    this.flavour = flavour;
    this.#root = root;
  }

  /** Finds them, or fetches them: once for a machine, which takes a minute. */
  static async find(flavour: MysqlFlavour): Promise<MysqlPrograms> {
    const { stdout } = await run('bash', [SCRIPT, flavour], { maxBuffer: 64 * 1024 * 1024 });
    return new MysqlPrograms(flavour, stdout.trim());
  }

  get isMariadb(): boolean {
    return this.flavour !== 'mysql';
  }

  /** A server on `data`, with its other files in `base`. */
  server(base: string, data: string, options: readonly string[]): Command {
    return this.#program(this.isMariadb ? 'usr/sbin/mariadbd' : 'usr/sbin/mysqld', [
      ...this.#places(base, data),
      ...options,
    ]);
  }

  /**
   * A directory with the data of a server that was never started, to be copied: the user root may come from anywhere, without
   * a password.
   */
  async freshData(): Promise<string> {
    const template = path.join(path.dirname(this.#root), `data-${this.flavour}-${process.getuid?.() ?? 0}`);
    if (existsSync(template)) return template;
    const base = await mkdtemp(path.join(tmpdir(), 'instar-my-'));
    try {
      const data = path.join(base, 'data');
      await mkdir(data);
      await (this.isMariadb ? this.#bootstrap(base, data) : this.#initialize(base, data));
      // Each server is to have a UUID of its own.
      await rm(path.join(data, 'auto.cnf'), { force: true });
      const beside = `${template}.${process.pid}`;
      await run('cp', ['-R', '--sparse=always', data, beside]);
      await rename(beside, template).catch(async (error: NodeJS.ErrnoException) => {
        await rm(beside, { recursive: true });
        // Another process was faster: its template is as good.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
      return template;
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  }

  async #initialize(base: string, data: string): Promise<void> {
    const grants = path.join(base, 'init.sql');
    await writeFile(grants, "CREATE USER root@'%';\nGRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;\n");
    const { file, args } = this.server(base, data, [
      '--initialize-insecure',
      `--init-file=${grants}`,
      '--innodb-redo-log-capacity=8M',
    ]);
    await run(file, [...args], { env: ENVIRONMENT });
  }

  /** What mariadb-install-db does, which cannot run programs by a loader of their own. */
  async #bootstrap(base: string, data: string): Promise<void> {
    const share = this.#share;
    const texts = (names: readonly string[]) =>
      names
        .map((name) => path.join(share, name))
        .filter(existsSync)
        .map((file) => readFileSync(file, 'utf8'));
    const tables = ['mysql_system_tables.sql', 'mariadb_system_tables.sql'];
    const performance = ['mysql_performance_tables.sql', 'mariadb_performance_tables.sql'];
    const rows = ['mysql_system_tables_data.sql', 'mariadb_system_tables_data.sql'];
    const procedures = ['maria_add_gis_sp_bootstrap.sql', 'mysql_sys_schema.sql', 'mariadb_sys_schema.sql'];
    const sql = [
      'CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n',
      ...texts([...tables, ...performance]),
      ...texts(rows).map((text) => text.replaceAll(/^.*@current_hostname.*$/gm, '')),
      ...texts(procedures),
      "USE mysql;\nFLUSH PRIVILEGES;\nCREATE USER IF NOT EXISTS root@'%';\n",
      "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;\nDELETE FROM global_priv WHERE User='';\n",
    ].join('\n');
    const { file, args } = this.server(base, data, [
      '--bootstrap',
      '--enforce-storage-engine=',
      '--max-allowed-packet=8M',
      '--net-buffer-length=16K',
      '--innodb-log-file-size=8M',
    ]);
    await new Promise<void>((resolve, reject) => {
      const server = spawn(file, args, { stdio: ['pipe', 'ignore', 'pipe'], env: ENVIRONMENT });
      let errors = '';
      server.stderr.on('data', (text: Buffer) => {
        errors += text;
      });
      server.on('error', reject);
      server.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`bootstrap failed: ${errors}`))));
      server.stdin.on('error', () => {}); // told by the exit
      server.stdin.end(sql);
    });
  }

  /** Everything that is compiled in as a path of an installed server. */
  #places(base: string, data: string): string[] {
    const plugins = ['usr/lib/mysql/plugin', ...this.#under('usr/lib', /^libmariadb/, 'plugin')]
      .map((name) => path.join(this.#root, name))
      .find(existsSync);
    return [
      '--no-defaults',
      `--basedir=${path.join(this.#root, 'usr')}`,
      `--datadir=${data}`,
      `--tmpdir=${base}`,
      `--secure-file-priv=${base}`,
      `--socket=${path.join(base, 's')}`,
      `--pid-file=${path.join(base, 'pid')}`,
      `--lc-messages-dir=${this.#share}`,
      `--character-sets-dir=${path.join(this.#share, 'charsets')}`,
      ...(plugins === undefined ? [] : [`--plugin-dir=${plugins}`]),
      // Both products refuse to run as root unless they are told to by name.
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ];
  }

  get #share(): string {
    const newer = path.join(this.#root, 'usr/share/mariadb');
    return existsSync(path.join(newer, 'charsets')) ? newer : path.join(this.#root, 'usr/share/mysql');
  }

  #program(name: string, args: readonly string[]): Command {
    const program = path.join(this.#root, name);
    const libraries = ['usr/lib', ...this.#architectures].map((folder) => path.join(this.#root, folder));
    const loader = ['usr/lib64', 'usr/lib', ...this.#architectures]
      .flatMap((folder) => this.#under(folder, /^ld-linux-.*\.so\.\d+$/))
      .map((found) => path.join(this.#root, found))
      .at(0);
    if (loader === undefined) throw new Error(`there is no loader in ${this.#root}`);
    return { file: loader, args: ['--argv0', program, '--library-path', libraries.join(':'), program, ...args] };
  }

  get #architectures(): string[] {
    return this.#under('usr/lib', /-linux-gnu$/);
  }

  /** Paths, from the root on, of what is in a folder under a name like that. */
  #under(folder: string, name: RegExp, ...below: readonly string[]): string[] {
    const absolute = path.join(this.#root, folder);
    if (!existsSync(absolute)) return [];
    return readdirSync(absolute)
      .filter((each) => name.test(each))
      .map((each) => path.join(folder, each, ...below));
  }
}

/** Nothing of the user's locale or time zone may leak into a server. */
export const ENVIRONMENT = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
