import { OperatorError } from '../errors.ts';

/** The names by which scripts import the first API. */
export const V1_MODULES = ['replicator@v1', 'cdc-sink@v1'] as const;

const NONE = 'nothing: it has no counterpart';

/** What each call and option of the first API has become. */
const COUNTERPARTS: readonly (readonly [word: string, counterpart: string])[] = [
  [
    'configureSource',
    'configureTargetSchema("database.schema", { onRowUpsert, onRowDelete }), named by the target schema',
  ],
  ['dispatch', 'onRowUpsert of configureTargetSchema: return { table: [row] }'],
  ['deletesTo', 'onRowDelete of configureTargetSchema: return { table: [row] }'],
  ['recurse', NONE],
  ['configureTable', 'configureTargetTables(["table"], { onRowUpsert, onRowDelete, onWrite })'],
  ['map', 'onRowUpsert of configureTargetTables'],
  ['deleteKey', 'onRowDelete of configureTargetTables'],
  ['apply', 'onWrite of configureTargetTables; in it api.write(rows) is the standard write'],
  ['getTX', 'getTX() inside onWrite: query, exec, columns, schema, table; its apply() is api.write(rows)'],
  ['standardMerge', `${NONE}; compare with getTX().query() in onWrite`],
  ['merge', `${NONE}; compare with getTX().query() in onWrite`],
  ['cas', `${NONE}; compare with getTX().query() in onWrite`],
  ['deadlines', `${NONE}; return null from onRowUpsert for rows that are too old`],
  ['exprs', 'onRowUpsert: compute the value there, or getTX().exec() in onWrite'],
  ['extras', 'onRowUpsert: put the columns into an object of a JSON column'],
  ['ignore', 'onRowUpsert: delete the column from the row'],
  ['rowLimit', NONE],
  ['replicationKey', NONE],
  ['randomUUID', `${NONE}; give the column a default on the target`],
  ['setOptions', 'the flags of the command line'],
];

/** Refuses a script for the first API, with the counterpart of everything that it uses. `texts`: its files. */
export function refuseV1(path: string, module: string, texts: readonly string[]): OperatorError {
  const used = COUNTERPARTS.filter(([word]) => texts.some((text) => new RegExp(`\\b${word}\\b`).test(text)));
  const width = Math.max(0, ...used.map(([word]) => word.length));
  return new OperatorError(
    'SCRIPT_VERSION',
    `${path} is written for ${module}, which is not supported; replicator@v2 is. Nothing was started`,
    {
      fix: [
        'import * as api from "replicator@v2";',
        ...used.map(([word, counterpart]) => `${word.padEnd(width)}  becomes ${counterpart}`),
      ].join('\n'),
    },
  );
}
