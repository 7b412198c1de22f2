/** The two families of servers, which keep and name their transactions differently. */
export type Flavour = 'mysql' | 'mariadb';

/** What a server says it is. */
export interface ServerVersion {
  readonly flavour: Flavour;
  /** As in 80042 for 8.0.42 and 101118 for 10.11.18. */
  readonly number: number;
  /** As the server prints it: `9.7.4-2`, `10.11.18-MariaDB-0+deb12u1-log`. */
  readonly text: string;
}

/** Reads `@@version`. A text without a number gives 0, which no requirement accepts. */
export function parseServerVersion(text: string): ServerVersion {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  const number =
    match === null ? 0 : Number(match[1]) * 10_000 + Number(match[2]) * 100 + Math.min(Number(match[3] ?? 0), 99);
  return { flavour: /mariadb/i.test(text) ? 'mariadb' : 'mysql', number, text };
}

/** The name of the product for messages. */
export function productName(flavour: Flavour): string {
  return flavour === 'mariadb' ? 'MariaDB' : 'MySQL';
}
