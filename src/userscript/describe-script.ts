import { OperatorError } from '../errors.ts';
import { SILENT } from '../log/silent.ts';
import type { Catalogue } from '../target/catalogue.ts';
import type { Dialect } from '../target/dialect.ts';
import type { SchemaName } from '../target/identifiers.ts';
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

/** Where the rows go that it is to see. */
export interface ScriptPlace {
  readonly schema: SchemaName;
  readonly dialect: Dialect;
  readonly catalogue: Catalogue;
}

/** Milliseconds that loading may take. */
const LOADING = 5000;

/**
 * Compiles and loads the script at `path` in a sandbox, and compares what it names with `place` where that is given. Never
 * rejects for what is wrong with the script.
 */
export async function describeScript(path: string, place?: ScriptPlace): Promise<ScriptDescription> {
  let script: Userscript | undefined;
  try {
    script = await Userscript.open({ path, timeout: LOADING, log: SILENT });
    const { schemas, tables } = script.configuration;
    const told = {
      schemas: schemas.map(({ name }) => name),
      tables: tables.flatMap(({ names, rows, write }) => names.map((name) => ({ name, rows, write }))),
    };
    return { ...told, errors: place === undefined ? [] : mismatch(script, place) };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { schemas: [], tables: [], errors: [error] };
  } finally {
    await script?.close();
  }
}

/** What it does to which rows, a line each. */
export function scriptEffects({ schemas, tables }: Pick<ScriptDescription, 'schemas' | 'tables'>): string[] {
  return [
    ...schemas.map((schema) => `sees every row on its way to the schema ${schema}`),
    ...tables.map(({ name, rows, write }) => {
      const does = [rows && 'sees', write && 'writes'].filter(Boolean).join(' and ');
      return `${does} the rows of the table ${name}`;
    }),
  ];
}

function mismatch(script: Userscript, { schema, dialect, catalogue }: ScriptPlace): OperatorError[] {
  try {
    script.bind(schema, dialect, catalogue);
    return [];
  } catch (error) {
    if (error instanceof OperatorError) return [error];
    throw error;
  }
}
