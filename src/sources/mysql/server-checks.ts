import type { Logger } from '../../log/logger.ts';
import { type Finding, refuseFirst } from '../finding.ts';
import type { Connection } from './connection.ts';
import { mayMonitor, replicationRightFinding, selectRightFinding } from './grants.ts';
import { partialJsonFinding, replicaAdvice, retentionFinding, rowImageFinding } from './server-advice.ts';
import { readServer, type ServerFacts } from './server-facts.ts';
import {
  binlogFilterFinding,
  binlogFormatFinding,
  fetchesMetadata,
  gtidConsistencyFinding,
  gtidModeFinding,
  logBinFinding,
  replicaFinding,
  rowMetadataFinding,
  serverIdFinding,
  versionFinding,
} from './server-requirements.ts';

/** What a replication is to do, as far as the server's settings matter for it. */
export interface ServerWishes {
  /** Undefined: all databases (`--allDatabases`). */
  readonly database: string | undefined;
  /** `--fetchMetadata` */
  readonly fetchMetadata: boolean;
}

/** What must hold, in the order of asking. */
export function serverFindings(server: ServerFacts, { database, fetchMetadata }: ServerWishes): Finding[] {
  return [
    versionFinding(server),
    logBinFinding(server),
    serverIdFinding(server),
    gtidModeFinding(server),
    gtidConsistencyFinding(server),
    binlogFormatFinding(server),
    rowMetadataFinding(server, fetchMetadata),
    binlogFilterFinding(server, database),
    replicaFinding(server),
    replicationRightFinding(server.grants, server.version.flavour),
    ...(fetchesMetadata(server, fetchMetadata) ? [selectRightFinding(server.grants, database)] : []),
  ];
}

/**
 * Checks that changes can be read from this server, and warns of what makes it worse than it need be.
 * @throws OperatorError with code MYSQL_… and a fix.
 */
export async function checkServer(connection: Connection, wishes: ServerWishes, log: Logger): Promise<ServerFacts> {
  const server = await readServer(connection);
  refuseFirst(serverFindings(server, wishes));
  const advice = [rowImageFinding, partialJsonFinding, replicaAdvice, retentionFinding].map((find) => find(server));
  for (const { refusal } of advice) {
    if (refusal === undefined) continue;
    const { code, message, fix } = refusal.error;
    log.warn(message, { code, ...(fix !== undefined && { fix: fix.replaceAll('\n', ' ') }) });
  }
  if (!mayMonitor(server.grants)) {
    log.debug('the source user may not see the state of the binary log, so that its filters were not looked at');
  }
  return server;
}
