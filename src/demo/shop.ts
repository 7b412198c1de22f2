import type { Client } from 'pg';

/** The demo's tables, in an order in which rows can be inserted. */
export const SHOP_TABLES = ['customers', 'products', 'orders', 'order_items', 'events'] as const;

/** The schema of both sides: the types and keys that a shop would have, and a log of events without a key. */
export const SHOP_SCHEMA = `
  CREATE TYPE order_status AS ENUM ('open', 'paid', 'shipped');
  CREATE TABLE customers (
    id bigint PRIMARY KEY,
    email text NOT NULL UNIQUE,
    tags text[] NOT NULL DEFAULT '{}',
    profile jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE TABLE products (
    sku text PRIMARY KEY,
    title text NOT NULL,
    price numeric(10, 2) NOT NULL,
    description text
  );
  CREATE TABLE orders (
    id uuid PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    status order_status NOT NULL DEFAULT 'open',
    placed_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE TABLE order_items (
    order_id uuid NOT NULL REFERENCES orders ON DELETE CASCADE,
    position integer NOT NULL,
    sku text NOT NULL REFERENCES products ON UPDATE CASCADE,
    quantity integer NOT NULL,
    PRIMARY KEY (order_id, position)
  );
  CREATE TABLE events (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL,
    payload jsonb
  );
  ALTER TABLE events REPLICA IDENTITY FULL;
`;

/** Names of what the source offers to a replicator. */
export const PUBLICATION = 'shop';
export const SLOT = 'instar_demo';

const CUSTOMERS = 500;
const PRODUCTS = 200;

/** Rows that the workload may work on, by key. */
export interface Shop {
  nextCustomer: number;
  readonly skus: string[];
  /** Orders placed lately; older ones rest. */
  readonly orders: string[];
}

/** Makes the source's tables, publication and slot, in this order, then the first rows: they travel through the slot. */
export async function openShop(source: Client): Promise<Shop> {
  await source.query(SHOP_SCHEMA);
  await source.query(`CREATE PUBLICATION ${PUBLICATION} FOR TABLE ${SHOP_TABLES.join(', ')}`);
  await source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
  await source.query(
    `INSERT INTO customers (id, email, profile)
     SELECT n, 'customer' || n || '@shop.example', jsonb_build_object('visits', n % 7) FROM generate_series(1, $1) AS n`,
    [CUSTOMERS],
  );
  await source.query(
    `INSERT INTO products (sku, title, price, description)
     SELECT 'SKU-' || n, 'Product ' || n, 1 + n / 100.0, NULL FROM generate_series(1, $1) AS n`,
    [PRODUCTS],
  );
  const skus = Array.from({ length: PRODUCTS }, (_, index) => `SKU-${index + 1}`);
  return { nextCustomer: CUSTOMERS + 1, skus, orders: [] };
}
