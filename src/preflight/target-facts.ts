import type { SourceTable } from '../changes/table.ts';
import type { ConnectionDescription } from '../config/connection.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import { readIdentity } from '../staging/identity.ts';
import { memoKeys, readMemo } from '../staging/memo.ts';
import type { StagingSchema } from '../staging/staging-schema.ts';
import { readStagingState, type StagingState } from '../staging/staging-state.ts';
import { storedSpelling } from '../staging/target-schema.ts';
import { type Catalogue, readCatalogue } from '../target/catalogue.ts';
import { describeServer, type Server } from '../target/dialect.ts';
import { fitTable, type TableFit } from '../target/drift.ts';
import { type SchemaName, stagingSchemaName, targetSchemaName } from '../target/identifiers.ts';
import { mayUseSchema, type MissingRights, readMissingRights } from '../target/rights.ts';
import { type ConnectionFacts, describeConnection } from './connection-test.ts';
import { once } from './look.ts';
import { type Line, QuestionLine } from './question-line.ts';
import type { SourceInquiry } from './source-inquiry.ts';
import type { SourceWishes } from './source-wishes.ts';

/** What is to be replicated where, as far as it is decided. */
export interface TargetWishes extends SourceWishes {
  readonly targetSchema: string;
  readonly stagingSchema: string;
  readonly source: SourceConnection;
  /** Where the staging schema is, unless it is on the target. */
  readonly staging?: ConnectionDescription;
  readonly tables: 'all' | readonly string[];
  /** The operator's own script that rows go through (`--userscript`). */
  readonly userscript?: string | undefined;
}

/** What a start would find in the staging schema for this target schema. */
export interface ProgressFacts {
  /** The target schema in the spelling under which its progress is kept. */
  readonly schema: string;
  /** The newest position that is on the target; undefined before the first. */
  readonly checkpoint: string | undefined;
  /** What it was written for. */
  readonly identity: Readonly<Record<string, string>> | undefined;
}

/** A source table and the target table that its rows would go to. */
export interface ComparedTable extends TableFit {
  readonly source: SourceTable;
}

/** What the checks of a target know, each fact asked for once. */
export class TargetFacts {
  readonly description: ConnectionDescription;
  readonly wishes: Omit<TargetWishes, 'source'>;
  readonly line: Line;
  /** The same as `line` unless staging is elsewhere. */
  readonly stagingLine: Line;
  readonly source: SourceInquiry;
  /** Rejects with the OperatorError of a connection that cannot be opened. */
  readonly connection: () => Promise<ConnectionFacts>;
  readonly server: () => Promise<Server>;
  readonly stagingServer: () => Promise<Server>;
  /** Rejects with the UsageError or OperatorError of a name that cannot be. */
  readonly schema: () => Promise<SchemaName>;
  /** Rejects with TARGET_SCHEMA_MISSING. */
  readonly catalogue: () => Promise<Catalogue>;
  /** Rejects with the UsageError or OperatorError of a name that cannot be. */
  readonly staging: () => Promise<StagingSchema>;
  readonly stagingState: () => Promise<StagingState>;
  readonly progress: () => Promise<ProgressFacts>;
  readonly compared: () => Promise<readonly ComparedTable[]>;
  /** Rights that are missing on the tables that are there. */
  readonly missingRights: () => Promise<readonly MissingRights[]>;
  readonly mayUseSchema: () => Promise<boolean>;

  constructor(
    description: ConnectionDescription,
    wishes: Omit<TargetWishes, 'source'>,
    source: SourceInquiry,
    line: Line = new QuestionLine(description, 'target'),
  ) {
    const stagingLine = wishes.staging === undefined ? line : new QuestionLine(wishes.staging, 'staging');
    this.description = description;
    this.wishes = wishes;
    this.line = line;
    this.stagingLine = stagingLine;
    this.source = source;
    this.connection = once(() => line.ask(describeConnection));
    this.server = once(() => line.ask(describeServer));
    this.stagingServer = wishes.staging === undefined ? this.server : once(() => stagingLine.ask(describeServer));
    this.schema = once(async () => targetSchemaName(wishes.targetSchema, await this.server()));
    this.catalogue = once(async () => {
      const { dialect } = await this.server();
      const schema = await this.schema();
      return await line.ask((client) => readCatalogue(client, dialect, schema));
    });
    this.staging = once(async () => {
      const server = await this.stagingServer();
      return { name: stagingSchemaName(wishes.stagingSchema, server), dialect: server.dialect };
    });
    this.stagingState = once(async () => {
      const staging = await this.staging();
      return await stagingLine.ask((client) => readStagingState(client, staging));
    });
    this.progress = once(() => this.#readProgress());
    this.compared = once(async () => {
      const { dialect } = await this.server();
      const schema = await this.schema();
      const catalogue = await this.catalogue();
      const tables = await this.source.tables();
      return tables.map((table) => ({ source: table, ...fitTable(table, catalogue, schema, dialect) }));
    });
    this.missingRights = once(async () => {
      const tables = (await this.compared()).flatMap(({ target }) => target?.qualified ?? []);
      return await line.ask((client) => readMissingRights(client, tables));
    });
    this.mayUseSchema = once(async () => {
      const { dialect } = await this.server();
      const schema = await this.schema();
      return await line.ask((client) => mayUseSchema(client, dialect, schema));
    });
  }

  close(): void {
    this.line.close();
    this.stagingLine.close();
    this.source.close();
  }

  async #readProgress(): Promise<ProgressFacts> {
    const { complete } = await this.stagingState();
    const wished = await this.schema();
    if (!complete) return { schema: wished.raw, checkpoint: undefined, identity: undefined };
    const staging = await this.staging();
    const server = await this.server();
    const { kind } = this.source;
    return await this.stagingLine.ask(async (client) => {
      const prefix = this.source.checkpointKey('');
      const known = (await memoKeys(client, staging, prefix)).map((key) => key.slice(prefix.length));
      const { raw } = storedSpelling(wished, known, server);
      return {
        schema: raw,
        checkpoint: (await readMemo(client, staging, this.source.checkpointKey(raw))) || undefined,
        identity: (await readIdentity(client, staging, kind, raw))?.source,
      };
    });
  }
}
