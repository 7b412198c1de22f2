import { beside } from '../config/help.ts';
import { type CheckResult, type CheckSide, isReady } from './check.ts';
import { counted } from './look.ts';

/** Whose results these are: connections without their passwords. */
export type Places = Readonly<Record<CheckSide, string>>;

/** What stands in front of a result, the most pressing first. */
const RANKS = ['FAILED', 'skipped', 'advice', 'unknown', 'ok'] as const;

const HEADINGS: Readonly<Record<CheckSide, string>> = { source: 'SOURCE', target: 'TARGET' };

/** Columns for a result's word and its title; a longer title pushes what was found to the next line. */
const WORD = 9;
const INDENT = 42;

/**
 * All results as text, by side, what blocks first. Statements and commands stand on lines of their own, unbroken, to be
 * copied; everything else keeps to 80 columns.
 */
export function reportText(results: readonly CheckResult[], places: Places): string {
  const groups = (['source', 'target'] as const).map((side) => {
    const own = results.filter((result) => result.side === side);
    const sorted = RANKS.flatMap((rank) => own.filter((result) => rankOf(result) === rank));
    return [`${HEADINGS[side]} ${places[side]}`, ...sorted.map(entry)].join('\n');
  });
  return `${groups.join('\n\n')}\n\n${summary(results)}\n`;
}

/** The same for programs. */
export function reportJson(results: readonly CheckResult[], places: Places): string {
  return `${JSON.stringify({ ready: isReady(results), ...places, checks: results }, undefined, 2)}\n`;
}

function rankOf({ state, severity }: CheckResult): (typeof RANKS)[number] {
  if (state === 'passed') return 'ok';
  if (state === 'failed') return severity === 'blocking' ? 'FAILED' : 'advice';
  return severity === 'blocking' ? 'skipped' : 'unknown';
}

function entry(result: CheckResult): string {
  const { title, found, expected, state, why, fix, code } = result;
  const wanted = expected === undefined ? '' : `; wanted: ${expected}`;
  const left = `  ${rankOf(result).padEnd(WORD)}${title}`;
  const lines = [beside(left, found + wanted + (code === undefined ? '' : ` (${code})`), INDENT)];
  if (state === 'failed') {
    lines.push(beside('', why, WORD + 2).replace(/^\n/, ''));
    if (fix !== undefined) {
      const where = fix.side === result.side ? '' : ` (at the ${fix.side})`;
      lines.push(...[`fix${where}:`, ...fix.text.split('\n').map((line) => `  ${line}`)].map(indented));
      if (fix.restart === true && !/restart|reboot/i.test(fix.text)) lines.push(indented('  then restart the server'));
    }
  }
  return lines.join('\n');
}

function indented(line: string): string {
  return ' '.repeat(WORD + 2) + line;
}

function summary(results: readonly CheckResult[]): string {
  const count = (rank: (typeof RANKS)[number]) => results.filter((result) => rankOf(result) === rank).length;
  const parts = [
    ...(count('FAILED') > 0 ? [`${count('FAILED')} must be put right`] : []),
    ...(count('skipped') > 0 ? [`${count('skipped')} could not be looked at`] : []),
    ...(count('advice') > 0 ? [`${counted(count('advice'), 'advice').replace(/s$/, '')} to consider`] : []),
    `${count('ok')} passed`,
  ];
  return `${isReady(results) ? 'Ready' : 'Not ready'}: ${parts.join(', ')}.`;
}
