import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../harness/pseudo-terminal.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
/** The releases of Node.js that the package is promised to work on. */
const RELEASES = [22, 24, 26];
const MEGABYTE = 2 ** 20;
/** What only the development needs; a driver has the types of Node among its own needs. */
const DEVELOPMENT = Object.keys(MANIFEST.devDependencies).filter((name) => name !== '@types/node');

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Packed {
  readonly size: number;
  readonly unpackedSize: number;
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** The environment of an operator: what npm tells the scripts of this package is none of another one's business. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(?!config_(registry|userconfig|globalconfig|cache|cafile)$)|NODE_|INIT_CWD$|INSTAR_)/i.test(name),
  ),
);

function run(file: string, args: readonly string[], cwd: string): Promise<Result> {
  return new Promise((resolve) => {
    execFile(file, [...args], { cwd, env, timeout: 120_000, maxBuffer: 16 * MEGABYTE }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }),
    );
  });
}

async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run('npm', args, cwd);
  assert.equal(status, 0, `npm ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** An empty folder, in which npm installs things. */
async function install(...what: string[]): Promise<string> {
  const folder = scratchDirectory('package');
  writeFileSync(join(folder, 'package.json'), '{}');
  await npm(folder, 'install', '--omit=dev', '--omit=optional', '--no-audit', '--no-fund', '--prefer-offline', ...what);
  return join(folder, 'node_modules');
}

let packed: Packed;
let place: string;
/** The program of each release. */
const nodes = new Map<number, string>();

before(async () => {
  const folder = scratchDirectory('package');
  // The build is there already, and other tests use it.
  const told = JSON.parse(await npm(ROOT, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder));
  packed = Array.isArray(told) ? told[0] : Object.values(told)[0];
  const archive = join(folder, packed.filename);
  const programs = `node-${process.platform}-${process.arch}`;
  const [installed, ...releases] = await Promise.all([
    install(archive),
    ...RELEASES.map((release) => install(`${programs}@${release}`)),
  ]);
  place = installed;
  for (const [at, release] of RELEASES.entries()) nodes.set(release, join(releases[at], programs, 'bin', 'node'));
});

/** The installed program on a release of Node.js, as the link that npm made for it. */
function start(release: number, name: string, ...args: string[]): Promise<Result> {
  return run(nodes.get(release)!, [join(place, '.bin', name), ...args], scratchDirectory('package'));
}

test('the package holds the program, its licences and what it is run with, and nothing else; it is small', (t) => {
  const paths = packed.files.map(({ path }) => path);
  const program = paths.filter((path) => path.startsWith('dist/'));
  assert.deepEqual(
    program.filter((path) => !/^dist\/(chunk-[A-Z0-9]{8}|[a-z-]+-[A-Z0-9]{8})\.js$/.test(path)),
    ['dist/cli.js', 'dist/modules.json', 'dist/userscript/worker.js'],
  );
  const examples = readdirSync(join(ROOT, 'assets/userscript/examples')).map(
    (name) => `assets/userscript/examples/${name}`,
  );
  assert.deepEqual(
    paths.filter((path) => !path.startsWith('dist/')).sort(),
    [
      'LICENSE',
      'README.md',
      'THIRD-PARTY-NOTICES',
      ...readdirSync(join(ROOT, 'assets/grafana')).map((name) => `assets/grafana/${name}`),
      'assets/prometheus/instar-alerts.yaml',
      'assets/instar.env',
      'assets/instar@.service',
      ...examples,
      'assets/userscript/replicator@v2.d.ts',
      'assets/userscript/tsconfig.json',
      'package.json',
    ].sort(),
  );
  assert.ok(packed.unpackedSize < 5 * MEGABYTE, `${packed.unpackedSize} bytes`);
  t.diagnostic(`${paths.length} files, ${packed.size} bytes packed, ${packed.unpackedSize} unpacked`);
  assert.equal(MANIFEST.scripts.prepare, 'rm -rf dist && npm run build', 'npm pack builds by itself');
});

test('what it needs and nothing of how it is developed is installed, under two names', () => {
  const installed = readdirSync(place);
  for (const name of Object.keys(MANIFEST.dependencies)) assert.ok(installed.includes(name), name);
  for (const name of [...DEVELOPMENT, ...Object.keys(MANIFEST.optionalDependencies)]) {
    assert.throws(() => statSync(join(place, name)), name);
  }
  for (const name of ['instar', 'replicator']) assert.ok(statSync(join(place, '.bin', name)).mode & 0o100, name);
});

for (const release of RELEASES) {
  test(`on Node ${release}: version, help, and the first page of the wizard in a terminal`, async (t) => {
    const version = await start(release, 'instar', 'version');
    assert.deepEqual([version.status, version.stderr], [0, '']);
    assert.match(version.stdout, new RegExp(`^instar +${MANIFEST.version}\nnode +${release}\\.`));
    assert.match(version.stdout, /^react +\S+ +sha512-\S+$/m);
    assert.match(version.stdout, /^pg +\S+ +(sha512-\S+)?$/m);
    const help = await start(release, 'instar', '--help');
    assert.deepEqual([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /^Usage: instar /m);
    const flags = await start(release, 'replicator', 'pglogical', '--help');
    assert.deepEqual([flags.status, flags.stderr], [0, '']);
    assert.match(flags.stdout, /^Usage: replicator pglogical \[flags\]$/m);
    // As far as a server that is not there: driver, log and metrics are loaded.
    const engine = await start(release, 'replicator', ...engineFlags());
    assert.equal(engine.status, 1);
    assert.match(engine.stdout, / ERROR .* code=TARGET_UNREACHABLE|code=\w+/);
    await firstPage(t, release);
  });
}

function engineFlags(): string[] {
  const connection = 'postgresql://nobody:nothing@127.0.0.1:1/none?sslmode=disable';
  return ['pglogical', '--sourceConn', connection, '--targetConn', connection, '--targetSchema', 'public'];
}

async function firstPage(t: TestContext, release: number): Promise<void> {
  const terminal = startProgram(t, nodes.get(release)!, [join(place, '.bin', 'instar')], {
    env: { INSTAR_HOME: join(scratchDirectory('package'), 'state') },
    cwd: scratchDirectory('package'),
  });
  await terminal.waitFor(/PostgreSQL/, 20_000);
  await terminal.waitFor(/MySQL or MariaDB/);
  terminal.pressAtOnce('ctrl+c');
  await terminal.exit;
}

test('version --json: the same for programs', async () => {
  const { status, stdout } = await start(24, 'replicator', 'version', '--json');
  assert.equal(status, 0);
  const told: { replicator: string; modules: { name: string; integrity?: string; bundled: boolean }[] } =
    JSON.parse(stdout);
  assert.equal(told.replicator, MANIFEST.version);
  const named = (name: string) => told.modules.find((module) => module.name === name);
  assert.match(String(named('react')?.integrity), /^sha512-/);
  assert.deepEqual([named('react')?.bundled, named('pg')?.bundled], [true, false]);
});

test('a userscript runs without the optional packages', async () => {
  const example = join(place, 'instar', 'assets', 'userscript', 'examples', 'filter-tables.ts');
  const { status, stdout } = await start(24, 'instar', 'userscript', 'check', example);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /can be loaded/);
});

test('help loads neither a driver nor the screens: it starts not much later than Node itself', async (t) => {
  const script = `import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });`;
  const hook = `data:text/javascript,${encodeURIComponent(script)}`;
  const loadedBy = async (...args: string[]) => {
    const program = join(place, '.bin', 'instar');
    const { status, stderr } = await run(nodes.get(24)!, ['--import', hook, program, ...args], place);
    assert.equal(status, 0);
    return stderr.split('\n').filter((url) => url.startsWith('file:'));
  };
  const bytesOf = (urls: readonly string[]) => urls.reduce((sum, url) => sum + statSync(fileURLToPath(url)).size, 0);
  const all = packed.unpackedSize;
  for (const args of [['--help'], ['pglogical', '--help'], ['completion', 'bash']]) {
    const urls = await loadedBy(...args);
    assert.ok(urls.some((url) => url.endsWith('/cli.js')));
    assert.deepEqual(
      urls.filter((url) => !url.includes('/instar/dist/')),
      [],
      args.join(' '),
    );
    t.diagnostic(`instar ${args.join(' ')} loads ${bytesOf(urls)} bytes of ${all}`);
    assert.ok(bytesOf(urls) < all / 8, `${args.join(' ')} loads ${bytesOf(urls)} bytes`);
  }
  const median = async (...args: string[]) => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const from = performance.now();
      await run(nodes.get(24)!, args, place);
      times.push(performance.now() - from);
    }
    return Math.round(times.sort((a, b) => a - b)[2]);
  };
  const program = join(place, '.bin', 'instar');
  const [bare, help, version] = [
    await median('-e', '0'),
    await median(program, '--help'),
    await median(program, 'version'),
  ];
  t.diagnostic(`median of 5 starts: node alone ${bare} ms, instar --help ${help} ms, instar version ${version} ms`);
});

test('the licences of everything in dist travel with it', () => {
  const notices = readFileSync(join(place, 'instar', 'THIRD-PARTY-NOTICES'), 'utf8');
  const modules: { name: string; version: string; bundled?: true }[] = JSON.parse(
    readFileSync(join(place, 'instar', 'dist', 'modules.json'), 'utf8'),
  );
  const bundled = modules.filter((module) => module.bundled === true);
  assert.ok(bundled.length > 20);
  for (const { name, version } of bundled) assert.ok(notices.includes(`\n${name} ${version} (`), name);
  for (const name of ['ink', 'react', 'yaml', 'yoga-layout']) assert.ok(bundled.some((each) => each.name === name));
  assert.match(notices, /Permission is hereby granted/);
  assert.match(readFileSync(join(place, 'instar', 'LICENSE'), 'utf8'), /Apache License/);
});

test('the bill of materials is CycloneDX, with every package of the lock file, its hash, and whether it is for development', async () => {
  const bill: {
    bomFormat: string;
    metadata: { component: { purl: string; type: string } };
    components: { purl: string; hashes?: unknown[]; properties: { name: string }[] }[];
  } = JSON.parse(await npm(ROOT, 'run', '--silent', 'sbom'));
  assert.equal(bill.bomFormat, 'CycloneDX');
  assert.equal(bill.metadata.component.purl, `pkg:npm/instar@${MANIFEST.version}`);
  const lock: { packages: Record<string, { name?: string; version: string; dev?: boolean; optional?: boolean }> } =
    JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const components = new Map(bill.components.map((each) => [decodeURIComponent(each.purl), each]));
  for (const [path, { name, version, dev = false, optional = false }] of Object.entries(lock.packages)) {
    // Programs of the development for other systems are left out.
    if (path === '' || (dev && optional)) continue;
    const called = name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const found = components.get(`pkg:npm/${called}@${version}`);
    assert.ok(found?.hashes, `${called}@${version}`);
    if (dev) continue;
    assert.ok(!found.properties.some((property) => property.name === 'cdx:npm:package:development'), called);
  }
});
