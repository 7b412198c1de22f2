/** A table: a headline, column titles, rows of cells. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What the project promises, next to what was measured. */
export interface Promised {
  readonly what: string;
  readonly measured: number | undefined;
  readonly bound: number;
  /** The measured value must not be below the bound, instead of not above it. */
  readonly atLeast?: boolean;
  readonly format: (value: number) => string;
}

export const seconds = (value: number): string => `${value.toFixed(2)} s`;
export const milliseconds = (value: number): string => `${value.toFixed(2)} ms`;
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
export const ratio = (value: number): string => value.toFixed(2);
export const perSecond = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;

/** A dash for what was not measured. */
export function shown(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '-' : format(value);
}

/** True when the promise was kept; undefined when it was not measured. */
export function kept({ measured, bound, atLeast }: Promised): boolean | undefined {
  if (measured === undefined) return undefined;
  return atLeast ? measured >= bound : measured <= bound;
}

export function promiseTable(promises: readonly Promised[]): Table {
  return {
    title: 'Promises',
    head: ['promise', 'measured', 'bound', 'kept'],
    rows: promises.map((promise) => {
      const verdict = kept(promise);
      return [
        promise.what,
        shown(promise.measured, promise.format),
        `${promise.atLeast ? 'at least' : 'at most'} ${promise.format(promise.bound)}`,
        verdict === undefined ? '-' : verdict ? 'ok' : 'MISSED',
      ];
    }),
  };
}

/** The table as aligned text, or as Markdown. */
export function render({ title, head, rows }: Table, markdown: boolean): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
    return markdown ? `| ${padded.join(' | ')} |` : padded.join('   ').trimEnd();
  };
  const rule = widths.map((width, i) =>
    i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}${markdown ? ':' : '-'}`,
  );
  const heading = markdown ? `### ${title}\n` : title;
  return [heading, line(head), line(rule), ...rows.map(line), ''].join('\n');
}
