import { OracleServer } from '../../servers/oracle/oracle.ts';
import type { ModelTable, RedoModel } from '../../servers/oracle/redo-model.ts';
import type { ModelColumn, ModelValue } from '../../servers/oracle/redo-text.ts';

const column = (name: string, type: string, length: number): ModelColumn => ({
  name,
  type,
  length,
  nullable: name !== 'ID',
});

const COLUMNS: readonly ModelColumn[] = [
  column('ID', 'NUMBER', 22),
  column('NAME', 'VARCHAR2', 100),
  column('AMOUNT', 'NUMBER', 22),
  column('PLACED', 'DATE', 7),
  column('STAMP', 'TIMESTAMP(6)', 11),
  column('NOTE', 'VARCHAR2', 200),
];

/** The same table at the target. */
export const TARGET_TABLE =
  'CREATE TABLE orders (id numeric PRIMARY KEY, name text, amount numeric, placed timestamp, stamp timestamp, note text)';

function row(i: number): ModelValue[] {
  return [
    String(i),
    `customer ${i}`,
    `${i}.25`,
    '2026-11-23 12:00:00',
    '2026-11-23 12:00:00.123456000',
    `it's a note for ${i}`,
  ];
}

/** A double of an Oracle server with one table, and a way to write redo there. */
export async function startOracle(): Promise<{ readonly server: OracleServer; readonly table: ModelTable }> {
  const server = await OracleServer.start({ profile: '23ai' });
  return { server, table: server.model.createTable(server.owner, 'ORDERS', COLUMNS, ['ID']) };
}

/** Transactions of one insert and one update each; `changes` in all. */
export function smallTransactions(model: RedoModel, table: ModelTable, changes: number): void {
  for (let i = 1; i * 2 <= changes; i++) {
    const transaction = model.begin();
    const id = transaction.insert(table, row(i));
    transaction.update(table, id, new Map([[2, '1.5']]));
    transaction.commit();
  }
}

/** `transactions` that are open at the same time, `changes` in all. */
export function openTransactions(model: RedoModel, table: ModelTable, transactions: number, changes: number): void {
  const open = Array.from({ length: transactions }, () => model.begin());
  for (let i = 1; i <= changes; i++) open[i % transactions].insert(table, row(i));
  for (const transaction of open) transaction.commit();
}

/** One committed row; its ID tells it from others. */
export function commitOne(model: RedoModel, table: ModelTable, id: number): void {
  const transaction = model.begin();
  transaction.insert(table, row(id));
  transaction.commit();
}
