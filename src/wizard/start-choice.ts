import type { ListedTable } from '../preflight/source-choices.ts';
import type { BinlogPosition, StartSetVerdict } from '../sources/mysql/setup.ts';
import { formatCount } from '../terminal/format.ts';

/** A line of what the server says of its binary log. */
export interface StatusLine {
  readonly name: string;
  readonly value: string;
}

/** How the statement's words are asked for, and what the server answers, column by column. */
export function statusLines({ status, flavour, set }: BinlogPosition): { title: string; lines: readonly StatusLine[] } {
  // MariaDB does not print its position there.
  const position = flavour === 'mariadb' ? [{ name: '@@gtid_binlog_pos', value: set }] : [];
  if (status === undefined) {
    const name = flavour === 'mariadb' ? '@@gtid_binlog_pos' : '@@gtid_executed';
    return { title: `SELECT @@GLOBAL.${name.slice(2)}`, lines: [{ name, value: set }] };
  }
  const lines = status.columns.map(([name, value]) => ({ name, value: value.replaceAll(/\s+/g, ' ') }));
  return { title: status.statement, lines: [...lines.filter(({ value }) => value !== ''), ...position] };
}

/** What a set that can be begun with means, in a sentence. */
export function goodText({ pending, set }: Extract<StartSetVerdict, { state: 'good' }>): string {
  if (set === '') return 'It begins with the very first transaction of the log.';
  return pending === ''
    ? 'It begins at the end of the log: only what is committed from now on is sent.'
    : `What the source has committed since then is sent first: ${pending}`;
}

/** What to know of rows that are there already, and what they mean for the starting point. */
export function existingRowsText(tables: readonly ListedTable[]): string | undefined {
  const filled = tables.filter(({ rows = 0 }) => rows > 0);
  if (filled.length === 0) return undefined;
  const rows = filled.reduce((sum, { rows = 0 }) => sum + rows, 0);
  const count = filled.length === 1 ? '1 table holds' : `${filled.length} tables hold`;
  return [
    `${count} rows already, about ${formatCount(rows)}: they are not copied.`,
    'Load them first, and begin with the GTID set of that copy, which the tool prints.',
    'An older set is safe too: what is there already is applied once more. A newer one loses what lies between.',
    'With an empty target, rows from before are missing there for good.',
  ].join(' ');
}
