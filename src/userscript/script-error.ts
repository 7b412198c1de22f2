import { OperatorError } from '../errors.ts';
import type { CompiledScript } from './compile.ts';
import type { ThrownText } from './realm/io.ts';
import { SCRIPT_NAME } from './sandbox.ts';

/** What a handler was called for. */
export interface Subject {
  /** The source's table for schema-level handlers, else the target's. */
  readonly table: string;
  /** `id=5, region=EU`, where there is a key. */
  readonly key: string;
  /** Texts of the row's other values, which errors must not show. */
  readonly values: readonly string[];
}

/** What a script names that it cannot have: its own words for it are no help. */
const FORBIDDEN = new Set([
  ...[
    'setTimeout',
    'setInterval',
    'setImmediate',
    'clearTimeout',
    'clearInterval',
    'queueMicrotask',
    'structuredClone',
  ],
  ...['process', 'global', 'window', 'self', 'require', 'module', 'Buffer', '__dirname', '__filename', 'navigator'],
  ...[
    'fetch',
    'XMLHttpRequest',
    'WebSocket',
    'Worker',
    'crypto',
    'localStorage',
    'sessionStorage',
    'indexedDB',
    'Deno',
  ],
  ...['SharedArrayBuffer', 'ArrayBuffer', 'Atomics', 'WebAssembly', 'DataView', 'WeakRef', 'FinalizationRegistry'],
  ...['Uint8Array', 'TextEncoder', 'TextDecoder', 'URL', 'Blob', 'performance', 'BroadcastChannel', 'MessageChannel'],
]);

const MEND =
  'Mend the script and resume with the same command; -vv logs the row. To go on without the transaction: --onApplyError dlq';

/** What the realm and the thread around it refuse, and what helps. */
const PROBLEMS = [
  { code: 'SCRIPT_FAILED', fix: MEND },
  {
    code: 'SCRIPT_CONFIG',
    fix: 'Mend the script: assets/userscript/replicator@v2.d.ts tells what each call takes. Then start again.',
  },
  { code: 'SCRIPT_RESULT', fix: `Every path of a handler has to end in a return. ${MEND}` },
  { code: 'SCRIPT_VALUE', fix: MEND },
  { code: 'SCRIPT_KEY', fix: `Rows need the key columns of the table that they go to, under its names. ${MEND}` },
  { code: 'SCRIPT_TABLE', fix: `Create the table on the target, or mend its name in the script: case counts. ${MEND}` },
  { code: 'SCRIPT_TRUNCATE', fix: 'To leave the target as it is, resume with: --truncate ignore' },
  { code: 'SCRIPT_TRANSACTION', fix: MEND },
  { code: 'SCRIPT_NEVER_ENDS', fix: `onWrite has to return a promise that is settled: await what it starts. ${MEND}` },
  {
    code: 'SCRIPT_TIMEOUT',
    fix: `Take the endless loop out of the script, or allow more time: --userscriptTimeout 30s. ${MEND}`,
  },
  { code: 'SCRIPT_MEMORY', fix: `Let the script keep less: what handlers put into variables stays there. ${MEND}` },
  { code: 'SCRIPT_OUTPUT', fix: MEND },
  { code: 'SCRIPT_CRASHED', fix: 'Please report it with these lines. Then resume with the same command.' },
  {
    code: 'SCRIPT_FORBIDDEN',
    fix: 'A userscript has no files, network, process, timers, imports at run time and code from strings: take it out of the script, then resume with the same command.',
  },
] as const;

/** A text shorter than this may well be in a message by chance. */
const TELLING = 3;

/** True for errors that a userscript is the reason of: they are permanent, whoever tries again. */
export function isScriptError(error: unknown): error is OperatorError {
  return error instanceof OperatorError && error.code.startsWith('SCRIPT_');
}

/**
 * The error of a script, told by its line, its handler, and the table and key of the row. `consequence`: what it means for
 * the data.
 */
export function scriptError(
  script: Pick<CompiledScript, 'place'>,
  thrown: ThrownText,
  subject: Subject | undefined,
  consequence: string,
): OperatorError {
  const place = placeOf(script, thrown.stack);
  const forbidden = forbiddenThing(thrown);
  const code = forbidden === undefined ? thrown.code || 'SCRIPT_FAILED' : 'SCRIPT_FORBIDDEN';
  const said = without(
    thrown.name && thrown.code === '' ? `${thrown.name}: ${thrown.message}` : thrown.message,
    subject,
  );
  const what = forbidden === undefined ? said : `${forbidden} is not offered to userscripts (${said})`;
  const where = [
    thrown.handler && `in ${thrown.handler}`,
    subject && `for table ${subject.table}`,
    subject?.key && `row ${subject.key}`,
    place && `at ${place}`,
  ].filter(Boolean);
  return new OperatorError(code, `the userscript failed ${where.join(', ')}: ${what}; ${consequence}`, {
    fix: thrown.handler === '' ? 'Mend the script, then start again.' : PROBLEMS.find((one) => one.code === code)?.fix,
  });
}

/** The first place of a trace that is in the script. */
function placeOf(script: Pick<CompiledScript, 'place'>, stack: string): string | undefined {
  const at = new RegExp(`${SCRIPT_NAME.replace('.', '\\.')}:(\\d+):(\\d+)`);
  for (const line of stack.split('\n')) {
    const match = at.exec(line);
    if (match === null) continue;
    // The compiled script's first line has the wrapper in front of it.
    const place = script.place(Number(match[1]), Number(match[2]));
    if (place !== undefined) return place;
  }
  return undefined;
}

function forbiddenThing({ name, message }: ThrownText): string | undefined {
  if (name === 'EvalError') return 'code from strings';
  const undefinedName = name === 'ReferenceError' ? /^(\S+) is not defined$/.exec(message)?.[1] : undefined;
  return undefinedName !== undefined && FORBIDDEN.has(undefinedName) ? undefinedName : undefined;
}

/** The message without the row's values. */
function without(message: string, subject: Subject | undefined): string {
  let text = message;
  for (const value of subject?.values.toSorted((a, b) => b.length - a.length) ?? []) {
    if (value.length >= TELLING) text = text.replaceAll(value, '…');
  }
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}
