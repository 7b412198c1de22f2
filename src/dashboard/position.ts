import { formatCount } from '../terminal/format.ts';

/** How far a position is, in what its kind is counted by: it grows with the position. */
export interface Distance {
  readonly unit: 'bytes' | 'transactions';
  readonly value: number;
}

const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;
/** `domain-server-sequence`, one for each domain. */
const MARIADB = /^\d+-\d+-\d+(,\d+-\d+-\d+)*$/;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/**
 * The bytes of log before an LSN, or the transactions in a GTID set or before a position of MariaDB; undefined for positions of
 * other kinds. Exact up to 2^53.
 */
export function distanceOf(position: string | undefined): Distance | undefined {
  const text = (position ?? '').replaceAll(/\s/g, '');
  const [, high, low] = LSN.exec(text) ?? [];
  if (high !== undefined) {
    return { unit: 'bytes', value: Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16) };
  }
  if (MARIADB.test(text)) {
    const sequences = text.split(',').map((gtid) => Number(gtid.slice(gtid.lastIndexOf('-') + 1)));
    return { unit: 'transactions', value: sequences.reduce((sum, each) => sum + each, 0) };
  }
  if (!/^[0-9a-f]{8}-[0-9a-f-]{27}:/i.test(text)) return undefined;
  let value = 0;
  for (const [, first, last] of text.replaceAll(UUID, '').matchAll(/:(\d+)(?:-(\d+))?(?=[:,]|$)/g)) {
    value += Number(last ?? first) - Number(first) + 1;
  }
  return { unit: 'transactions', value };
}

/** A position in at most `columns`: whole, with the ids of servers cut to their beginnings, or as what is in it. */
export function shortPosition(position: string, columns: number): string {
  const text = position.replaceAll(/\s/g, '');
  if (text.length <= columns) return text;
  const short = text.replaceAll(UUID, (uuid) => `${uuid.slice(0, 8)}…`);
  if (short.length <= columns) return short;
  const servers = new Set(Array.from(text.matchAll(UUID), ([uuid]) => uuid.toLowerCase())).size;
  const found = distanceOf(text);
  if (found?.unit !== 'transactions' || servers === 0) return text;
  return `${formatCount(found.value)} transactions of ${servers === 1 ? '1 server' : `${servers} servers`}`;
}

/** "1 transaction", "12.3 k transactions". */
export function transactionsText(count: number): string {
  return count === 1 ? '1 transaction' : `${formatCount(count)} transactions`;
}
