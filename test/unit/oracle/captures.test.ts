import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RedoParser } from '../../../src/sources/oracle/redo/redo-parser.ts';
import { Literal } from '../../../src/sources/oracle/redo/redo-statement.ts';

/**
 * Texts of SQL_REDO, a statement in each line of `*.redo`, and beside them what they are read as. `documented.redo` has the forms that Oracle's manuals and
 * other readers' tests tell of; put a file of your own server's redo beside it and run this test with INSTAR_CAPTURES=1 to write down what it is
 * read as, then look whether that is right.
 */
const FOLDER = fileURLToPath(new URL('captures/', import.meta.url));

const NAMES = new Map(Object.entries(Literal).map(([name, literal]) => [literal, name]));

function described(sql: string): string {
  const names: string[] = [];
  const columns = {
    indexOf(text: string, start: number, end: number) {
      const name = text.slice(start, end);
      if (!names.includes(name)) names.push(name);
      return names.indexOf(name);
    },
  };
  const statement = new RedoParser().parse(sql, columns);
  const value = (i: number) =>
    `${names[statement.columns[i]]} ${NAMES.get(statement.literals[i])} ${JSON.stringify(sql.slice(statement.starts[i], statement.ends[i]))}`;
  const all = Array.from({ length: statement.count }, (_, i) => value(i));
  const set = all.slice(0, statement.assigned).join(', ');
  const where = [...all.slice(statement.assigned), ...(statement.rowId === '' ? [] : [`ROWID ${statement.rowId}`])];
  return [
    statement.kind,
    `${statement.owner}.${statement.table}`,
    set,
    ...(where.length > 0 ? ['where', where.join(', ')] : []),
  ]
    .filter((part) => part !== '')
    .join(' ');
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.redo'))) {
  test(`the redo of ${file} is read as it was`, () => {
    const found = readFileSync(FOLDER + file, 'utf8')
      .trimEnd()
      .split('\n')
      .map(described)
      .join('\n');
    const expected = FOLDER + file.replace(/redo$/, 'expected');
    if (process.env.INSTAR_CAPTURES === '1') writeFileSync(expected, `${found}\n`);
    assert.equal(`${found}\n`, readFileSync(expected, 'utf8'));
  });
}
