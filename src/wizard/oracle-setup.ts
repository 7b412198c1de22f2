import { UsageError } from '../errors.ts';
import { NEWEST } from '../sessions/oracle-kit.ts';
import { parseScn } from '../sources/oracle/scn.ts';
import type { YamlEntry } from '../config/yaml-file.ts';
import { textOf } from './file-entries.ts';
import { FILTER_CHOICE, filteredChoice, filterReview, lockedByFilter } from './filter-words.ts';
import { ORACLE_FORM } from './oracle-form.ts';
import type { SourceSetup } from './source-setup.ts';

/** Oracle: whose tables, and from which SCN. */
export const ORACLE_SETUP: SourceSetup = {
  kind: 'oraclelogminer',
  hint: '12.2 and newer, by LogMiner',
  form: ORACLE_FORM,
  products: ['oracle'],
  otherProduct: 'The source has to be Oracle. Connect to the database that the changes come from.',
  before: ['owner'],
  pages: ['tables', 'scn'],
  isAnswered: (page, { sourceSchema, tables, startScn }) =>
    page === 'owner' ? sourceSchema !== undefined : page === 'tables' ? tables !== undefined : startScn !== undefined,
  tables: {
    all: 'Every table of this owner that the source user may see is replicated. Ticking tables makes it your own choice.',
    choice: FILTER_CHOICE,
    unfit: undefined,
    fixing: 'It changes the table itself.',
    asksToFix: true,
    answers: filteredChoice,
  },
  existingRows: () => 'Existing rows are not copied: only what is committed after the SCN is sent.',
  asked: ['sourcePDBConn', 'sourceSchema', 'scn', 'backfillFromSCN'],
  locked: lockedByFilter,
  file: {
    keys: ['sourceSchema', 'scn', 'backfillFromSCN'],
    example:
      'sourceSchema: MIGRATION_SCHEMA  # owner of the tables\nscn: 26685786                   # of the copy; now: the newest one at the launch\nbackfillFromSCN: 26685444       # where the oldest transaction began that was open then',
    read(entries) {
      const schema = entries.get('sourceSchema');
      const scn = entries.get('scn');
      if (schema === undefined || scn === undefined) {
        throw new UsageError(`the file does not answer: ${schema === undefined ? 'sourceSchema' : 'scn'}`, {
          fix: 'sourceSchema: MIGRATION_SCHEMA\nscn: the SCN of the copy that the target has; now: the newest one at the launch',
        });
      }
      const backfill = entries.get('backfillFromSCN');
      return {
        sourceSchema: textOf(schema),
        startScn: scnOf(scn),
        ...(backfill !== undefined && { backfillScn: scnOf(backfill) }),
      };
    },
  },
  review: ({ sourceSchema, startScn, backfillScn, ...others }) => [
    'WHERE IT BEGINS',
    `  tables of ${sourceSchema}`,
    `  after SCN ${startScn}${backfillScn === undefined || backfillScn === startScn ? '' : `, with what was open since SCN ${backfillScn}`}`,
    '  Rows that are there already are not copied: load them first.',
    ...filterReview(others),
  ],
  launched: (_, { startScn }) => (startScn === undefined ? undefined : `It begins after SCN ${startScn}.`),
};

/** Digits are a number to YAML, and too many of them would be rounded: they are read as they stand. */
function scnOf(entry: YamlEntry): string {
  const { value } = entry;
  const number = value.kind === 'scalar' && typeof value.value === 'number' ? value.written : undefined;
  const text = number ?? textOf(entry);
  return text === NEWEST ? text : String(parseScn(text, `${entry.place}: ${entry.key}`));
}
