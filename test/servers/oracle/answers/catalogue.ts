import { OWNERS } from '../../../../src/preflight/oracle-start.ts';
import { CONTAINER, DATABASE } from '../../../../src/sources/oracle/identity.ts';
import {
  ALL_LOGGED,
  COLUMNS,
  PARTITIONS,
  PRIMARY_KEYS,
  TABLES,
  UNIQUE_INDEXES,
} from '../../../../src/sources/oracle/tables.ts';
import { SENTINEL } from '../../../../src/sources/oracle/sentinel.ts';
import type { Answer, AnswerColumn, BindValue } from '../answer.ts';
import type { ModelTable, RedoModel } from '../redo-model.ts';
import type { ModelSession } from '../model-session.ts';

const texts = (...names: string[]): AnswerColumn[] => names.map((name) => ({ name, type: 'VARCHAR2', size: 512 }));

function ownedBy(model: RedoModel, owner: BindValue): ModelTable[] {
  return [...model.tables.values()]
    .filter((table) => table.owner === owner && !model.hidden.has(table.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const text = (value: number | undefined): string | null => (value === undefined ? null : String(value));

/** The dictionary, and what a database says of itself. */
export const CATALOGUE_ANSWERS: readonly Answer<RedoModel, ModelSession>[] = [
  {
    sql: DATABASE,
    answer: ({ dbid, resetlogs, cdb }) => ({
      columns: texts('DBID', 'RESETLOGS', 'CDB'),
      rows: [[dbid, String(resetlogs), cdb ? 'YES' : 'NO']],
    }),
  },
  {
    sql: CONTAINER,
    answer: ({ cdb, container }, { service }) => ({
      columns: texts('NAME'),
      rows: [[cdb ? (service === container ? container : 'CDB$ROOT') : service]],
    }),
  },
  {
    sql: TABLES,
    answer: (model, _, [owner]) => ({
      columns: texts('TABLE_NAME', 'OBJECT_ID', 'NUM_ROWS', 'TEMPORARY'),
      rows: ownedBy(model, owner).map(({ name, objectId, rows }) => [name, String(objectId), String(rows.size), 'N']),
    }),
  },
  {
    sql: PARTITIONS,
    answer: ({ partitions, hidden }, _, [owner]) => ({
      columns: texts('TABLE_NAME', 'OBJECT_ID'),
      rows: [...partitions]
        .filter(([, table]) => table.owner === owner && !hidden.has(table.name))
        .map(([id, { name }]) => [name, id]),
    }),
  },
  {
    sql: COLUMNS,
    answer: (model, _, [owner]) => ({
      columns: texts('TABLE_NAME', 'COLUMN_NAME', 'TYPE', 'LENGTH', 'PRECISION', 'SCALE', 'NULLABLE', 'VIRTUAL'),
      rows: ownedBy(model, owner).flatMap((table) =>
        table.columns.map(({ name, type, length, precision, scale, nullable }) => [
          table.name,
          name,
          type,
          String(length),
          text(precision),
          text(scale),
          nullable ? 'Y' : 'N',
          'NO',
        ]),
      ),
    }),
  },
  {
    sql: PRIMARY_KEYS,
    answer: (model, _, [owner]) => ({
      columns: texts('TABLE_NAME', 'COLUMN_NAME'),
      rows: ownedBy(model, owner).flatMap((table) => table.key.map((i) => [table.name, table.columns[i].name])),
    }),
  },
  {
    sql: OWNERS,
    answer: ({ tables, hidden }) => {
      const visible = [...tables.values()].filter(({ name }) => !hidden.has(name) && name !== SENTINEL);
      const owners = Map.groupBy(visible, ({ owner }) => owner);
      return {
        columns: texts('OWNER', 'TABLES'),
        rows: [...owners].map(([owner, all]) => [owner, String(all.length)]),
      };
    },
  },
  {
    sql: ALL_LOGGED,
    answer: (model, _, [owner]) => ({
      columns: texts('TABLE_NAME'),
      rows: ownedBy(model, owner)
        .filter(({ allLogged }) => allLogged)
        .map(({ name }) => [name]),
    }),
  },
  {
    sql: UNIQUE_INDEXES,
    answer: (model, _, [owner]) => ({
      columns: texts('TABLE_NAME', 'INDEX_NAME', 'COLUMN_NAME'),
      rows: ownedBy(model, owner).flatMap(({ name, unique, columns }) =>
        [...unique].flatMap(([index, positions]) => positions.map((i) => [name, index, columns[i].name])),
      ),
    }),
  },
];
