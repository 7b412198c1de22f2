import type pg from 'pg';

export const PUBLICATION = 'bench';

/** Both sides: a table of eight columns, and one whose rows tell that everything before them has arrived. */
export const TABLES = `
  create table bystander (id bigint primary key);
  create table item (id bigint primary key, a integer, b text, c numeric, d jsonb, e uuid, f timestamptz, g boolean);
  create table marker (id bigint primary key);
`;

/** A row of `item` for the number `i`: `b` takes 20 to 40 bytes. */
const row = (i: string) => `
  ${i}, (${i} % 1000)::integer, substr(md5(${i}::text) || md5(${i}::text), 1, 20 + (${i} % 21)::integer),
  (${i} % 100000) / 100.0, jsonb_build_object('number', ${i}, 'tags', array['a', 'b']), gen_random_uuid(),
  clock_timestamp(), ${i} % 2 = 0`;

/** The source alone: what fills the backlog from within the server. */
const PROCEDURES = `
  -- Six in ten transactions insert a row, three update one, one deletes the oldest.
  create procedure small_transactions(transactions integer) language plpgsql as $$
  declare
    oldest bigint := 1;
    next bigint := 1;
  begin
    for i in 1 .. transactions loop
      if i % 10 < 6 or next - oldest < 2 then
        insert into item select ${row('next')};
        next := next + 1;
      elsif i % 10 < 9 then
        update item set a = a + 1, f = clock_timestamp() where id = oldest + (i::bigint * 7919) % (next - oldest);
      else
        delete from item where id = oldest;
        oldest := oldest + 1;
      end if;
      commit;
    end loop;
  end $$;

  create procedure row_transactions(total integer, per_transaction integer) language plpgsql as $$
  begin
    for start in 1 .. total by per_transaction loop
      insert into item select ${row('i')} from generate_series(start, least(total, start + per_transaction - 1)) as i;
      commit;
    end loop;
  end $$;
`;

export const SOURCE_SCHEMA = `${TABLES}${PROCEDURES} create publication ${PUBLICATION} for table item, marker;`;

/** A backlog: what it is called in the report, and the statements that make it at the source. */
export interface Backlog {
  readonly name: string;
  readonly fill: readonly string[];
  /** Rows written, for a throughput. */
  readonly changes: number;
}

/** Small transactions, and behind them one large one. */
export function smallAndLarge(small: number, large: number): Backlog {
  return {
    name: `${small.toLocaleString('en')} small transactions, one of ${large.toLocaleString('en')} rows`,
    fill: [
      `call small_transactions(${small})`,
      `insert into item select ${row('i')} from generate_series(${small + 1}::bigint, ${small + large}) as i`,
    ],
    changes: small + large,
  };
}

export function rowTransactions(rows: number): Backlog {
  return {
    name: `${rows.toLocaleString('en')} rows, 1,000 a transaction`,
    fill: [`call row_transactions(${rows}, 1000)`],
    changes: rows,
  };
}

/** Inserts rows 1 to `rows` with one statement. */
export function insertRows(rows: number): string {
  return `insert into item select ${row('i')} from generate_series(1::bigint, ${rows}) as i`;
}

/** The last transaction of a workload: a row that is looked for at the target, and a point of the log just before it. */
export interface Marker {
  readonly id: number;
  /** No commit before the marker's is at or past this LSN. */
  readonly lsn: bigint;
}

/** Commits a marker row. */
export async function commitMarker(source: pg.Client, id: number): Promise<Marker> {
  const lsn = await insertPosition(source);
  await source.query('insert into marker values ($1)', [id]);
  return { id, lsn };
}

/** Where the next record of the log will be written. */
export async function insertPosition(source: pg.Client): Promise<bigint> {
  const { rows } = await source.query<{ lsn: string }>(`select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as lsn`);
  return BigInt(rows[0].lsn);
}

/** Number of rows and a digest of all their columns that does not depend on their order. */
export async function fingerprint(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ rows: string; digest: string | null }>(
    'select count(*) as rows, sum(hashtextextended(item::text, 0)) as digest from item',
  );
  return `${rows[0].rows} rows, digest ${rows[0].digest}`;
}
