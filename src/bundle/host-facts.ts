import { statfsSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

/** What the machine is, and how it is now. Bytes and seconds. Of the environment only names are told. */
export function hostFacts(env: NodeJS.ProcessEnv, folders: readonly string[]): object {
  const cpus = os.cpus();
  return {
    time: new Date().toISOString(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    host: os.hostname(),
    platform: os.platform(),
    release: os.release(),
    arch: os.arch(),
    uptimeSeconds: Math.round(os.uptime()),
    cpus: { count: cpus.length, usable: os.availableParallelism(), model: cpus[0]?.model ?? null },
    loadAverage: os.loadavg(),
    memory: { total: os.totalmem(), free: os.freemem(), limit: process.constrainedMemory() || null },
    disks: Object.fromEntries(folders.map((folder) => [folder, diskOf(folder)])),
    node: process.versions,
    environment: Object.keys(env)
      .filter((name) => /^(INSTAR_|PG|MYSQL_|ORA|TNS_|NODE_|TZ$|LANG$|LC_|TERM$)/.test(name))
      .sort(),
  };
}

function diskOf(folder: string): object {
  try {
    const { bsize, blocks, bavail, files, ffree } = statfsSync(folder);
    return { total: bsize * blocks, free: bsize * bavail, inodes: files, freeInodes: ffree };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
