import { accountName } from '../../config/oracle-connection.ts';
import { mask } from '../../config/secrets.ts';
import { OperatorError } from '../../errors.ts';
import { BY_DRIVER, BY_NUMBER, type Explanation, handshake, type Remedy } from './ora-explanations.ts';

export type { Remedy };

/** A failure as the server or the driver tells it. */
export interface OracleFailure {
  /** Of ORA-nnnnn; undefined for one of the driver's own. */
  readonly number: number | undefined;
  /** `ORA-01291`, or the driver's `NJS-503`. */
  readonly code: string;
  /** What it says, with the errors under it, in one line and without secrets. */
  readonly message: string;
}

/** Where and for whom something failed. */
export interface OracleContext {
  readonly user: string;
  /** The connection as it may be printed. */
  readonly place: string;
  /** What was being done: `reading redo`. */
  readonly doing?: string;
}

/** Lines of a message that are told; what is further down only repeats where it came from. */
const TOLD = 3;

/** What failed, when the server or the driver told it. */
export function failureOf(error: unknown): OracleFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errorNum } = error as { errorNum?: unknown };
  // The driver gives some of the server's errors a code of its own, and tells others as the cause of one.
  const told = /\bORA-(\d{2,5})\b/.exec(error.message)?.[1];
  const number =
    typeof errorNum === 'number' && errorNum > 0 ? errorNum : told === undefined ? undefined : Number(told);
  const code = number === undefined ? driverCode(error) : `ORA-${String(number).padStart(5, '0')}`;
  return code === undefined ? undefined : { number, code, message: mask(readable(error.message, code)) };
}

/** ORA-00942, ORA-01031 and, since 23ai, ORA-41900: what may not be seen is not there, or is said to be forbidden. */
const DENIED: readonly (number | undefined)[] = [942, 1031, 41900];

/** True when the user lacks a right to what was asked. */
export function isDenied(error: unknown): boolean {
  return DENIED.includes(failureOf(error)?.number);
}

/** What can be done about an error. Named ones only tell whether to try again. */
export function remedyOf(error: unknown): Remedy {
  if (error instanceof OperatorError) return error.transient ? 'reconnect' : 'stop';
  return explain(error)?.remedy ?? 'stop';
}

/** Of an error that nobody has explained. */
const UNKNOWN = { code: 'ORACLE_ERROR' } as const;

/**
 * Names an error, says what it means, and what to do; transient whenever its remedy is another than to stop. Named ones stay as they are.
 * Anything that is neither of the server nor of its driver is thrown on.
 */
export function oracleError(error: unknown, { user, place, doing }: OracleContext): OperatorError {
  if (error instanceof OperatorError) return error;
  const failure = failureOf(error);
  if (failure === undefined) throw error;
  const explanation = explain(error);
  const where = `${mask(place)} (user ${user})${doing === undefined ? '' : `, ${doing}`}`;
  const meaning =
    explanation?.meaning ?? 'the server reported an error; what is on the target stays, and nothing is left out';
  return new OperatorError(explanation?.code ?? UNKNOWN.code, `${where}: ${failure.message}; ${meaning}`, {
    fix: explanation?.fix(accountName(user)),
    cause: error,
    transient: explanation !== undefined && explanation.remedy !== 'stop',
  });
}

function explain(error: unknown): Explanation | undefined {
  const failure = failureOf(error);
  if (failure === undefined) return undefined;
  const byNumber = failure.number === undefined ? undefined : BY_NUMBER.get(failure.number);
  const code = driverCode(error as Error) ?? '';
  // What the trouble with a certificate is stands behind it.
  return byNumber ?? (code === 'NJS-506' ? handshake(failure.message) : BY_DRIVER.get(code));
}

/** `NJS-503`; undefined for what the driver has not made. */
function driverCode(error: Error): string | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && code.startsWith('NJS-')) return code;
  return /^NJS-\d{3}(?=:)/.exec(error.message)?.[0];
}

/** Without what only says where an error passed by, and without numbers that are others each time. */
function readable(message: string, code: string): string {
  const lines = message
    .split('\n')
    .map((line) =>
      line
        .replace(/ ?\(CONNECTION_ID=[^)]*\)\.?/, '')
        .replace(/; if the root CA is installed locally, .*/, '')
        .trim(),
    )
    .filter((line) => line !== '' && !/^(Help: |ORA-06512: )/.test(line));
  // That a connection was closed says less than why.
  const cause = lines.findIndex((line) => line.startsWith(code));
  const told = lines
    .slice(Math.max(cause, 0))
    .slice(0, TOLD)
    .map((line) => line.replace(/[.:;]+$/, ''))
    .join(': ');
  return told.startsWith(code) ? told : `${code}: ${told}`;
}
