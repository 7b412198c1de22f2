import type { Client } from 'pg';
import type { Logger } from '../../log/logger.ts';
import { refuseFirst } from '../finding.ts';
import { findPublication, type PublicationFacts } from './publication.ts';
import { type PublishedTable, readPublishedTables } from './published-tables.ts';
import { readServer } from './server-facts.ts';
import {
  primaryFinding,
  replicationRightFinding,
  versionFinding,
  walLevelFinding,
  walSendersFinding,
} from './server-requirements.ts';
import { checkSlot, readSlot } from './slot.ts';
import { checkPublishedTables } from './table-requirements.ts';
import { readTypeNames, type TypeNames } from './type-names.ts';

/** What a source that passed its checks is. */
export interface CheckedSource {
  readonly publication: PublicationFacts;
  readonly published: readonly PublishedTable[];
  readonly types: TypeNames;
}

/**
 * Checks that changes of this database can be streamed from `slotName`, and says what is published. Every refusal is an
 * OperatorError with a code and a fix; a busy slot is transient, as the server may not have noticed the last reader's end.
 */
export async function checkSource(
  client: Client,
  slotName: string,
  publicationName: string | undefined,
  log: Logger,
): Promise<CheckedSource> {
  const server = await readServer(client);
  refuseFirst([
    versionFinding(server),
    primaryFinding(server),
    walLevelFinding(server),
    replicationRightFinding(server),
  ]);
  const publication = await findPublication(client, publicationName);
  checkSlot(await readSlot(client, slotName), slotName, server.database);
  refuseFirst([walSendersFinding(server)]);
  const types = await readTypeNames(client);
  const published = await readPublishedTables(client, publication, server.version, types);
  checkPublishedTables(publication, published, log);
  return { publication, published, types };
}
