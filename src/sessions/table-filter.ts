import { mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../errors.ts';
import { parseTableName } from '../sources/table-name.ts';
import { stateFolder } from './folder.ts';

/** Where the filter of a replication is written: by its name, next to everything else that is saved of it. */
export function tableFilterPath(name: string, env: NodeJS.ProcessEnv): string {
  return join(stateFolder(env), 'scripts', name, 'table_filter.ts');
}

/**
 * A userscript (replicator@v2) that lets the changes of some tables through and drops those of all others, also of tables that
 * are made later. A binlog holds every table of a database, and redo every one of its owner: this is how some of them are chosen.
 */
export function tableFilter(targetSchema: string, tables: readonly string[]): string {
  const names = tables.map((table) => JSON.stringify(parseTableName(table).name));
  return `// Only these tables are replicated; changes of all others are dropped.
import * as api from "replicator@v2";

const TABLES = [
${names.map((name) => `  ${name},`).join('\n')}
];

function chosen(row, meta) {
  return TABLES.indexOf(meta.table) >= 0 ? row : null;
}

api.configureTargetSchema(${JSON.stringify(targetSchema)}, {
  onRowUpsert: chosen,
  onRowDelete: chosen,
});
`;
}

/** Writes a filter in place of what was there. @throws OperatorError SCRIPT_NOT_WRITTEN */
export function writeTableFilter(path: string, text: string): void {
  const fresh = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      writeFileSync(fresh, text);
      renameSync(fresh, path);
    } finally {
      rmSync(fresh, { force: true });
    }
  } catch (cause) {
    throw new OperatorError(
      'SCRIPT_NOT_WRITTEN',
      `the script that lets only the chosen tables through could not be written to ${path}: ${(cause as Error).message}`,
      { fix: `df -h ${dirname(path)}`, cause },
    );
  }
}

/** Removes a filter, and its folder when nothing else is in there; one that is gone already is as good. @throws OperatorError SCRIPT_NOT_REMOVED */
export function removeTableFilter(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (cause) {
    throw new OperatorError('SCRIPT_NOT_REMOVED', `${path} could not be removed: ${(cause as Error).message}`, {
      fix: `rm ${path}`,
      cause,
    });
  }
  try {
    rmdirSync(dirname(path));
  } catch {
    // Somebody else keeps something there, or it is gone.
  }
}
