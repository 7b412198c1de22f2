import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type DatabaseError } from 'pg';
import type { Shop } from './shop.ts';

/** Orders kept in reach of later changes. */
const RECENT_ORDERS = 2000;
/** Transactions per second that one connection is trusted with. */
const RATE_PER_CONNECTION = 150;
const MOST_CONNECTIONS = 16;
/** What one transaction may meet because another one came first: a missing row, a deadlock, a duplicate. */
const EXPECTED = ['23503', '23505', '40P01'];

/** Something that happens in a shop, with the share of the transactions that it is. */
interface Business {
  readonly share: number;
  run(client: Client, shop: Shop): Promise<void>;
}

const BUSINESS: readonly Business[] = [
  { share: 45, run: placeOrder },
  { share: 20, run: advanceOrder },
  { share: 10, run: welcomeCustomer },
  { share: 8, run: changePrice },
  { share: 6, run: updateProfile },
  { share: 4, run: cancelOrder },
  { share: 3, run: moveItem },
  { share: 2, run: describeProduct },
  { share: 1.5, run: changeMind },
  { share: 0.5, run: renameProduct },
];

const SHARES = BUSINESS.reduce((sum, { share }) => sum + share, 0);

/** A shop's day at a steady rate, on several connections. */
export class Workload {
  readonly #shop: Shop;
  readonly #rate: number;
  readonly #clients: Client[];
  readonly #begun = performance.now();
  #slots = 0;
  #stopping = false;
  #committed = 0;
  readonly #workers: Promise<void>[];

  private constructor(shop: Shop, rate: number, clients: Client[]) {
    this.#shop = shop;
    this.#rate = rate;
    this.#clients = clients;
    this.#workers = clients.map((client) => this.#work(client));
    // A failure is told by `failure` and `stop`; until then nobody waits for it.
    for (const worker of this.#workers) worker.catch(() => {});
  }

  /** Begins at once. `rate` is in transactions per second; a machine that cannot keep up does what it can. */
  static async start(url: string, shop: Shop, rate: number): Promise<Workload> {
    const connections = Math.min(MOST_CONNECTIONS, Math.ceil(rate / RATE_PER_CONNECTION));
    const clients = Array.from({ length: connections }, () => new Client({ connectionString: url }));
    await Promise.all(clients.map((client) => client.connect()));
    return new Workload(shop, rate, clients);
  }

  /** Transactions committed so far. */
  get committed(): number {
    return this.#committed;
  }

  /** Rejects when the workload cannot go on. */
  failure(): Promise<never> {
    return Promise.all(this.#workers).then(() => new Promise<never>(() => {}));
  }

  /** Finishes the transactions in hand and closes the connections. Rejects with what made the workload fail, if anything. */
  async stop(): Promise<void> {
    this.#stopping = true;
    try {
      await Promise.all(this.#workers);
    } finally {
      await Promise.all(this.#clients.map((client) => client.end()));
    }
  }

  async #work(client: Client): Promise<void> {
    while (!this.#stopping) {
      await this.#nextSlot();
      if (this.#stopping) return;
      try {
        await client.query('BEGIN');
        await pickBusiness().run(client, this.#shop);
        await client.query('COMMIT');
        this.#committed += 1;
      } catch (error) {
        if (!EXPECTED.includes((error as DatabaseError).code ?? '')) throw error;
        await client.query('ROLLBACK');
      }
    }
  }

  /** Waits for the next beat. Beats missed by more than a second are dropped, so that a pause is not followed by a rush. */
  async #nextSlot(): Promise<void> {
    const elapsed = performance.now() - this.#begun;
    const due = (this.#slots * 1000) / this.#rate;
    if (elapsed - due > 1000) this.#slots = Math.floor((elapsed * this.#rate) / 1000);
    this.#slots += 1;
    if (due > elapsed) await sleep(due - elapsed);
  }
}

function pickBusiness(): Business {
  let point = Math.random() * SHARES;
  for (const business of BUSINESS) {
    point -= business.share;
    if (point < 0) return business;
  }
  return BUSINESS[0];
}

function pick<Item>(items: readonly Item[]): Item {
  return items[randomInt(items.length)];
}

async function placeOrder(client: Client, shop: Shop): Promise<void> {
  const id = randomUUID();
  await client.query('INSERT INTO orders (id, customer_id) VALUES ($1, $2)', [id, randomInt(1, shop.nextCustomer)]);
  const skus = Array.from({ length: randomInt(1, 5) }, () => pick(shop.skus));
  await client.query(
    `INSERT INTO order_items (order_id, position, sku, quantity)
     SELECT $1, position, sku, $3 FROM unnest($2::text[]) WITH ORDINALITY AS item (sku, position)`,
    [id, skus, randomInt(1, 10)],
  );
  await tell(client, 'order placed', { order: id, items: skus.length });
  // Other connections may meet an order that is not committed yet; for them it does not exist.
  shop.orders.push(id);
  if (shop.orders.length > RECENT_ORDERS) shop.orders.shift();
}

async function advanceOrder(client: Client, shop: Shop): Promise<void> {
  if (shop.orders.length === 0) return placeOrder(client, shop);
  const id = pick(shop.orders);
  await client.query(
    `UPDATE orders SET status = CASE status WHEN 'open' THEN 'paid' ELSE 'shipped' END::order_status WHERE id = $1`,
    [id],
  );
  await tell(client, 'order advanced', { order: id });
}

async function welcomeCustomer(client: Client, shop: Shop): Promise<void> {
  const id = shop.nextCustomer;
  shop.nextCustomer += 1;
  await client.query('INSERT INTO customers (id, email, tags) VALUES ($1, $2, $3)', [
    id,
    `customer${id}@shop.example`,
    ['new', pick(['web', 'phone', 'it\'s "quoted", \\ and {braced}'])],
  ]);
}

async function changePrice(client: Client, shop: Shop): Promise<void> {
  await client.query('UPDATE products SET price = $2 WHERE sku = $1', [pick(shop.skus), randomInt(100, 90_000) / 100]);
}

async function updateProfile(client: Client, shop: Shop): Promise<void> {
  await client.query(
    `UPDATE customers SET profile = profile || jsonb_build_object('visits', $2::integer), tags = array_append(tags[1:3], $3)
     WHERE id = $1`,
    [randomInt(1, shop.nextCustomer), randomInt(100), pick(['loyal', 'late', null])],
  );
}

async function cancelOrder(client: Client, shop: Shop): Promise<void> {
  const [id] = shop.orders.splice(randomInt(Math.max(1, shop.orders.length)), 1);
  await client.query('DELETE FROM orders WHERE id = $1', [id]);
  await tell(client, 'order cancelled', { order: id ?? null });
}

/** Changes a key. */
async function moveItem(client: Client, shop: Shop): Promise<void> {
  if (shop.orders.length === 0) return;
  await client.query('UPDATE order_items SET position = position + 100 WHERE order_id = $1', [pick(shop.orders)]);
}

/** A text so big that the server stores it apart, and leaves it out when another column changes. */
async function describeProduct(client: Client, shop: Shop): Promise<void> {
  const description = randomBytes(randomInt(4000, 12_000)).toString('base64');
  await client.query('UPDATE products SET description = $2 WHERE sku = $1', [pick(shop.skus), description]);
}

/** What a savepoint took back must not arrive. */
async function changeMind(client: Client, shop: Shop): Promise<void> {
  await placeOrder(client, shop);
  await client.query('SAVEPOINT before_changes');
  await client.query('UPDATE products SET price = 0 WHERE sku = $1', [pick(shop.skus)]);
  await tell(client, 'taken back', {});
  await client.query('ROLLBACK TO SAVEPOINT before_changes');
}

/** Changes a key that other rows refer to. */
async function renameProduct(client: Client, shop: Shop): Promise<void> {
  const at = randomInt(shop.skus.length);
  const sku = shop.skus[at];
  const renamed = `${sku.split('/')[0]}/${randomInt(1_000_000)}`;
  await client.query('UPDATE products SET sku = $2 WHERE sku = $1', [sku, renamed]);
  shop.skus[at] = renamed;
}

async function tell(client: Client, kind: string, payload: object): Promise<void> {
  await client.query('INSERT INTO events (kind, payload) VALUES ($1, $2)', [kind, JSON.stringify(payload)]);
}
