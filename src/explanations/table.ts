import { CONNECTING } from './connecting.ts';
import type { Explanation, Explanations } from './explanation.ts';
import { GENERAL } from './general.ts';
import { MYSQL_LOG } from './mysql-log.ts';
import { MYSQL } from './mysql.ts';
import { ORACLE_REDO } from './oracle-redo.ts';
import { ORACLE } from './oracle.ts';
import { POSTGRES } from './postgres.ts';
import { SESSIONS } from './sessions.ts';
import { STAGING } from './staging.ts';
import { SYMPTOMS } from './symptoms.ts';
import { TARGET } from './target.ts';
import { USERSCRIPT } from './userscript.ts';

const CODES = {
  ...CONNECTING,
  ...POSTGRES,
  ...MYSQL,
  ...MYSQL_LOG,
  ...ORACLE,
  ...ORACLE_REDO,
  ...TARGET,
  ...STAGING,
  ...USERSCRIPT,
  ...SESSIONS,
  ...GENERAL,
};

/** Every code that is thrown or logged. One that the table lacks is no code. */
export type ErrorCode = keyof typeof CODES;

interface Area {
  readonly title: string;
  readonly explanations: Explanations;
}

/** The one table of codes, as help and README order it. */
export const AREAS: readonly Area[] = [
  { title: 'Seen without an error', explanations: SYMPTOMS },
  { title: 'Connecting', explanations: CONNECTING },
  { title: 'PostgreSQL as a source', explanations: POSTGRES },
  { title: 'MySQL and MariaDB as a source', explanations: { ...MYSQL, ...MYSQL_LOG } },
  { title: 'Oracle as a source', explanations: { ...ORACLE, ...ORACLE_REDO } },
  { title: 'Target and staging schema', explanations: { ...TARGET, ...STAGING } },
  { title: 'Userscripts', explanations: USERSCRIPT },
  { title: 'Saved replications', explanations: SESSIONS },
  { title: 'Everything else', explanations: GENERAL },
];

const ALL: ReadonlyMap<string, Explanation> = new Map(
  AREAS.flatMap(({ explanations }) => Object.entries(explanations)),
);

/** What is known of a code or a symptom; undefined for one that this version does not know. */
export function explanationOf(code: string | undefined): Explanation | undefined {
  return code === undefined ? undefined : ALL.get(code);
}

/** All codes and symptoms, in the order of the areas. */
export function allCodes(): readonly string[] {
  return [...ALL.keys()];
}

/** A text of an explanation as a terminal shows it. */
export function plain(text: string): string {
  return text.replaceAll(/`([^`]*)`/g, '$1');
}
