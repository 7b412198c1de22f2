import type { YamlEntry } from '../config/yaml-file.ts';
import { UsageError } from '../errors.ts';
import { NEWEST } from '../sessions/oracle-kit.ts';
import { parseScn } from '../sources/oracle/scn.ts';
import { parseTableName } from '../sources/table-name.ts';
import { textOf } from './file-entries.ts';
import { FILTER_WORDS, filterChoice, filterLines, filterLock } from './filter-choice.ts';
import { ORACLE_FORM } from './oracle-form.ts';
import type { SourceSetup } from './source-setup.ts';

/** Oracle: whose tables, and from which SCN; a script lets the chosen tables through. */
export const ORACLE_SETUP: SourceSetup = {
  kind: 'oraclelogminer',
  hint: '12.2 and newer, by LogMiner',
  form: ORACLE_FORM,
  products: ['oracle'],
  otherProduct: 'The source has to be Oracle. Connect to the database that the changes come from.',
  before: ['owner'],
  pages: ['tables', 'scn'],
  isAnswered: (page, { sourceSchema, tables, startScn }) =>
    (page === 'owner' ? sourceSchema : page === 'tables' ? tables : startScn) !== undefined,
  tables: {
    all: 'Every table of this owner is replicated. Ticking tables makes it your own choice.',
    choice: FILTER_WORDS,
    unfit: {
      is: ({ warning }) => warning !== undefined,
      how: 'that cannot be replicated',
      cost: 'nothing of them will reach the target.',
    },
    fixing: 'It changes the table itself.',
    asksToFix: true,
    answers: filterChoice,
  },
  existingRows: () => 'Existing rows are not copied: only what is committed after the SCN is sent.',
  asked: ['sourcePDBConn', 'sourceSchema', 'scn', 'backfillFromSCN'],
  locked: (answers) => ({
    ...filterLock(answers),
    'oracle-application-users': 'It is given beside the SCNs, which it narrows, and counts at the first start alone.',
  }),
  file: {
    keys: ['sourceSchema', 'scn', 'backfillFromSCN'],
    tables: '[MIGRATION_SCHEMA.ORDERS, MIGRATION_SCHEMA.LINES]',
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
      const owner = textOf(schema);
      refuseOthers(owner, entries.get('tables'));
      return { sourceSchema: owner, ...scnsOf(scn, entries.get('backfillFromSCN')) };
    },
  },
  review: (answers) => [
    'WHERE IT BEGINS',
    `  tables of ${answers.sourceSchema}`,
    ...beginning(answers.startScn, answers.backfillScn),
    '  Rows that are there already are not copied: load them first.',
    ...filterLines(answers),
  ],
  launched: (_, { startScn }) => (startScn === undefined ? undefined : `It begins after SCN ${startScn}.`),
};

/** Where it begins, for the review. */
function beginning(scn: string | undefined, backfill: string | undefined): string[] {
  if (backfill === undefined) {
    return [`  after SCN ${scn}; of transactions that were open then, only what they did after it`];
  }
  return [`  after SCN ${scn}${backfill === scn ? '' : `, with what was open then since SCN ${backfill}`}`];
}

/** @throws UsageError naming file and line for tables of anybody else: they would be left out, and nobody would know. */
function refuseOthers(owner: string, entry: YamlEntry | undefined): void {
  if (entry?.value.kind !== 'list') return;
  for (const table of entry.value.items) {
    const { schema } = parseTableName(String(table));
    if (schema === owner) continue;
    throw new UsageError(`${entry.place}: ${table} is not a table of ${owner}, whose tables are replicated`, {
      fix: `tables: [${owner}.…]  # as Oracle spells them: nearly always in capitals`,
    });
  }
}

/** The SCNs of a file. @throws UsageError, OperatorError ORACLE_SCN_SYNTAX, both naming file and line */
function scnsOf(first: YamlEntry, second: YamlEntry | undefined): { startScn: string; backfillScn?: string } {
  const startScn = scnText(first);
  if (startScn === NEWEST) {
    if (second === undefined) return { startScn };
    throw new UsageError(
      `${second.place}: ${second.key} goes with an SCN; with "scn: now" both are read at the source`,
      {
        fix: `leave ${second.key} out`,
      },
    );
  }
  const scn = parseScn(startScn, `${first.place}: ${first.key}`);
  if (second === undefined) return { startScn: String(scn) };
  const backfill = parseScn(scnText(second), `${second.place}: ${second.key}`);
  if (backfill <= scn) return { startScn: String(scn), backfillScn: String(backfill) };
  throw new UsageError(
    `${second.place}: ${second.key} ${backfill} is behind scn ${scn}: the oldest transaction that was open then cannot have begun after it`,
    { fix: `leave ${second.key} out when nothing was open` },
  );
}

/** Digits are a number to YAML, and too many of them would be rounded: they are read as they stand. */
function scnText(entry: YamlEntry): string {
  const { value } = entry;
  const digits = value.kind === 'scalar' && typeof value.value === 'number' ? value.written : undefined;
  return digits ?? textOf(entry);
}
