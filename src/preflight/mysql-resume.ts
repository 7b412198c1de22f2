import type { SourceTable } from '../changes/table.ts';
import type { MysqlConnectionDescription } from '../config/mysql-connection.ts';
import { toArguments } from '../config/settings.ts';
import { shellWord } from '../config/shell-word.ts';
import { SILENT } from '../log/silent.ts';
import { refuseFirst } from '../sources/finding.ts';
import { identityOf } from '../sources/mysql/identity.ts';
import { parseMysqlPosition, transactionsBetween } from '../sources/mysql/positions.ts';
import { checkServer } from '../sources/mysql/server-checks.ts';
import { readBinlogStatus } from '../sources/mysql/setup.ts';
import { checkStart } from '../sources/mysql/start-position.ts';
import { nameClashFinding } from '../sources/mysql/tables.ts';
import { once } from './look.ts';
import { databaseOf, mysqlInquiry } from './mysql-inquiry.ts';
import { MYSQL_RESUME_LOOKS } from './mysql-resume-looks.ts';
import { MysqlSourceFacts } from './mysql-source-facts.ts';
import type { ResumeFacts } from './resume-facts.ts';
import type { Backlog, Refusal, RefusalPlace, ResumeSource, SourceResumeLook, WayOut } from './resume-source.ts';

/** What a resume asks of a MySQL or MariaDB source. */
export class MysqlResume implements ResumeSource {
  readonly facts: ResumeFacts;
  readonly source: MysqlSourceFacts;
  readonly inquiry;
  readonly looks: readonly SourceResumeLook[];
  readonly checkpoint = {
    title: 'checkpoint and binary log',
    why: 'The source must have everything in it, and still have all that comes after it.',
    covered: 'the binary log has all that comes next',
  };
  readonly keeps = 'the binary log keeps what has changed, for as long as the source keeps its logs';
  /** What the engine would be sent, without the tables that its script drops. */
  readonly tables: () => Promise<readonly SourceTable[]>;

  constructor(connection: MysqlConnectionDescription, facts: ResumeFacts) {
    this.facts = facts;
    this.source = new MysqlSourceFacts(connection, facts.wishes);
    this.inquiry = mysqlInquiry(this.source);
    this.tables = once(() => this.#checkedTables());
    this.looks = MYSQL_RESUME_LOOKS.map(({ check, needs, look }) => ({ check, needs, look: () => look(this) }));
  }

  async verify(checkpoint: string | undefined, identity: Readonly<Record<string, string>> | undefined): Promise<void> {
    const position = checkpoint ?? this.facts.wishes.startSet;
    const database = await databaseOf(this.source);
    await this.source.line.ask(async (connection) => {
      await checkStart(connection, { position, identity: await identityOf(connection, database), stored: identity });
    });
  }

  async backlog(checkpoint: string | undefined): Promise<Backlog> {
    const reached = checkpoint ?? this.facts.wishes.startSet;
    if (reached === undefined || reached === '') return {};
    const { set } = await this.source.line.ask(readBinlogStatus);
    if (set === '') return { transactions: 0 };
    return { transactions: transactionsBetween(parseMysqlPosition(reached), parseMysqlPosition(set)) };
  }

  refusal(code: string | undefined, place: RefusalPlace): Refusal | undefined {
    switch (code) {
      case 'MYSQL_GTID_PURGED':
        return {
          harm: 'The changes between the checkpoint and what the source can still deliver would be lost.',
          waysOut: [
            {
              label: 'connect to a replica that still has the logs',
              text: `Nothing is lost meanwhile. The source has its key in instar (e), and its line in a file:\ninstar edit ${place.name} --file changes.yaml   # source: $SOURCE\ninstar resume ${place.name}`,
            },
            this.#startOver(place),
          ],
        };
      case 'MYSQL_GTID_AHEAD':
        return {
          harm: 'The target may hold changes that the source does not have, and would lose what the source writes in their place.',
          waysOut: [
            {
              label: 'wait, if the source is a replica that lags behind',
              text: `Nothing is lost meanwhile. When it has caught up:\ninstar resume ${place.name}`,
            },
            this.#startOver(place),
          ],
        };
      case 'MYSQL_GTID_UNKNOWN':
      case 'MYSQL_SOURCE_CHANGED':
        return {
          harm: 'The changes of the former source would be lost, and those of another mixed in.',
          waysOut: [
            {
              label: 'connect to the former source',
              text: `Nothing is lost meanwhile. The source has its key in instar (e), and its line in a file:\ninstar edit ${place.name} --file changes.yaml   # source: $SOURCE\ninstar resume ${place.name}`,
            },
            this.#startOver(place),
          ],
        };
      case 'MYSQL_GTID_EMPTY':
        return {
          harm: 'What the source has removed from its log would be missing.',
          waysOut: [this.#startOver(place)],
        };
      default:
        return undefined;
    }
  }

  get withoutCheckpoint(): ResumeSource['withoutCheckpoint'] {
    const { name, wishes } = this.facts;
    return {
      harm: 'What is on the target already would be applied again from where the replication began, and doubled in tables without a key.',
      begin: {
        label: 'begin once more where it began',
        text: [
          'Safe where every table has a key: its rows pass through old states once more and end up right.',
          'Start once by hand, stop it with Ctrl-C when it says that it replicates, then resume:',
          this.#command(wishes.startSet ?? '<GTID set>'),
          `instar resume ${name}`,
        ].join('\n'),
      },
    };
  }

  async close(): Promise<void> {
    this.source.close();
  }

  /** The engine's own checks; what would be sent, without the tables that its script drops. */
  async #checkedTables(): Promise<readonly SourceTable[]> {
    const { fetchMetadata = false, allDatabases = false } = this.facts.wishes;
    const database = await databaseOf(this.source);
    await this.source.line.ask((connection) => checkServer(connection, { database, fetchMetadata }, SILENT));
    const tables = await this.inquiry.tables();
    if (allDatabases) {
      refuseFirst([nameClashFinding(tables.map(({ schema, name }) => ({ database: schema, name })))]);
    }
    return tables;
  }

  #startOver({ name, forget }: RefusalPlace): WayOut {
    return {
      label: 'start over with a fresh copy',
      text: [
        'The rows have to be copied again: what was not delivered cannot be had any more.',
        '-- at the target: forget the former progress',
        forget,
        '-- copy the rows; then start once by hand with the GTID set of that copy, stop it with',
        '-- Ctrl-C when it says that it replicates, and resume',
        this.#command('<GTID set>'),
        `instar resume ${name}`,
      ].join('\n'),
    };
  }

  /** The engine by hand; connections stand for themselves as `$SOURCE` and `$TARGET`. */
  #command(set: string): string {
    const { wishes, targetSchema, stagingSchema } = this.facts;
    const flags = toArguments('mylogical', {
      sourceConn: 'set',
      targetConn: 'set',
      allDatabases: wishes.allDatabases,
      fetchMetadata: wishes.fetchMetadata,
      replicationProcessID: wishes.serverId,
      targetSchema,
      stagingSchema,
      stagingCreateSchema: true,
      userscript: wishes.script,
    });
    const words = flags.map((flag) => (flag.startsWith('$') ? flag : shellWord(flag)));
    return `instar mylogical ${words.join(' ')} --defaultGTIDSet '${set}'`;
  }
}
