import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Arena } from './arena.ts';
import { drainOnce, fillBacklog } from './drain.ts';
import type { Servers } from './servers.ts';
import type { Backlog } from './workload.ts';

/** Each is drained so often, and counts by its best time: what else the machine does only ever makes it slower. */
const TIMES = 3;

const SCRIPTS = {
  none: undefined,
  other: 'api.configureTargetTables(["bystander"], { onRowUpsert: (row) => row, onRowDelete: (keys) => keys });',
  passing: 'api.configureTargetSchema("public", { onRowUpsert: (row, meta) => row, onRowDelete: (row, meta) => row });',
} as const;

export type ScriptTimes = Readonly<Record<keyof typeof SCRIPTS, number>>;

/** Seconds that Instar takes for the same backlog without a userscript, beside one, and through one. */
export async function scriptDrains(servers: Servers, backlog: Backlog): Promise<ScriptTimes> {
  const folder = mkdtempSync(join(tmpdir(), 'instar-bench-'));
  const best: Record<keyof typeof SCRIPTS, number> = { none: Infinity, other: Infinity, passing: Infinity };
  try {
    for (let round = 0; round < TIMES; round++) {
      for (const name of ['none', 'other', 'passing'] as const) {
        const script = SCRIPTS[name];
        const flags: string[] = [];
        if (script !== undefined) {
          const path = join(folder, `${name}.ts`);
          writeFileSync(path, `import * as api from "replicator@v2";\n${script}\n`);
          flags.push('--userscript', path);
        }
        const arena = await Arena.create(servers, `script_${name}_${round}`, flags);
        const { marker, expected } = await fillBacklog(arena, backlog, ['instar']);
        const { seconds, startupSeconds } = await drainOnce(arena, 'instar', marker, expected);
        best[name] = Math.min(best[name], seconds - startupSeconds);
        await arena.dispose();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return best;
}
