import { existsSync, readFileSync, statSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import type { Message, Plugin } from 'esbuild';
import { OperatorError } from '../errors.ts';
import { refuseV1, V1_MODULES } from './v1.ts';

/** A script as one piece of JavaScript, with everything that it imports. */
export interface CompiledScript {
  /** As it was given. */
  readonly path: string;
  readonly code: string;
  /** `file:line:column` in the operator's files for a place in `code`; undefined outside of them. Lines count from 1. */
  place(line: number, column: number): string | undefined;
  /** The files that it is made of, the script first. */
  readonly files: readonly string[];
}

/** Imports of the API resolve to this in the compiled code. */
const API = 'replicator@v2';

/**
 * Compiles a userscript: TypeScript or JavaScript, with relative imports of both, of JSON and of texts. Types are taken away
 * unlooked at.
 * @throws OperatorError SCRIPT_MISSING, SCRIPT_SYNTAX, SCRIPT_IMPORT or SCRIPT_VERSION, with file, line and column.
 */
export async function compileScript(path: string): Promise<CompiledScript> {
  const entry = resolve(path);
  if (!existsSync(entry) || !statSync(entry).isFile()) {
    throw new OperatorError('SCRIPT_MISSING', `there is no userscript ${path}; nothing was started`, {
      fix: `ls -l ${path}`,
    });
  }
  // Loaded here, because it is of no use to an engine without a script.
  const esbuild = await import('esbuild');
  const guard = new ImportGuard();
  try {
    const result = await esbuild.build({
      entryPoints: [entry],
      absWorkingDir: dirname(entry),
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'neutral',
      target: 'es2022',
      // An import() at run time would be given objects of another realm.
      supported: { 'dynamic-import': false },
      outfile: 'userscript.js',
      sourcemap: 'external',
      charset: 'utf8',
      treeShaking: false,
      logLevel: 'silent',
      tsconfigRaw: {},
      loader: { '.txt': 'text' },
      plugins: [guard.plugin],
      metafile: true,
    });
    const files = Object.keys(result.metafile.inputs).map((file) => resolve(dirname(entry), file));
    guard.refuse(path, [entry, ...files]);
    const map = result.outputFiles.find((file) => file.path.endsWith('.map'))!;
    const code = result.outputFiles.find((file) => file.path.endsWith('.js'))!.text;
    const entryFirst = files.toSorted((a, b) => Number(b === entry) - Number(a === entry));
    return { path, code, place: placer(JSON.parse(map.text), dirname(path)), files: entryFirst };
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    guard.refuse(path, [entry]);
    throw syntaxError(path, error);
  } finally {
    await esbuild.stop();
  }
}

/** Lets relative imports and the API through, and notes everything else. */
class ImportGuard {
  readonly #v1 = new Set<string>();
  readonly plugin: Plugin = {
    name: 'userscript-imports',
    setup: (build) => {
      build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        if (kind === 'entry-point') return undefined;
        if (path === API) return { path, external: true };
        if ((V1_MODULES as readonly string[]).includes(path)) {
          this.#v1.add(path);
          return { path, external: true };
        }
        if (kind === 'dynamic-import') return refused('a userscript cannot import while it runs: import at its top');
        if (!/^\.\.?\//.test(path)) {
          return refused(`a userscript cannot load ${JSON.stringify(path)}: only "${API}" and files by ./ or ../`);
        }
        return undefined;
      });
    },
  };

  /** @throws OperatorError SCRIPT_VERSION */
  refuse(path: string, files: readonly string[]): void {
    const [module] = this.#v1;
    if (module === undefined) return;
    throw refuseV1(
      path,
      module,
      files.map((file) => readFileSync(file, 'utf8')),
    );
  }
}

function refused(text: string): { errors: { text: string; detail: string }[] } {
  return { errors: [{ text, detail: 'import' }] };
}

function syntaxError(path: string, error: unknown): OperatorError {
  const messages = (error as { errors?: readonly Message[] }).errors ?? [];
  const lines = messages.map(({ text, location }) =>
    location === null ? text : `${inFolderOf(path, location.file)}:${location.line}:${location.column + 1}: ${text}`,
  );
  const imports = messages.some(({ detail, text }) => detail === 'import' || text.startsWith('Could not resolve'));
  const what = lines.length === 0 ? (error as Error).message : lines.join('\n');
  return imports
    ? new OperatorError('SCRIPT_IMPORT', `the userscript imports what it cannot have; nothing was started:\n${what}`, {
        fix: 'Copy what is needed next to the script and import it by ./',
      })
    : new OperatorError('SCRIPT_SYNTAX', `the userscript cannot be compiled; nothing was started:\n${what}`, {
        fix: `instar userscript check ${path}`,
      });
}

/** A file of the script as the operator would name it: beside the path that was given. */
function inFolderOf(path: string, file: string): string {
  const folder = dirname(path);
  const full = resolve(folder, file);
  const beside = relative(resolve(folder), full);
  return folder === '.' ? beside : `${folder}/${beside}`;
}

function placer(payload: SourceMapPayload, folder: string): CompiledScript['place'] {
  const map = new SourceMap(payload);
  return (line, column) => {
    const entry = map.findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return undefined;
    const file = inFolderOf(`${folder}/script`, entry.originalSource);
    return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  };
}
