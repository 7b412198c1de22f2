import { setTimeout as sleep } from 'node:timers/promises';
import { dirname, join } from 'node:path';
import { parseCommandLine } from '../config/command-line.ts';
import { MASK, mask } from '../config/secrets.ts';
import { readOnce } from '../dashboard/poller.ts';
import { statusJson } from '../dashboard/text.ts';
import { engineCommand, type Saved } from '../sessions/engine-child.ts';
import { stateFolder } from '../sessions/folder.ts';
import type { Replication } from '../sessions/replication.ts';
import { resume } from '../sessions/resume.ts';
import { settleEnding, stateOf } from '../sessions/state.ts';
import { formatBytes, formatCount } from '../terminal/format.ts';
import { writeBundle } from './bundle-file.ts';
import { hostFacts } from './host-facts.ts';
import { logTail } from './log-tail.ts';
import { learnSecrets, maskedJson, maskedText } from './masking.ts';
import { chooseSnapshots, packedSnapshot } from './snapshot-parts.ts';

/** A file of a bundle. */
export interface BundlePart {
  /** Within the bundle's folder. */
  readonly name: string;
  readonly what: string;
  readonly bytes: number;
}

/** Something that is not in a bundle, and why. */
export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

export interface Bundle {
  readonly path: string;
  readonly bytes: number;
  /** The snapshots are one part. */
  readonly parts: readonly BundlePart[];
  readonly leftOut: readonly LeftOut[];
  /** All passwords of the replication were known, so that each was masked wherever it stood. */
  readonly passwordsKnown: boolean;
}

export interface BundleOptions extends Saved {
  readonly output?: string;
  /** The program's versions, for people. */
  readonly versions: string;
  readonly report?: (line: string) => void;
}

/** Bytes of the log and of the snapshots that are packed, the newest. */
const LOG = 4 * 2 ** 20;
const SNAPSHOTS = 32 * 2 ** 20;
/** Milliseconds that the engine's pages get, and the servers for the verdict. */
const PAGE_PATIENCE = 10_000;
const VERDICT_PATIENCE = 60_000;
/** Snapshots packed between two words about it. */
const TOLD_EACH = 1000;

/**
 * Packs what helps to find out how a replication is, or why it is not, into one file: also while it does not run, and when its
 * servers cannot be reached. Nothing is changed. Every text is masked once more on its way, by what is known of this replication's
 * secrets.
 * @throws OperatorError BUNDLE_NOT_WRITTEN
 */
export async function makeBundle(replication: Replication, options: BundleOptions): Promise<Bundle> {
  const { store, env, report = () => {} } = options;
  const settled = settleEnding(replication, store);
  const { name, run } = settled;
  const began = Date.now();
  const folder = `${name}-bundle-${new Date(began).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  const parts: BundlePart[] = [];
  const unknown = learnSecrets(settled, options);
  const leftOut: LeftOut[] = unknown.map((why) => ({
    name: 'masking by value',
    why: `${why}: what the engine has masked is masked, and what looks like a password`,
  }));
  const { path, bytes } = await writeBundle(options.output ?? `${folder}.tar.gz`, async (add) => {
    const part = async (file: string, what: string, collect: () => Promise<string>) => {
      report(`${what} …`);
      try {
        const content = Buffer.from(await collect());
        await add({ name: `${folder}/${file}`, content, modified: began });
        parts.push({ name: file, what, bytes: content.length });
      } catch (error) {
        if (isOfTheSystem(error)) throw error;
        leftOut.push({ name: file, why: mask(error instanceof Error ? error.message : String(error)) });
      }
    };
    const json = (value: unknown) => `${maskedJson(value, 2)}\n`;
    const running = stateOf(settled) === 'running' && run !== undefined;
    const page = (at: string) =>
      running ? ask(`http://${run.metricsAddr}${at}`) : Promise.reject(notRunning(settled));

    await part('replication.json', 'what is saved of the replication', async () => {
      const { drafts: _, ...saved } = settled;
      return json({ state: stateOf(settled), ...saved });
    });
    await part('settings.json', 'its settings, defaults included', async () =>
      json(settingsOf(settled, run?.logFile ?? `${name}.log`)),
    );
    await part('status.json', 'how it is doing', async () => {
      if (!running) throw notRunning(settled);
      return json(statusJson(await readOnce(`http://${run.metricsAddr}`)));
    });
    await part('health.txt', 'its health', async () => maskedText((await page('/_/healthz')).body));
    await part('diag.json', 'its diagnostics', async () => diagnostics((await page('/_/diag')).body));
    await part('metrics.txt', 'its metrics', async () => maskedText((await page('/_/varz')).body));
    await part('resume.json', 'whether it could be resumed', async () => json(await verdictOf(name, options)));
    await part('versions.txt', 'versions', async () => options.versions);
    await part('host.json', 'the machine', async () => {
      const state = stateFolder(env);
      return json(hostFacts(env, [state, process.cwd()]));
    });
    for (const file of run === undefined ? [] : [run.logFile, `${run.logFile}.1`]) {
      const tail = await logTail(file, LOG).catch(() => undefined);
      if (tail === undefined) continue;
      const inside = file === run?.logFile ? `${name}.log` : `${name}.log.1`;
      await part(inside, tail.cut ? `the last ${formatBytes(LOG)} of the log` : 'the log', async () =>
        maskedText(tail.text),
      );
    }
    if (run === undefined) leftOut.push({ name: `${name}.log`, why: 'it was never started' });
    else await packSnapshots(dirname(run.logFile));
    await part('contents.txt', 'this list', async () => contentsText({ parts, leftOut }));

    async function packSnapshots(logs: string): Promise<void> {
      const dataDir = join(logs, `${name}-data`);
      const { files, left } = await chooseSnapshots(dataDir, SNAPSHOTS);
      let packed = 0;
      let size = 0;
      for (const file of files) {
        if (packed % TOLD_EACH === 0)
          report(`metrics snapshots, ${formatCount(packed)} of ${formatCount(files.length)} …`);
        try {
          const snapshot = await packedSnapshot(file, folder);
          await add(snapshot);
          packed++;
          size += snapshot.content.length;
        } catch (error) {
          if (isOfTheSystem(error) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
          leftOut.push({ name: file.path, why: (error as Error).message });
        }
      }
      if (packed > 0) {
        const what = `${formatCount(packed)} metrics snapshots since ${new Date(files[0].at).toISOString()}`;
        parts.push({ name: 'metrics-snapshots/', what, bytes: size });
      } else if (files.length === 0) {
        const why = 'none were written; the option metricsSnapshotPeriod of the replication turns them on';
        leftOut.push({ name: 'metrics-snapshots/', why });
      }
      if (left > 0) leftOut.push({ name: `${left} older metrics snapshots`, why: `beyond ${formatBytes(SNAPSHOTS)}` });
    }
  });
  return { path, bytes, parts, leftOut, passwordsKnown: unknown.length === 0 };
}

/** What is in a bundle and what is not, in lines. */
export function contentsText({ parts, leftOut }: Pick<Bundle, 'parts' | 'leftOut'>): string {
  const width = Math.max(...parts.map(({ name }) => name.length), 0);
  const lines = parts.map(
    ({ name, what, bytes }) => `  ${name.padEnd(width)}  ${formatBytes(bytes).padStart(8)}  ${what}`,
  );
  const without = leftOut.map(({ name, why }) => `  ${name}: ${why}`);
  return `${[...lines, ...(without.length === 0 ? [] : ['left out:', ...without])].join('\n')}\n`;
}

/** All flags of its engine as they would be in force; the connections are told apart from them. */
function settingsOf(replication: Replication, logFile: string): object {
  const [kind, ...args] = engineCommand(replication, logFile);
  const given = { INSTAR_SOURCE_CONN: MASK, INSTAR_TARGET_CONN: MASK, INSTAR_SOURCE_PDB_CONN: MASK };
  const { settings } = parseCommandLine(kind as 'pglogical' | 'mylogical' | 'oraclelogminer', args, given);
  return { command: kind, arguments: args, settings };
}

async function verdictOf(name: string, saved: Saved): Promise<object> {
  const verdict = resume(name, { ...saved, dryRun: true });
  verdict.catch(() => {});
  const found = await Promise.race([verdict, sleep(VERDICT_PATIENCE, undefined, { ref: false })]);
  if (found === undefined) throw new Error(`the servers did not answer within ${VERDICT_PATIENCE / 1000} s`);
  return found.verdict ?? { running: true };
}

async function ask(url: string): Promise<{ body: string }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PAGE_PATIENCE) });
  // Of an unhealthy engine the reason is wanted as well.
  return { body: await response.text() };
}

function diagnostics(body: string): string {
  try {
    return `${maskedJson(JSON.parse(body), 2)}\n`;
  } catch {
    return maskedText(body);
  }
}

function notRunning(replication: Replication): Error {
  return new Error(`it does not run (${stateOf(replication)})`);
}

/** A disk that is full or a folder that cannot be written concerns the bundle as a whole. */
function isOfTheSystem(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === 'write' || syscall === 'fsync' || code === 'ENOSPC';
}
