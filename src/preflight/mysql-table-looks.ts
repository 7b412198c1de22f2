import {
  logsCascades,
  nameClashFinding,
  quotedTable,
  readableTable,
  rewriteStatement,
} from '../sources/mysql/tables.ts';
import { counted, failed, listed, type Outcome, passed } from './look.ts';
import { type MysqlSourceFacts, wantedTables } from './mysql-source-facts.ts';
import type { MysqlLook } from './mysql-source-look.ts';
import { advisory, blocking, fromFinding } from './source-look.ts';

/** The tables, and from which point on their changes are read. */
export const TABLE_LOOKS: readonly MysqlLook[] = [
  {
    check: blocking('tables', 'tables', 'Only what is there, and can be seen, can be replicated.'),
    needs: ['source.version', 'source.database'],
    look: lookAtTables,
  },
  {
    check: advisory(
      'primary_keys',
      'primary keys',
      'Without one a row is found by all of its columns, which is slow, and rows that are alike cannot be told apart.',
    ),
    needs: ['source.tables'],
    async look(facts) {
      const without = (await facts.tables()).filter(({ key }) => key === 'none');
      if (without.length === 0) return passed('all tables have one');
      return failed(`none: ${listed(without.map(readableTable))}`, {
        expected: 'a primary key, or a unique one without NULL',
        fix: {
          side: 'source',
          text: without
            .map(
              (table) => `ALTER TABLE ${quotedTable(table)} ADD COLUMN id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY;`,
            )
            .join('\n'),
        },
      });
    },
  },
  {
    check: advisory(
      'cascades',
      'cascading foreign keys',
      'The source does not log the rows that its foreign keys change: the keys of the target have to change them too.',
    ),
    needs: ['source.tables'],
    look: lookAtCascades,
  },
  {
    check: advisory(
      'old_temporals',
      'dates and times of MariaDB 5.3',
      'The log does not tell the precision of columns in this old format.',
    ),
    needs: ['source.tables'],
    async look(facts) {
      const old = (await facts.tables()).filter(({ oldTemporals }) => oldTemporals.length > 0);
      if (old.length === 0) return passed('none');
      const statements = old.map(rewriteStatement);
      return failed(listed(old.map((table) => `${readableTable(table)} (${table.oldTemporals.join(', ')})`)), {
        expected: 'the format of today',
        fix: {
          side: 'source',
          text: ['-- each writes its table anew', ...statements.map((statement) => `${statement};`)].join('\n'),
        },
      });
    },
  },
  {
    check: blocking(
      'start',
      'GTID set to begin with',
      'The source has to have everything up to there, and still to have the log of everything after it.',
    ),
    needs: ['source.version', 'source.log_bin', 'source.gtid_mode', 'source.database'],
    look: lookAtStart,
  },
];

async function lookAtTables(facts: MysqlSourceFacts): Promise<Outcome> {
  const tables = await facts.tables();
  const wanted = wantedTables(facts.wishes.tables ?? 'all');
  if (wanted !== 'all') {
    const missing = wanted.filter(
      ({ database, name }) => !tables.some((each) => each.database === database && each.name === name),
    );
    if (missing.length > 0) {
      return failed(`not to be had: ${listed(missing.map(readableTable))}`, {
        expected: facts.database === undefined ? 'tables, no views' : `tables of ${facts.database}, no views`,
        code: 'MYSQL_TABLE_MISSING',
        fix: { side: 'source', text: 'Choose the tables again, or let this user read them.' },
      });
    }
  }
  if (tables.length === 0) {
    return failed('none that this user can see', {
      expected: 'tables',
      code: 'MYSQL_TABLE_MISSING',
      fix: { side: 'source', text: 'Name the database that has the tables, or let this user read them.' },
    });
  }
  const clash = fromFinding(nameClashFinding(tables));
  return clash.state === 'failed' ? clash : passed(counted(tables.length, 'table'));
}

async function lookAtCascades(facts: MysqlSourceFacts): Promise<Outcome> {
  const keys = await facts.cascades();
  if (keys.length === 0) return passed('none');
  if (logsCascades(await facts.server()))
    return passed(`${counted(keys.length, 'key')}, and the source logs what they do`);
  const found = keys.map((key) => `${readableTable(key)} (${key.constraint})`);
  return failed(listed(found), {
    expected: 'the same foreign keys at the target',
    fix: {
      side: 'target',
      text: [
        'Each of these has to be there at the target too, with the same action:',
        ...keys.map((key) => `-- ${key.name}: ${key.constraint} REFERENCES ${key.referenced} ${key.action}`),
      ].join('\n'),
    },
  });
}

async function lookAtStart(facts: MysqlSourceFacts): Promise<Outcome> {
  const { startSet } = facts.wishes;
  if (startSet === undefined) return passed('not chosen yet');
  const verdict = await facts.start();
  if (verdict.state === 'refused') {
    const { code, message, fix } = verdict.error;
    return failed(message, { code, ...(fix !== undefined && { fix: { side: 'source', text: fix } }) });
  }
  const pending = verdict.pending === '' ? 'nothing has been committed since' : `since then: ${verdict.pending}`;
  const said = verdict.warnings.map(({ message }) => message);
  return passed([startSet === '' ? 'none' : verdict.set, pending, ...said].join('; '));
}
