/** Keys are drawn from small ranges, so that rows meet: a key is reused, moved onto, deleted and written anew. */
export const KEYS = 60;
export const ACCOUNTS = 40;

const ACCOUNT_ROWS = Array.from({ length: ACCOUNTS }, (_, i) => `(${i + 1}, 0, 'h${i + 1}')`).join(', ');

/** The tables of the workload at the source. */
export const MYSQL_TABLES = `
  CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL, handle VARCHAR(20) UNIQUE, note TEXT);
  CREATE TABLE customer (region VARCHAR(8), id INT, name VARCHAR(80) CHARACTER SET latin1, profile LONGTEXT, PRIMARY KEY (region, id));
  CREATE TABLE purchase (id INT PRIMARY KEY, region VARCHAR(8), customer INT, total DECIMAL(12, 2), note TEXT,
    FOREIGN KEY (region, customer) REFERENCES customer (region, id) ON DELETE CASCADE);
  CREATE TABLE document (id BIGINT UNSIGNED PRIMARY KEY, title VARCHAR(60), body LONGTEXT, picture LONGBLOB, meta JSON,
    changed DATETIME(6), revision INT NOT NULL DEFAULT 3);
  CREATE TABLE event (session INT, sequence INT, payload VARCHAR(100));
  CREATE TABLE bag (a INT, b VARCHAR(20), c DECIMAL(10, 3));
  CREATE TABLE ledger (id BIGINT PRIMARY KEY, account INT, amount DECIMAL(20, 4), note VARCHAR(200), at TIMESTAMP(6) NULL);
  CREATE TABLE journal (id INT PRIMARY KEY, v VARCHAR(40)) ENGINE = MyISAM;
  CREATE TABLE scratch (id INT PRIMARY KEY, v VARCHAR(40));
  CREATE TABLE drifting (id INT PRIMARY KEY, base VARCHAR(40))
`;

/** The same at the target. */
export const TARGET_TABLES = `
  create table account (id int primary key, balance int not null, handle text unique, note text);
  create table customer (region text, id int, name text, profile text, primary key (region, id));
  create table purchase (id int primary key, region text, customer int, total numeric(12, 2), note text,
    foreign key (region, customer) references customer on delete cascade);
  create table document (id numeric(20) primary key, title text, body text, picture bytea, meta jsonb, changed timestamp(6),
    revision int not null);
  create table event (session int, sequence int, payload text);
  create table bag (a int, b text, c numeric(10, 3));
  create table ledger (id bigint primary key, account int, amount numeric(20, 4), note text, at timestamptz);
  create table journal (id int primary key, v text);
  create table scratch (id int primary key, v text);
  create table drifting (id int primary key, base text)
`;

/** Rows that both sides begin with. */
export const FIRST_ROWS = `INSERT INTO account (id, balance, handle) VALUES ${ACCOUNT_ROWS}`;
