import type { SourceTable } from '../changes/table.ts';
import type { OracleConnectionDescription } from '../config/oracle-connection.ts';
import { toArguments } from '../config/settings.ts';
import { shellWord } from '../config/shell-word.ts';
import { SILENT } from '../log/silent.ts';
import { checkStart, readIdentity } from '../sources/oracle/identity.ts';
import { parseScnPosition, ScnPosition } from '../sources/oracle/position.ts';
import { checkServer } from '../sources/oracle/server-checks.ts';
import { counted, once, passed } from './look.ts';
import { oracleInquiry } from './oracle-inquiry.ts';
import { OracleSourceFacts } from './oracle-source-facts.ts';
import { resumeCheck } from './resume-check.ts';
import type { ResumeFacts } from './resume-facts.ts';
import type { Backlog, Refusal, RefusalPlace, ResumeSource, SourceResumeLook, WayOut } from './resume-source.ts';
import { orRefused } from './target-look.ts';

/** What a resume asks of an Oracle source. */
export class OracleResume implements ResumeSource {
  readonly facts: ResumeFacts;
  readonly source: OracleSourceFacts;
  readonly inquiry;
  readonly looks: readonly SourceResumeLook[];
  readonly checkpoint = {
    title: 'checkpoint and redo',
    why: 'All redo behind it has to be there: of transactions that were open, from where they began.',
    covered: 'the logs that come next are there',
  };
  readonly keeps = 'the redo logs keep what has changed, for as long as the source keeps its archived logs';
  readonly tables: () => Promise<readonly SourceTable[]>;

  constructor(connection: OracleConnectionDescription, facts: ResumeFacts) {
    this.facts = facts;
    this.source = new OracleSourceFacts(connection, facts.wishes);
    this.inquiry = oracleInquiry(this.source);
    this.tables = once(() => this.#checkedTables());
    this.looks = [
      {
        check: resumeCheck(
          'source',
          'blocking',
          'source',
          'source database',
          'The changes since the stop are read from it.',
        ),
        needs: [],
        look: () =>
          orRefused('source', async () => {
            const { version } = await this.source.connection();
            return passed(`answers: Oracle ${version}`);
          }),
      },
      {
        check: resumeCheck(
          'source',
          'blocking',
          'stream',
          'what the engine asks of a source',
          'It is what the start would refuse.',
        ),
        needs: ['resume.source'],
        look: () =>
          orRefused('source', async () => passed(`${counted((await this.tables()).length, 'table')} to replicate`)),
      },
    ];
  }

  async verify(checkpoint: string | undefined, identity: Readonly<Record<string, string>> | undefined): Promise<void> {
    const { start, schema } = this.source.oracle;
    const position =
      checkpoint === undefined
        ? start === undefined
          ? undefined
          : new ScnPosition(start, start)
        : parseScnPosition(checkpoint);
    if (position === undefined) return;
    await this.source.line.ask(async ({ mining, tables }) => {
      await checkStart(mining, position, await readIdentity(mining, tables, schema), identity);
    });
  }

  /** SCNs are no measure of bytes or transactions. */
  async backlog(): Promise<Backlog> {
    return {};
  }

  refusal(code: string | undefined, place: RefusalPlace): Refusal | undefined {
    switch (code) {
      case 'ORACLE_LOG_MISSING':
        return {
          harm: 'What was committed in the redo that is gone would be lost.',
          waysOut: [
            {
              label: 'restore the archived logs',
              text: `Nothing is lost meanwhile. With RMAN: RESTORE ARCHIVELOG FROM SCN …; then:\ninstar resume ${place.name}`,
            },
            this.#startOver(place),
          ],
        };
      case 'ORACLE_RESETLOGS':
      case 'ORACLE_OTHER_DATABASE':
      case 'ORACLE_OTHER_HISTORY':
        return {
          harm: 'SCNs of the former database mean something else in this one: changes would be lost, or mixed up.',
          waysOut: [
            {
              label: 'connect to the former database',
              text: `Nothing is lost meanwhile. The source has its key in instar (e), and its line in a file:\ninstar edit ${place.name} --file changes.yaml   # source: $SOURCE\ninstar resume ${place.name}`,
            },
            this.#startOver(place),
          ],
        };
      default:
        return undefined;
    }
  }

  get withoutCheckpoint(): ResumeSource['withoutCheckpoint'] {
    const { name } = this.facts;
    return {
      harm: 'What is on the target already would be applied again from where the replication began, and doubled in tables without a key.',
      begin: {
        label: 'begin once more where it began',
        text: [
          'Safe where every table has a key: its rows pass through old states once more and end up right.',
          'Start once by hand, stop it with Ctrl-C when it says that it replicates, then resume:',
          this.#command(this.#beginning()),
          `instar resume ${name}`,
          'After a fresh copy, with the SCNs of that copy.',
        ].join('\n'),
      },
      byHand: true,
    };
  }

  async close(): Promise<void> {
    this.source.close();
  }

  /** The engine's own checks, and what it would be sent. */
  async #checkedTables(): Promise<readonly SourceTable[]> {
    const { description, oracle, tablesUser, line } = this.source;
    const users = { miningUser: description.user, tablesUser };
    await line.ask(({ mining, tables }) => checkServer({ mining, tables, owner: oracle.schema, ...users }, SILENT));
    return await this.inquiry.tables();
  }

  #startOver({ name, forget }: RefusalPlace): WayOut {
    return {
      label: 'start over with a fresh copy',
      text: [
        'The rows have to be copied again: what was not delivered cannot be had any more.',
        '-- at the target: forget the former progress',
        forget,
        '-- copy the rows; then start once by hand with the SCN of that copy, stop it with',
        '-- Ctrl-C when it says that it replicates, and resume',
        this.#command('--scn <SCN>'),
        `instar resume ${name}`,
      ].join('\n'),
    };
  }

  /** The engine by hand; connections stand for themselves as `$SOURCE`, `$SOURCE_PDB` and `$TARGET`. */
  #command(scns: string): string {
    const { wishes, targetSchema, stagingSchema } = this.facts;
    const { pdb, schema } = this.source.oracle;
    const flags = toArguments('oraclelogminer', {
      sourceConn: 'set',
      targetConn: 'set',
      ...(pdb !== undefined && { sourcePDBConn: 'set' }),
      sourceSchema: schema,
      targetSchema,
      stagingSchema,
      stagingCreateSchema: true,
      userscript: wishes.script,
    });
    const words = flags.map((flag) => (flag.startsWith('$') ? flag : shellWord(flag)));
    return `instar oraclelogminer ${words.join(' ')} ${scns}`;
  }

  /** The SCNs of the first start. */
  #beginning(): string {
    const { copied, start } = this.source.oracle;
    const scn = copied ?? start;
    const backfill = start === undefined || start === scn ? '' : ` --backfillFromSCN ${start}`;
    return `--scn ${scn ?? '<SCN>'}${backfill}`;
  }
}
