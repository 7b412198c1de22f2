import { flagNamed } from '../config/flags.ts';
import { parseValue } from '../config/settings.ts';
import { thingOf } from './file-entries.ts';
import { POSTGRES_FORM } from './postgres-form.ts';
import type { SourceSetup } from './source-setup.ts';
import { CUSTOMARY_PUBLICATION } from './table-choice.ts';

/** PostgreSQL: tables are chosen by a publication, and a slot keeps the log. */
export const POSTGRES_SETUP: SourceSetup = {
  kind: 'pglogical',
  hint: '12 or newer, by logical replication',
  form: POSTGRES_FORM,
  products: ['postgresql'],
  otherProduct: 'The source has to be PostgreSQL. Connect to the database that the changes come from.',
  pages: ['tables', 'slot'],
  isAnswered: (page, { tables, publication, slot }) =>
    page === 'tables'
      ? tables !== undefined && publication !== undefined
      : publication !== undefined && slot !== undefined,
  tables: {
    all: 'A publication for all tables takes a superuser. Ticking a table makes it your own choice.',
    choice: 'A publication for these tables takes a user who owns them.',
    unfit: {
      is: ({ fix }) => fix !== undefined,
      how: 'without a usable key',
      cost: 'once published, the source refuses UPDATE and DELETE there, and the application gets errors. f runs the fix for a table, F for all.',
    },
    fixing: 'Whole old rows are logged from then on, which makes the log larger.',
    asksToFix: false,
    answers(choice, { publication }) {
      const made = { name: publication?.create ? publication.name : CUSTOMARY_PUBLICATION, create: true };
      switch (choice.by) {
        case 'all':
          return { tables: 'all', publication: made };
        case 'choice':
          return { tables: choice.tables, publication: made };
        case 'publication': {
          const { name, allTables, tables } = choice.publication;
          return { tables: allTables ? 'all' : tables, publication: { name, create: false } };
        }
      }
    },
  },
  existingRows: () => 'Existing rows are not copied: only what changes from the launch on is.',
  asked: ['slotName', 'publicationName'],
  locked: () => ({}),
  file: {
    keys: ['publication', 'slot'],
    tables: '[public.orders, public.lines]',
    example:
      'publication: molt_fetch  # created; {name: molt_fetch, create: false} uses one that is there\nslot: molt_slot          # likewise',
    read(entries) {
      const slot = thingOf(entries.get('slot'), 'molt_slot');
      parseValue(flagNamed('slotName'), `${entries.get('slot')?.place ?? ''}: slot`, slot.name);
      return { publication: thingOf(entries.get('publication'), CUSTOMARY_PUBLICATION), slot };
    },
  },
  review: () => [],
  launched(made) {
    const slot = made.find(({ what }) => what === 'slot');
    return slot?.lsn === undefined ? undefined : `Slot (${slot.name},${slot.lsn}).`;
  },
};
