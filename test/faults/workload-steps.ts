import { ACCOUNTS, KEYS, LARGE, REGIONS } from './workload-tables.ts';

/** Choices that a seed fixes. */
export interface Dice {
  /** A whole number from 0 to below `below`. */
  roll(below: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

export function diceOf(random: () => number): Dice {
  const roll = (below: number) => Math.floor(random() * below);
  return { roll, pick: (items) => items[roll(items.length)] };
}

/** Makes one statement or a few. */
export type Step = (dice: Dice) => string[];

const key = (dice: Dice) => 1 + dice.roll(KEYS);
const word = (dice: Dice) => `w${dice.roll(10_000)}`;
const customer = (dice: Dice) => `region = '${dice.pick(REGIONS)}' and id = ${key(dice)}`;

/** Moves money: the sum of all balances is 0 in every state that is a prefix of the history. */
const transfer: Step = (dice) => {
  const amount = 1 + dice.roll(100);
  const from = 1 + dice.roll(ACCOUNTS);
  const to = 1 + ((from + dice.roll(ACCOUNTS - 1)) % ACCOUNTS);
  return [
    `update account set balance = balance - ${amount} where id = ${Math.min(from, to)}`,
    `update account set balance = balance + ${amount} where id = ${Math.max(from, to)}`,
  ];
};

/** Passes a unique value on. */
const handle: Step = (dice) => {
  const [one, two] = [1 + dice.roll(ACCOUNTS), 1 + dice.roll(ACCOUNTS)];
  return [
    `update account set handle = null where id = ${one}`,
    `update account set handle = 'h${one}' where id = ${two}`,
    `update account set handle = 'h${two}' where id = ${one}`,
  ];
};

const customers: Step = (dice) => {
  const region = dice.pick(REGIONS);
  const insert = `insert into customer values ('${region}', ${key(dice)}, '${word(dice)}', ${LARGE}) on conflict do nothing`;
  return dice.pick([
    [insert],
    [insert],
    [`update customer set name = '${word(dice)}' where ${customer(dice)}`],
    [`update customer set profile = ${LARGE} where ${customer(dice)}`],
    [`update customer set region = '${region}', id = ${key(dice)} where ${customer(dice)}`],
    [`update customer set id = ${1000 + dice.roll(1000)} where ${customer(dice)}`],
    [`delete from customer where ${customer(dice)}`],
  ]);
};

const purchases: Step = (dice) => {
  const id = key(dice);
  const insert = [
    `insert into purchase select ${id}, region, id, ${dice.roll(1000)}.5, ${LARGE} from customer
       where region = '${dice.pick(REGIONS)}' order by abs(id - ${key(dice)}), id limit 1 on conflict do nothing`,
    `insert into line select id, n, jsonb_build_object('n', n, 'w', '${word(dice)}') from purchase, generate_series(1, 3) n
       where id = ${id} on conflict do nothing`,
    `insert into remark select ${key(dice)}, id, array['a', null, '${word(dice)}'] from purchase where id = ${id} on conflict do nothing`,
  ];
  return dice.pick([
    insert,
    insert,
    insert.slice(0, 1),
    [`update purchase set total = total + 1 where id = ${id}`],
    [`update purchase set note = ${LARGE} where id = ${id}`],
    [`update purchase set id = ${key(dice)} where id = ${id}`],
    [`update line set payload = payload || '{"touched": true}' where purchase = ${id}`],
    [`update line set line = line + 10 where purchase = ${id} and line < 4`],
    [`delete from line where purchase = ${id}`],
    [`delete from purchase where id = ${id}`],
    [`delete from remark where id = ${id}`],
    [`delete from purchase where id = ${id}`, ...insert],
  ]);
};

const nodes: Step = (dice) => {
  const id = key(dice);
  return dice.pick([
    [
      `insert into node select ${id}, (select id from node order by abs(id - ${key(dice)}) limit 1), '${word(dice)}' on conflict do nothing`,
    ],
    [`insert into node values (${id}, null, '${word(dice)}') on conflict do nothing`],
    [`insert into node select 1000 + n, 1000 + n / 2, 'tree' from generate_series(1, 30) n on conflict do nothing`],
    [`update node set label = '${word(dice)}' where id = ${id}`],
    [`update node set parent = null where id = ${id}`],
    [`update node set id = ${key(dice)} where id = ${id}`],
    [`delete from node where id = ${id}`],
    ['delete from node where id = 1001'],
    ['update node set parent = null where id = 1001', 'delete from node where id >= 1000'],
  ]);
};

const documents: Step = (dice) => {
  const id = key(dice);
  const insert = `insert into document values (${id}, '${word(dice)}', ${LARGE}, ${LARGE}) on conflict do nothing`;
  return dice.pick([
    [insert],
    [insert, `update document set title = '${word(dice)}' where id = ${id}`],
    [`update document set revision = revision + 1 where id = ${id}`],
    [`update document set body = ${LARGE}, revision = revision + 1 where id = ${id}`],
    [`update document set summary = null where id = ${id}`, `update document set title = 'after' where id = ${id}`],
    [`update document set id = ${key(dice)} where id = ${id}`],
    [`update document set revision = revision + 1 where id % 10 = ${dice.roll(10)}`],
    [`delete from document where id = ${id}`],
    [`delete from document where id = ${id}`, insert],
    [insert, `delete from document where id = ${id}`],
  ]);
};

const bag: Step = (dice) => {
  const a = dice.roll(5);
  const one = `ctid = (select ctid from bag where a = ${a} limit 1)`;
  const insert = `insert into bag values (${a}, ${dice.pick([`'x'`, 'null', `'y'`])}, ${dice.pick(['1.0', '1.00', 'null', `'NaN'`])})`;
  return dice.pick([
    [insert],
    [insert, insert],
    [`update bag set b = 'changed' where ${one}`],
    [`update bag set a = ${dice.roll(5)}, b = null where ${one}`],
    [`delete from bag where ${one}`],
    ['update bag set c = 1.0 where a = 3', `delete from bag where ${one}`],
    ['delete from bag where (select count(*) from bag) > 200'],
  ]);
};

/** Transactions larger than the source's decoding memory: they are streamed while they are open. */
const bulk: Step = (dice) => {
  const start = dice.roll(20) * 1000;
  const rows = 500 + dice.roll(2500);
  const insert = `insert into ledger select ${start} + n, n % 40, n / 3.0, 'note ' || n from generate_series(1, ${rows}) n
    on conflict (id) do update set amount = ledger.amount + 1`;
  return dice.pick([
    [insert],
    [insert, 'savepoint part', `update ledger set note = 'undone' where id > ${start}`, 'rollback to part'],
    [`update ledger set amount = amount + 1, note = null where id between ${start} and ${start + rows}`],
    [`update ledger set id = id + 1000000 where id between ${start} and ${start + 200}`],
    [`delete from ledger where id between ${start} and ${start + rows}`],
    ['delete from ledger where id > 1000000'],
  ]);
};

/** Up to tens of thousands of rows each, some megabytes. */
export const LARGE_TRANSACTION = [
  `insert into ledger select 2000000 + n, n % 40, n / 3.0, repeat(md5(n::text), 8) from generate_series(1, 30000) n
    on conflict (id) do update set amount = ledger.amount + 1`,
  'update ledger set amount = amount + 1, account = account + 1 where id > 2000000',
  'delete from ledger where id > 2000000 and id % 2 = 0',
] as const;

const truncate: Step = (dice) => {
  const refill = [
    `insert into scratch select n, 's' from generate_series(1, ${5 + dice.roll(20)}) n on conflict do nothing`,
    `insert into scratch_part select n, n, 'p' from generate_series(1, 5) n on conflict do nothing`,
  ];
  return dice.pick([
    refill,
    refill,
    [`update scratch set v = '${word(dice)}' where id = ${1 + dice.roll(20)}`],
    ['truncate scratch cascade', ...refill],
    ['truncate scratch_part', ...refill],
    ['truncate scratch, scratch_part'],
  ]);
};

const drifting: Step = (dice) => {
  const id = key(dice);
  return dice.pick([
    [`insert into drifting (id, base) values (${id}, '${word(dice)}') on conflict do nothing`],
    [`update drifting set base = '${word(dice)}' where id = ${id}`],
    [`update drifting set id = ${key(dice)} where id = ${id}`],
    [`delete from drifting where id = ${id}`],
  ]);
};

/** Steps as often as they are drawn. */
export const STEPS: readonly Step[] = [
  ...Array<Step>(5).fill(transfer),
  ...Array<Step>(2).fill(handle),
  ...Array<Step>(4).fill(customers),
  ...Array<Step>(6).fill(purchases),
  ...Array<Step>(3).fill(nodes),
  ...Array<Step>(5).fill(documents),
  ...Array<Step>(3).fill(bag),
  ...Array<Step>(2).fill(drifting),
  bulk,
  truncate,
];
