import { OperatorError } from '../errors.ts';
import { SILENT } from '../log/silent.ts';
import { Userscript } from './userscript.ts';

/** What a script says that it does, without a row having gone through it. */
export interface ScriptDescription {
  /** Target schemas whose rows it sees. */
  readonly schemas: readonly string[];
  /** Target tables that it names, and whether it writes their rows itself. */
  readonly tables: readonly { readonly name: string; readonly rows: boolean; readonly write: boolean }[];
  /** Why it cannot be used; empty when it can. */
  readonly errors: readonly OperatorError[];
}

/** Milliseconds that loading may take. */
const LOADING = 5000;

/** Compiles and loads the script at `path` in a sandbox. Never rejects for what is wrong with the script. */
export async function describeScript(path: string): Promise<ScriptDescription> {
  let script: Userscript | undefined;
  try {
    script = await Userscript.open({ path, timeout: LOADING, log: SILENT });
    const { schemas, tables } = script.configuration;
    return {
      schemas: schemas.map(({ name }) => name),
      tables: tables.flatMap(({ names, rows, write }) => names.map((name) => ({ name, rows, write }))),
      errors: [],
    };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { schemas: [], tables: [], errors: [error] };
  } finally {
    await script?.close();
  }
}
