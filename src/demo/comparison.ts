import { Client, escapeIdentifier } from 'pg';

/** Rows fetched from a side at a time. */
const FETCH_ROWS = 5000;

/** What comparing a table found. */
export interface TableComparison {
  readonly table: string;
  readonly sourceRows: number;
  readonly targetRows: number;
  /** Rows of one side for which the other has no equal. */
  readonly different: number;
}

/**
 * Compares all rows of tables on both sides by their full text, as sets that may hold a row more than once. Memory is bounded:
 * both sides are read in order, side by side.
 */
export async function compareTables(
  sourceUrl: string,
  targetUrl: string,
  tables: readonly string[],
): Promise<TableComparison[]> {
  const clients = [sourceUrl, targetUrl].map((connectionString) => new Client({ connectionString }));
  try {
    await Promise.all(clients.map((client) => client.connect()));
    const comparisons: TableComparison[] = [];
    for (const table of tables) {
      const [source, target] = clients.map((client) => new OrderedRows(client, table));
      comparisons.push({ table, ...(await compareRows(source, target)) });
    }
    return comparisons;
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

async function compareRows(source: OrderedRows, target: OrderedRows): Promise<Omit<TableComparison, 'table'>> {
  let sourceRows = 0;
  let targetRows = 0;
  let different = 0;
  let left = await source.next();
  let right = await target.next();
  while (left !== undefined || right !== undefined) {
    const order = left === undefined ? 1 : right === undefined ? -1 : compareText(left, right);
    if (order !== 0) different += 1;
    if (order <= 0) {
      sourceRows += 1;
      left = await source.next();
    }
    if (order >= 0) {
      targetRows += 1;
      right = await target.next();
    }
  }
  return { sourceRows, targetRows, different };
}

/** In the order of the collation "C": by the bytes of UTF-8, which JavaScript's own order of strings is not. */
function compareText(left: string, right: string): number {
  return left === right ? 0 : Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** The rows of a table as text, in the order of that text. */
class OrderedRows {
  readonly #client: Client;
  readonly #table: string;
  #rows: string[] = [];
  #next = 0;
  #open = false;

  constructor(client: Client, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** The next row, or undefined behind the last. */
  async next(): Promise<string | undefined> {
    if (this.#next === this.#rows.length) await this.#fetch();
    const row = this.#rows[this.#next];
    this.#next += 1;
    return row;
  }

  async #fetch(): Promise<void> {
    if (!this.#open) {
      await this.#client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await this.#client.query(
        `DECLARE compared NO SCROLL CURSOR FOR
         SELECT row::text AS row FROM ${escapeIdentifier(this.#table)} AS row ORDER BY row::text COLLATE "C"`,
      );
      this.#open = true;
    }
    const { rows } = await this.#client.query<{ row: string }>(`FETCH ${FETCH_ROWS} FROM compared`);
    this.#rows = rows.map(({ row }) => row);
    this.#next = 0;
    if (rows.length === 0) await this.#client.query('COMMIT');
  }
}
