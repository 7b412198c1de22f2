/** Keys are drawn from small ranges, so that rows meet: a key is reused, moved onto, deleted and written anew. */
export const KEYS = 60;
export const REGIONS = ['eu', 'us', 'asia'] as const;
export const ACCOUNTS = 40;

/** A value that is stored outside its row, so that updates of other columns do not send it. */
export const LARGE = `(select string_agg(md5(random()::text), '') from generate_series(1, 120))`;

/** The tables of the workload, the same on both sides. */
export const WORKLOAD_TABLES = `
  create table account (id integer primary key, balance integer not null, handle text unique, note text);
  insert into account select n, 0, 'h' || n, null from generate_series(1, ${ACCOUNTS}) n;

  create table customer (region text, id integer, name text, profile text, primary key (region, id));
  alter table customer alter column profile set storage external;
  create table purchase (id integer primary key, region text, customer integer, total numeric(12, 2), note text,
    foreign key (region, customer) references customer on delete cascade on update cascade);
  alter table purchase alter column note set storage external;
  create table line (purchase integer references purchase on delete cascade on update cascade, line integer, payload jsonb,
    primary key (purchase, line));
  create table remark (id integer primary key, purchase integer references purchase on delete set null on update cascade,
    words text[]);

  create table node (id integer primary key, parent integer references node on delete cascade on update cascade, label text);

  create table document (id integer primary key, title text, body text, summary text, revision integer not null default 0);
  alter table document alter column body set storage external, alter column summary set storage external;

  create table event (session integer, sequence integer, payload text);

  create table bag (a integer, b text, c numeric);
  alter table bag replica identity full;

  create table ledger (id bigint primary key, account integer, amount numeric, note text, at timestamptz default now());

  create table scratch (id integer primary key, v text);
  create table scratch_part (id integer primary key, scratch integer references scratch, v text);

  create table drifting (id integer primary key, base text);
  insert into drifting select n, 'base' from generate_series(1, 20) n;
`;
