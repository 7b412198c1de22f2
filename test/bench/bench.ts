import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { CONTENDERS, type ContenderName } from './contenders.ts';
import { MYSQL_SETTINGS, type MysqlServers, startMysqlServers } from './mysql/arena.ts';
import { mysqlDrains, mysqlHuge, mysqlLatency } from './mysql/scenarios.ts';
import { oracleDrains, oracleLatency, oracleParser } from './oracle/scenarios.ts';
import { commitToVisible, drains, hugeTransaction, longWay, userscripts } from './postgres-scenarios.ts';
import * as report from './report.ts';
import type { Section } from './section.ts';
import { SETTINGS, type Servers, startServers } from './servers.ts';

const USAGE = `npm run bench -- [--scenario small,huge,latency,rtt,script,mysql-small,mysql-huge,mysql-latency,oracle-parser,oracle-drains,oracle-latency] [--scale 1] [--contender reader,native,instar] [--markdown]`;

type Measure<S> = (servers: S, scale: number, contenders: readonly ContenderName[]) => Promise<Section>;

const POSTGRES: Readonly<Record<string, Measure<Servers>>> = {
  small: drains,
  huge: hugeTransaction,
  latency: commitToVisible,
  rtt: longWay,
  script: userscripts,
  'oracle-parser': oracleParser,
  'oracle-drains': oracleDrains,
  'oracle-latency': oracleLatency,
};

const MYSQL: Readonly<Record<string, Measure<MysqlServers>>> = {
  'mysql-small': mysqlDrains,
  'mysql-huge': mysqlHuge,
  'mysql-latency': mysqlLatency,
};

interface Wishes {
  readonly scenarios: readonly string[];
  readonly contenders: readonly ContenderName[];
  readonly scale: number;
  readonly markdown: boolean;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: Object.keys({ ...POSTGRES, ...MYSQL }).join() },
      contender: { type: 'string', default: Object.keys(CONTENDERS).join() },
      scale: { type: 'string', default: '1' },
      markdown: { type: 'boolean', default: false },
    },
  });
  const { markdown } = values;
  const scale = Number(values.scale);
  const scenarios = values.scenario.split(',');
  const contenders = values.contender.split(',');
  const known = scenarios.every((name) => name in POSTGRES || name in MYSQL);
  if (!known || !contenders.every(isContender) || !(scale > 0)) {
    process.stderr.write(`${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  const wishes: Wishes = { scenarios, contenders, scale, markdown };
  process.stdout.write(`${circumstances(scale)}\n`);
  const promises = [
    ...(await run(wishes, POSTGRES, startServers, postgresCircumstances)),
    ...(await run(wishes, MYSQL, startMysqlServers, mysqlCircumstances)),
  ];
  process.stdout.write(report.render(report.promiseTable(promises), markdown));
  if (promises.some((promise) => report.kept(promise) === false)) process.exitCode = 1;
}

/** Runs the wished ones of some scenarios on servers that they share, and prints what they measure. */
async function run<S extends { stop(): Promise<void> }>(
  { scenarios, contenders, scale, markdown }: Wishes,
  measures: Readonly<Record<string, Measure<S>>>,
  start: () => Promise<S>,
  describe: (servers: S) => Promise<string>,
): Promise<report.Promised[]> {
  const wanted = scenarios.filter((name) => name in measures);
  const promises: report.Promised[] = [];
  if (wanted.length === 0) return promises;
  const servers = await start();
  try {
    process.stdout.write(`${await describe(servers)}\n\n`);
    for (const name of wanted) {
      process.stderr.write(`… ${name}\n`);
      try {
        const section = await measures[name](servers, scale, contenders);
        for (const table of section.tables) process.stdout.write(`${report.render(table, markdown)}\n`);
        promises.push(...section.promises);
      } catch (error) {
        // The other scenarios can still be measured.
        process.stdout.write(`${name} FAILED: ${error instanceof Error ? error.message : String(error)}\n\n`);
        process.exitCode = 1;
      }
    }
  } finally {
    await servers.stop();
  }
  return promises;
}

/** What the numbers depend on. */
function circumstances(scale: number): string {
  const processors = cpus();
  return [
    `Node ${process.version}, ${processors.length} × ${processors[0].model.trim()}; source, target, replicator and this program share them`,
    ...(scale === 1 ? [] : [`scale ${scale}: the bounds are meant for scale 1, a short run is mostly start-up`]),
    '',
  ].join('\n');
}

async function postgresCircumstances({ source }: Servers): Promise<string> {
  const [{ version }] = await source.query<{ version: string }>(`select current_setting('server_version') as version`);
  return `PostgreSQL ${version}: ${settingsText({ fsync: 'on', ...SETTINGS })}`;
}

async function mysqlCircumstances(servers: MysqlServers): Promise<string> {
  const [{ version }] = await servers.source.query<{ version: string }>(
    `SELECT CONCAT(VERSION(), ', sync_binlog=', @@sync_binlog, ' innodb_flush_log_at_trx_commit=', @@innodb_flush_log_at_trx_commit) AS version`,
  );
  return `MySQL ${version} ${settingsText(MYSQL_SETTINGS)}, its replica likewise but without waiting for the disk; target ${await postgresCircumstances({ ...servers, source: servers.target })}`;
}

function settingsText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function isContender(name: string): name is ContenderName {
  return name in CONTENDERS;
}

await main();
