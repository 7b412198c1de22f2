import type { ConnectionDescription } from '../config/connection.ts';
import { OperatorError } from '../errors.ts';
import { findPublication, type PublicationFacts, readPublications } from '../sources/postgres/publication.ts';
import {
  type PublishedTable,
  readPublishableTables,
  readPublishedTables,
} from '../sources/postgres/published-tables.ts';
import { readTableRights, type TableRights } from '../sources/postgres/rights.ts';
import { readServer, type ServerFacts } from '../sources/postgres/server-facts.ts';
import { readSettings, type ServerSettings } from '../sources/postgres/server-settings.ts';
import { readSlot, type SlotFacts } from '../sources/postgres/slot.ts';
import { tableNames } from '../sources/postgres/tables-summary.ts';
import { readTypeNames } from '../sources/postgres/type-names.ts';
import { type ConnectionFacts, describeConnection } from './connection-test.ts';
import { once } from './look.ts';
import { type Line, QuestionLine } from './question-line.ts';
import type { SourceWishes } from './source-wishes.ts';

/** What the checks of a source know, each fact asked for once. */
export class PostgresSourceFacts {
  readonly description: ConnectionDescription;
  readonly wishes: SourceWishes;
  readonly line: Line;
  /** Rejects with the OperatorError of a connection that cannot be opened. */
  readonly connection: () => Promise<ConnectionFacts>;
  readonly server: () => Promise<ServerFacts>;
  readonly settings: () => Promise<ServerSettings>;
  /** The slot that is wished for, when it is there. */
  readonly slot: () => Promise<SlotFacts | undefined>;
  /** The publication that is wished for, when it is there. */
  readonly publication: () => Promise<PublicationFacts | undefined>;
  /** The one that the engine takes when none is named, or why it takes none. */
  readonly onlyPublication: () => Promise<PublicationFacts | { readonly refusal: OperatorError }>;
  /** What will be sent: by the publication, or by the one that is still to be made. */
  readonly published: () => Promise<readonly PublishedTable[]>;
  readonly rights: () => Promise<readonly TableRights[]>;

  constructor(
    description: ConnectionDescription,
    wishes: SourceWishes,
    line: Line = new QuestionLine(description, 'source'),
  ) {
    this.description = description;
    this.wishes = wishes;
    this.line = line;
    this.connection = once(() => line.ask(describeConnection));
    this.server = once(() => line.ask(readServer));
    this.settings = once(() => line.ask(readSettings));
    this.slot = once(async () => {
      const { slot } = wishes;
      return slot === undefined ? undefined : await line.ask((client) => readSlot(client, slot.name));
    });
    this.publication = once(async () => {
      if (wishes.publication === undefined) return undefined;
      const { name } = wishes.publication;
      if (name !== undefined) return (await line.ask((client) => readPublications(client, name)))[0];
      const only = await this.onlyPublication();
      return 'refusal' in only ? undefined : only;
    });
    this.onlyPublication = once(async () => {
      try {
        return await line.ask((client) => findPublication(client, undefined));
      } catch (error) {
        if (error instanceof OperatorError) return { refusal: error };
        throw error;
      }
    });
    this.published = once(async () => {
      const types = await line.ask(readTypeNames);
      const publication = await this.publication();
      if (publication === undefined) {
        const wanted = tableNames(wishes.tables ?? 'all');
        return await line.ask((client) => readPublishableTables(client, wanted, types));
      }
      const { version } = await this.server();
      return await line.ask((client) => readPublishedTables(client, publication, version, types));
    });
    this.rights = once(async () => {
      const tables = (await this.published()).map(({ table }) => table);
      return await line.ask((client) => readTableRights(client, tables));
    });
  }

  close(): void {
    this.line.close();
  }
}
