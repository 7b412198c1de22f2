import type { ConnectionDescription } from '../config/connection.ts';
import { asMysql, asOracle, asPostgres, type SourceConnection } from '../config/source-connection.ts';
import type { Check, CheckResult, CheckSide, Fix } from '../preflight/check.ts';
import { type ConnectionFacts, closeQuietly, openForChecks, testConnection } from '../preflight/connection-test.ts';
import { checkMysqlStart, type MysqlStart, readMysqlStart } from '../preflight/mysql-start.ts';
import { readOracleStart, readOwners, type TableOwner } from '../preflight/oracle-start.ts';
import { preflightOf } from '../preflight/preflights.ts';
import { runFix } from '../preflight/run-fix.ts';
import { checkScript } from '../preflight/script.ts';
import type { SourceChoices } from '../preflight/source-choices.ts';
import type { SourceWishes } from '../preflight/source-wishes.ts';
import { checkTarget, plannedTargetChecks } from '../preflight/target.ts';
import type { StartSetVerdict } from '../sources/mysql/setup.ts';
import type { StartScn } from '../sources/oracle/start-scn.ts';
import { listSchemas, type SchemaSummary } from '../target/schemas.ts';

export type { SourceChoices };

/** Where the fixes of either side run. */
export interface FixConnections {
  readonly source?: SourceConnection;
  readonly target?: ConnectionDescription;
}

/** Everything that the setup asks of servers, before the launch. Only `runFix` changes anything. */
export interface Servers {
  /** Connects and asks who is there. @throws OperatorError of the connection */
  testConnection(connection: SourceConnection, side: CheckSide): Promise<ConnectionFacts>;
  plannedSourceChecks(source: SourceConnection): readonly Check[];
  checkSource(
    source: SourceConnection,
    wishes: SourceWishes,
    report?: (result: CheckResult) => void,
    signal?: AbortSignal,
  ): Promise<CheckResult[]>;
  readonly plannedTargetChecks: typeof plannedTargetChecks;
  readonly checkTarget: typeof checkTarget;
  readonly checkScript: typeof checkScript;
  /** @throws OperatorError FIX_… */
  runFix(fix: Fix, connections: FixConnections): Promise<void>;
  /** @throws OperatorError when the source cannot be reached */
  readChoices(source: SourceConnection, wishes: SourceWishes): Promise<SourceChoices>;
  /** Where the binary log of a MySQL source stands. @throws OperatorError when it cannot be reached */
  readStart(source: SourceConnection): Promise<MysqlStart>;
  /** Who has tables at an Oracle source. @throws OperatorError when it cannot be reached */
  readOwners(source: SourceConnection): Promise<readonly TableOwner[]>;
  /** Where a replication of an Oracle source would begin now. @throws OperatorError when it cannot be reached */
  readScn(source: SourceConnection, users: readonly string[]): Promise<StartScn>;
  /** Whether a replication can begin at a set. @throws OperatorError when the source cannot be reached */
  checkStart(source: SourceConnection, set: string, allDatabases: boolean): Promise<StartSetVerdict>;
  /** @throws OperatorError when the target cannot be reached */
  readSchemas(target: ConnectionDescription): Promise<readonly SchemaSummary[]>;
}

/** The servers themselves. */
export const SERVERS: Servers = {
  testConnection: (connection, side) =>
    side === 'source' ? preflightOf(connection).test() : testConnection(asPostgres(connection), side),
  plannedSourceChecks: (source) => preflightOf(source).planned,
  checkSource: (source, wishes, report, signal) => preflightOf(source).check(wishes, report, signal),
  plannedTargetChecks,
  checkTarget,
  checkScript,
  runFix: (fix, { source, target }) =>
    fix.side === 'source' && source !== undefined ? preflightOf(source).fix(fix) : runFix(fix, { target }),
  readChoices: (source, wishes) => preflightOf(source).choices(wishes),
  readStart: (source) => readMysqlStart(asMysql(source)),
  readOwners: (source) => readOwners(asOracle(source)),
  readScn: (source, users) => readOracleStart(asOracle(source), users),
  checkStart: (source, set, allDatabases) => checkMysqlStart(asMysql(source), set, allDatabases),
  async readSchemas(target) {
    const client = await openForChecks(target, 'target');
    try {
      return await listSchemas(client);
    } finally {
      closeQuietly(client);
    }
  },
};
