import type { Writable } from 'node:stream';
import { stripVTControlCharacters, styleText } from 'node:util';
import type { TableComparison } from './comparison.ts';

/** What the demo shows every moment. */
export interface Progress {
  /** Since the workload began, in seconds. */
  seconds: number;
  /** What is going on: `replicating`, or `draining` after the workload has stopped. */
  phase: string;
  transactions: number;
  rows: number;
  rowsPerSecond: number;
  lagSeconds: number;
  lagBytes: number;
  checkpoint: string | undefined;
}

const count = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';

/** Shows progress: on a terminal redrawn in place, elsewhere a line at a time. */
export class ProgressDisplay {
  /** Milliseconds between two calls of `show`. */
  readonly period: number;
  readonly #out: Writable;
  readonly #terminal: boolean;
  #drawn = 0;

  constructor(out: Writable) {
    this.#out = out;
    this.#terminal = 'isTTY' in out && out.isTTY === true;
    this.period = this.#terminal ? 200 : 1000;
  }

  /** Says something that stays. */
  tell(line: string): void {
    this.#out.write(`${line}\n`);
  }

  show(progress: Progress): void {
    if (!this.#terminal) {
      this.tell(progressLine(progress));
      return;
    }
    const lines = progressScreen(progress).map((line) => `\x1b[2K${line}\n`);
    const up = this.#drawn === 0 ? HIDE_CURSOR : `\x1b[${this.#drawn}A`;
    this.#drawn = lines.length;
    this.#out.write(up + lines.join(''));
  }

  /** Leaves the last state on the screen and goes on below it. */
  end(): void {
    if (this.#drawn > 0) this.#out.write(SHOW_CURSOR);
    this.#drawn = 0;
  }

  /** The outcome of the comparison as a table. */
  summarize(comparisons: readonly TableComparison[]): void {
    for (const line of summaryTable(comparisons)) this.tell(this.#terminal ? line : stripVTControlCharacters(line));
  }
}

/** One line for logs: names and values. */
export function progressLine(progress: Progress): string {
  const { seconds, phase, transactions, rows, rowsPerSecond, lagSeconds, lagBytes, checkpoint } = progress;
  return [
    `${seconds.toFixed(0)}s ${phase}`,
    `transactions=${transactions}`,
    `rows=${rows}`,
    `rows/s=${rowsPerSecond.toFixed(0)}`,
    `lag=${formatLag(lagSeconds)}`,
    `behind=${lagBytes}B`,
    `checkpoint=${checkpoint ?? 'none'}`,
  ].join(' ');
}

function progressScreen(progress: Progress): string[] {
  const { seconds, phase, transactions, rows, rowsPerSecond, lagSeconds, lagBytes, checkpoint } = progress;
  const row = (label: string, value: string) => `  ${dim(label.padEnd(14))}${value}`;
  return [
    `${bold('Instar demo')}  ${phase} for ${seconds.toFixed(0)} s   ${dim(phase === 'draining' ? 'Ctrl-C: end at once' : 'Ctrl-C: stop and compare both sides')}`,
    row('transactions', `${count.format(transactions)} committed at the source`),
    row('rows', `${count.format(rows)} applied, ${count.format(rowsPerSecond)} per second`),
    row('lag', `${formatLag(lagSeconds)}, ${count.format(lagBytes)} bytes behind`),
    row('checkpoint', checkpoint ?? 'none yet'),
  ];
}

/** The comparison of both sides, a line per table and one for all. */
export function summaryTable(comparisons: readonly TableComparison[]): string[] {
  const total = { table: 'total', sourceRows: 0, targetRows: 0, different: 0 };
  for (const { sourceRows, targetRows, different } of comparisons) {
    total.sourceRows += sourceRows;
    total.targetRows += targetRows;
    total.different += different;
  }
  const width = Math.max(...[...comparisons, total].map(({ table }) => table.length)) + 2;
  const line = (table: string, source: string, target: string, equal: string) =>
    `  ${table.padEnd(width)}${source.padStart(14)}${target.padStart(14)}  ${equal}`;
  const verdict = ({ different }: { different: number }) =>
    different === 0 ? paint('green', 'equal') : paint('red', `${count.format(different)} different`);
  return [
    dim(line('table', 'rows source', 'rows target', 'equal?')),
    ...[...comparisons, total].map((each) =>
      line(each.table, count.format(each.sourceRows), count.format(each.targetRows), verdict(each)),
    ),
  ];
}

function formatLag(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(1)} s`;
}

/** `styleText` itself would look at this process's stdout and NO_COLOR; the display knows what it writes to. */
function paint(style: 'green' | 'red' | 'dim' | 'bold', text: string): string {
  return process.env.NO_COLOR ? text : styleText(style, text, { validateStream: false });
}

const dim = (text: string): string => paint('dim', text);
const bold = (text: string): string => paint('bold', text);
