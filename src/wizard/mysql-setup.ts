import { UsageError } from '../errors.ts';
import { textOf } from './file-entries.ts';
import { FILTER_WORDS, filterChoice, filterLines, filterLock } from './filter-choice.ts';
import { MYSQL_FORM } from './mysql-form.ts';
import type { SourceSetup } from './source-setup.ts';

/** MySQL or MariaDB: a GTID set says where to begin, and a script lets the chosen tables through. */
export const MYSQL_SETUP: SourceSetup = {
  kind: 'mylogical',
  hint: '5.7 or 10.6 and newer, by GTIDs',
  form: MYSQL_FORM,
  products: ['mysql', 'mariadb'],
  otherProduct: 'The source has to be MySQL or MariaDB. Connect to the database that the changes come from.',
  pages: ['tables', 'start'],
  isAnswered: (page, { tables, startSet }) => (page === 'tables' ? tables !== undefined : startSet !== undefined),
  tables: {
    all: 'Every table of this database is replicated. Ticking tables makes it your own choice.',
    choice: FILTER_WORDS,
    unfit: undefined,
    fixing:
      'It changes the table itself, which is rewritten and locked meanwhile: the application has to be able to live with it.',
    asksToFix: true,
    answers: filterChoice,
  },
  existingRows: () => 'Existing rows are not copied: only what is committed after the starting point is sent.',
  asked: ['defaultGTIDSet'],
  locked: filterLock,
  file: {
    keys: ['gtidSet'],
    tables: '[shop.orders, shop.lines]',
    example:
      'gtidSet: 77263736-7899-11f0-81a5-0242ac120002:1-38  # where to begin; now: where the log ends at the launch',
    read(entries) {
      const entry = entries.get('gtidSet');
      if (entry === undefined) {
        throw new UsageError('the file does not answer: gtidSet', {
          fix: 'gtidSet: the GTID set of the copy that the target has; now: where the log ends at the launch',
        });
      }
      return { startSet: textOf(entry) };
    },
  },
  review: (answers) => [
    'WHERE IT BEGINS',
    `  after ${answers.startSet || 'nothing: with the first transaction of the log'}`,
    '  Rows that are there already are not copied: load them first.',
    ...filterLines(answers),
  ],
  launched: (_, { startSet }) => (startSet ? `It begins after ${startSet}.` : undefined),
};
