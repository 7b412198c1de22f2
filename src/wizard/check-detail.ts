import { explanationOf, plain } from '../explanations/table.ts';
import type { CheckResult, Fix } from '../preflight/check.ts';
import { clean } from '../terminal/format.ts';
import { foldWords } from '../terminal/prose.tsx';
import type { CheckLine } from './use-checks.ts';

/** One line of what is known of a check; only the first line of a part has its label. */
export interface DetailLine {
  readonly label: string;
  readonly text: string;
  readonly tone: 'plain' | 'muted' | 'danger' | 'code';
}

/** Columns of the labels, the gap behind them included. */
export const LABEL_WIDTH = 8;

/**
 * What was found, what is wanted, how it is mended and why it matters. `problem`: why its fix did not work just now.
 */
export function detailLines({ check, result }: CheckLine, columns: number, problem?: string): DetailLine[] {
  const lines: DetailLine[] = [];
  const add = (label: string, text: string, tone: DetailLine['tone']) => {
    const folded = text.split('\n').flatMap((line) => foldIndented(line, Math.max(20, columns - LABEL_WIDTH - 1)));
    for (const [index, line] of folded.entries()) lines.push({ label: index === 0 ? label : '', text: line, tone });
  };
  if (problem !== undefined) add('Not done', problem, 'danger');
  if (result !== undefined) add('Found', result.found, 'plain');
  if (result?.expected !== undefined) add('Wanted', result.expected, 'plain');
  if (result?.fix !== undefined) {
    add('Fix', result.fix.text, result.fix.statements === undefined ? 'plain' : 'code');
    add('', howToFix(result.fix), 'muted');
  }
  add('Why', consequence(check.why, result), 'muted');
  if (result?.state === 'failed' && result.code !== undefined) {
    add('Data', plain(explanationOf(result.code)?.data ?? ''), 'muted');
    add('More', `instar explain ${result.code}`, 'muted');
  }
  return lines;
}

/** The line folded between words, each part as far to the right as SQL has it. */
function foldIndented(line: string, columns: number): string[] {
  const indent = ' '.repeat(Math.min(8, /^ */.exec(line)?.[0].length ?? 0));
  return foldWords(clean(line.trimStart()), columns - indent.length).map((part) => indent + part);
}

function howToFix({ statements, side, restart }: Fix): string {
  const how =
    statements === undefined
      ? 'To be done by hand; r looks again afterwards.'
      : `f runs it on the ${side}; c copies it.`;
  return restart ? `${how} The server has to be restarted for it to count.` : how;
}

/** Why it matters, and whether anything can go on without it. */
function consequence(why: string, result: CheckResult | undefined): string {
  if (result?.state !== 'failed') return why;
  return result.severity === 'blocking'
    ? `${why} Replication cannot start without it.`
    : `${why} Replication can start without it.`;
}
