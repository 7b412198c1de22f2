import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { RedoParser } from '../../../src/sources/oracle/redo/redo-parser.ts';
import { type InstarProcess, startInstarProcess } from '../instar-process.ts';
import { peakMemory } from '../process-usage.ts';
import * as report from '../report.ts';
import type { Section } from '../section.ts';
import { type Servers, withClient } from '../servers.ts';
import { commitOne, openTransactions, smallTransactions, startOracle, TARGET_TABLE } from './workload.ts';

const MEMORY_BOUND = 300e6;

/** Statements of redo that the parser reads alone, without a server. */
export async function oracleParser(_: Servers, scale: number): Promise<Section> {
  const statements = Math.round(1_000_000 * scale);
  const names = ['ID', 'NAME', 'AMOUNT', 'PLACED', 'NOTE'];
  const columns = { indexOf: (sql: string, start: number, end: number) => names.indexOf(sql.slice(start, end)) };
  const texts = Array.from({ length: 1000 }, (__, i) =>
    i % 3 === 0
      ? `update "APP"."ORDERS" set "AMOUNT" = '${i}.5', "NOTE" = 'it''s ${i}' where "ID" = '${i}'`
      : `insert into "APP"."ORDERS"("ID","NAME","AMOUNT","PLACED","NOTE") values ('${i}','customer ${i}','${i}.25',TO_DATE(' 2026-11-23 12:00:00', 'SYYYY-MM-DD HH24:MI:SS'),'it''s a note')`,
  );
  const parser = new RedoParser();
  const started = performance.now();
  for (let i = 0; i < statements; i++) parser.parse(texts[i % texts.length], columns);
  const rate = statements / ((performance.now() - started) / 1000);
  return {
    tables: [
      {
        title: `Oracle: ${statements.toLocaleString('en')} statements of SQL_REDO, the parser alone`,
        head: ['parser', 'rate'],
        rows: [['SQL_REDO', report.perSecond(rate)]],
      },
    ],
    promises: [
      { what: 'Oracle: parser alone', measured: rate, bound: 250_000, atLeast: true, format: report.perSecond },
    ],
  };
}

interface Drained {
  readonly seconds: number;
  readonly memory: number | undefined;
}

/** Redo is written before the replication begins, and read by it as fast as it can. */
async function drain(
  { target }: Servers,
  name: string,
  rows: number,
  fill: (oracle: Awaited<ReturnType<typeof startOracle>>) => void,
): Promise<Drained> {
  const oracle = await startOracle();
  const { server } = oracle;
  const url = await target.createDatabase(name);
  try {
    return await withClient(url, async (client) => {
      await client.query(TARGET_TABLE);
      const scn = server.model.scn;
      fill(oracle);
      server.model.flush();
      const started = performance.now();
      const instar = await start(server.rootUrl, url, `${name}.public`, server.owner, scn);
      await arrived(client, instar, rows);
      const seconds = (performance.now() - started) / 1000;
      const memory = peakMemory(instar.pid);
      await instar.stop();
      return { seconds, memory };
    });
  } finally {
    await server.close();
  }
}

function start(source: string, target: string, schema: string, owner: string, scn: bigint): Promise<InstarProcess> {
  const flags = ['--sourceSchema', owner, '--scn', String(scn), '--targetSchema', schema];
  return startInstarProcess(
    ['oraclelogminer', ...flags, '--stagingSchema', '_replicator', '--stagingCreateSchema'],
    source,
    target,
  );
}

async function arrived(client: pg.Client, instar: InstarProcess, rows: number): Promise<void> {
  for (;;) {
    const { rows: found } = await client.query<{ n: number }>('SELECT count(*)::int AS n FROM orders');
    if (found[0].n >= rows) return;
    const failure = instar.failure();
    if (failure !== undefined) throw failure;
    await sleep(50);
  }
}

/** How fast redo comes to the target, and how much memory open transactions take. */
export async function oracleDrains(servers: Servers, scale: number): Promise<Section> {
  const small = Math.round(400_000 * scale);
  const open = Math.round(300_000 * scale);
  const huge = Math.round(2_000_000 * scale);
  const results: readonly (readonly [string, number, Drained])[] = [
    [
      'small transactions',
      small,
      await drain(servers, 'oracle_small', small / 2, ({ server, table }) =>
        smallTransactions(server.model, table, small),
      ),
    ],
    [
      '10,000 open transactions',
      open,
      await drain(servers, 'oracle_open', open, ({ server, table }) =>
        openTransactions(server.model, table, 10_000, open),
      ),
    ],
    [
      'one transaction',
      huge,
      await drain(servers, 'oracle_huge', huge, ({ server, table }) => openTransactions(server.model, table, 1, huge)),
    ],
  ];
  const [, changes, { seconds }] = results[0];
  return {
    tables: [
      {
        title: 'Oracle: redo from the double, into PostgreSQL, start-up included',
        head: ['redo', 'changes', 'time', 'rate', 'peak memory'],
        rows: results.map(([name, count, result]) => [
          name,
          count.toLocaleString('en'),
          report.seconds(result.seconds),
          report.perSecond(count / result.seconds),
          report.shown(result.memory, report.megabytes),
        ]),
      },
    ],
    promises: [
      {
        what: 'Oracle: changes from the double to the target',
        measured: changes / seconds,
        bound: 50_000,
        atLeast: true,
        format: report.perSecond,
      },
      ...results.slice(1).map(([name, , { memory }]) => ({
        what: `Oracle: ${name}, peak memory`,
        measured: memory,
        bound: MEMORY_BOUND,
        format: report.megabytes,
      })),
    ],
  };
}

/** From a commit at the source until the row can be seen at the target, while little happens. */
export async function oracleLatency({ target }: Servers, scale: number): Promise<Section> {
  const commits = Math.max(10, Math.round(100 * scale));
  const { server, table } = await startOracle();
  const url = await target.createDatabase('oracle_latency');
  const delays: number[] = [];
  try {
    await withClient(url, async (client) => {
      await client.query(TARGET_TABLE);
      const instar = await start(server.rootUrl, url, 'oracle_latency.public', server.owner, server.model.scn);
      for (let i = 1; i <= commits; i++) {
        commitOne(server.model, table, i);
        const committed = performance.now();
        for (;;) {
          const { rowCount } = await client.query('SELECT FROM orders WHERE id = $1', [i]);
          if (rowCount === 1) break;
          const failure = instar.failure();
          if (failure !== undefined) throw failure;
          await sleep(2);
        }
        // The first includes the start of the replicator.
        if (i > 1) delays.push(performance.now() - committed);
        await sleep(37);
      }
      await instar.stop();
    });
  } finally {
    await server.close();
  }
  delays.sort((a, b) => a - b);
  const at = (share: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))];
  return {
    tables: [
      {
        title: `Oracle: ${commits} commits, one by one, until they are visible`,
        head: ['percentile', 'commit to visible'],
        rows: [
          ['p50', report.milliseconds(at(0.5))],
          ['p99', report.milliseconds(at(0.99))],
        ],
      },
    ],
    promises: [
      { what: 'Oracle: commit to visible, p99', measured: at(0.99), bound: 1000, format: report.milliseconds },
    ],
  };
}
