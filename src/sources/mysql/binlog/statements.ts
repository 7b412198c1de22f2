import { type Token, tokens } from './statement-tokens.ts';
import { readXid, type Xid } from './xid.ts';

/** A table as a statement names it; without a database it is in the default one. */
export interface NamedTable {
  readonly database: string | undefined;
  readonly name: string;
}

/** What a statement in the log does, as far as a reader of rows has to know. */
export type Statement =
  | { readonly kind: 'begin' | 'commit' | 'rollback' }
  | { readonly kind: 'savepoint' | 'rollbackTo' | 'release'; readonly name: string }
  /** `xid` undefined: it cannot be read. */
  | { readonly kind: 'xaStart' | 'xaCommit' | 'xaRollback'; readonly xid: Xid | undefined }
  | { readonly kind: 'truncate'; readonly table: NamedTable }
  /**
   * Defines tables anew; without tables: a whole database, or what could not be read. `removesRows`: rows that were in them
   * are gone, and no event says which. `changesDefaults`: columns that were there may have another default, or be others.
   */
  | {
      readonly kind: 'definition';
      readonly tables: readonly NamedTable[];
      readonly database: string | undefined;
      readonly removesRows: boolean;
      readonly changesDefaults: boolean;
    }
  /** Changes rows, in a log of statements instead of rows. */
  | { readonly kind: 'rows' }
  /** Changes no rows and no tables: users, rights, views, maintenance. */
  | { readonly kind: 'other' };

const OTHER: Statement = { kind: 'other' };

const ROW_STATEMENTS = new Set(
  'INSERT UPDATE DELETE REPLACE LOAD WITH SELECT CALL DO VALUES TABLE BINLOG HANDLER IMPORT'.split(' '),
);

/** Reads as much of a statement as tells what it does. It may be cut off behind that. */
export function readStatement(sql: string, ansiQuotes: boolean): Statement {
  const reader = new StatementReader(sql, ansiQuotes);
  const verb = reader.word();
  switch (verb) {
    case 'BEGIN':
      return { kind: 'begin' };
    case 'START':
      return reader.skip('TRANSACTION') ? { kind: 'begin' } : OTHER;
    case 'COMMIT':
      return { kind: 'commit' };
    case 'ROLLBACK':
      return readRollback(reader);
    case 'SAVEPOINT':
      return { kind: 'savepoint', name: reader.name() };
    case 'RELEASE':
      reader.skip('SAVEPOINT');
      return { kind: 'release', name: reader.name() };
    case 'XA':
      return readXa(reader);
    case 'TRUNCATE':
      reader.skip('TABLE');
      return { kind: 'truncate', table: reader.table() };
    case 'ALTER':
      return readAlter(reader);
    case 'CREATE':
    case 'DROP':
      return readCreateOrDrop(verb, reader);
    case 'RENAME':
      return reader.skip('TABLE', 'TABLES') ? definition(reader.tables(), false, true) : OTHER;
    default:
      return ROW_STATEMENTS.has(verb) ? { kind: 'rows' } : OTHER;
  }
}

/** A statement for people, without what it says in quotes, which may be secret; cut at `length` characters. */
export function redacted(sql: string, ansiQuotes: boolean, length = 300): string {
  let text = '';
  let joined = true;
  for (const { kind, text: piece } of tokens(sql.slice(0, 4 * length), ansiQuotes)) {
    const tight = kind === 'sign' && '.,();='.includes(piece);
    if (!joined && !(tight && piece !== '(' && piece !== '=')) text += ' ';
    text += kind === 'text' ? "'…'" : kind === 'name' ? `\`${piece.replaceAll('`', '``')}\`` : piece;
    joined = kind === 'sign' && (piece === '.' || piece === '(');
    if (piece === '.') text = text.replace(/ \.$/, '.');
    if (text.length > length) return `${text.slice(0, length)}…`;
  }
  return text;
}

function readRollback(reader: StatementReader): Statement {
  reader.skip('WORK');
  if (!reader.skip('TO')) return { kind: 'rollback' };
  reader.skip('SAVEPOINT');
  return { kind: 'rollbackTo', name: reader.name() };
}

function readXa(reader: StatementReader): Statement {
  const verb = reader.word();
  const kinds = { START: 'xaStart', BEGIN: 'xaStart', COMMIT: 'xaCommit', ROLLBACK: 'xaRollback' } as const;
  if (!Object.hasOwn(kinds, verb)) return OTHER;
  return { kind: kinds[verb as keyof typeof kinds], xid: readXid(reader.rest()) };
}

function readAlter(reader: StatementReader): Statement {
  while (reader.skip('ONLINE', 'OFFLINE', 'IGNORE'));
  if (reader.skip('DATABASE', 'SCHEMA'))
    return { kind: 'definition', tables: [], database: undefined, removesRows: false, changesDefaults: false };
  if (!reader.skip('TABLE')) return OTHER;
  const table = reader.table();
  const rest = reader.rest().map(({ kind, text }) => (kind === 'word' ? text.toUpperCase() : ''));
  const removesRows = rest.some(
    (word, i) =>
      ((word === 'DROP' || word === 'TRUNCATE' || word === 'EXCHANGE') && rest[i + 1] === 'PARTITION') ||
      ((word === 'DISCARD' || word === 'IMPORT') && (rest[i + 1] === 'TABLESPACE' || rest.includes('TABLESPACE', i))),
  );
  const renamed = rest.findIndex((word, i) => word === 'RENAME' && !/^(?:COLUMN|INDEX|KEY)$/.test(rest[i + 1] ?? ''));
  const changesDefaults = rest.some(
    (word, i) => /^(?:MODIFY|CHANGE|ALTER|DROP|RENAME)$/.test(word) || (word === 'SET' && rest[i + 1] === 'DEFAULT'),
  );
  return definition([table], removesRows, changesDefaults, renamed >= 0);
}

function readCreateOrDrop(verb: 'CREATE' | 'DROP', reader: StatementReader): Statement {
  const replaces = reader.skip('OR') && reader.skip('REPLACE');
  if (reader.skip('TEMPORARY')) return OTHER;
  if (reader.skip('TABLE', 'TABLES')) {
    if (verb === 'DROP') return definition(reader.tables(), true, true);
    return definition([reader.table()], replaces, true);
  }
  if (reader.skip('DATABASE', 'SCHEMA')) {
    const database = reader.name();
    return verb === 'CREATE'
      ? OTHER
      : { kind: 'definition', tables: [], database, removesRows: true, changesDefaults: true };
  }
  while (reader.skip('UNIQUE', 'FULLTEXT', 'SPATIAL', 'VECTOR', 'ONLINE', 'OFFLINE'));
  if (!reader.skip('INDEX')) return OTHER;
  // A unique index may be what rows are told by.
  return reader.until('ON') ? definition([reader.table()], false, false) : OTHER;
}

/** `renames`: the new name is not read, so nothing that is known can be trusted. */
function definition(
  tables: readonly NamedTable[],
  removesRows: boolean,
  changesDefaults: boolean,
  renames = false,
): Statement {
  const known = !renames && tables.every(({ name }) => name !== '');
  return { kind: 'definition', tables: known ? tables : [], database: undefined, removesRows, changesDefaults };
}

class StatementReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(sql: string, ansiQuotes: boolean) {
    this.#tokens = [...tokens(sql, ansiQuotes)];
  }

  /** The next word, in capitals; empty when there is none. */
  word(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word') return '';
    this.#at++;
    return token.text.toUpperCase();
  }

  /** Passes over the next word if it is one of these. */
  skip(...words: readonly string[]): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' || !words.includes(token.text.toUpperCase())) return false;
    this.#at++;
    return true;
  }

  /** Passes over everything up to a word, and the word. */
  until(word: string): boolean {
    const found = this.#tokens.findIndex(
      ({ kind, text }, i) => i >= this.#at && kind === 'word' && text.toUpperCase() === word,
    );
    if (found < 0) return false;
    this.#at = found + 1;
    return true;
  }

  /** An identifier, quoted or not; empty when there is none. */
  name(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' && token?.kind !== 'name') return '';
    this.#at++;
    return token.text;
  }

  table(): NamedTable {
    if (this.skip('IF')) this.skip('NOT');
    this.skip('EXISTS');
    const first = this.name();
    if (this.#tokens[this.#at]?.text !== '.' || this.#tokens[this.#at].kind !== 'sign') {
      return { database: undefined, name: first };
    }
    this.#at++;
    return { database: first, name: this.name() };
  }

  /** `a, b.c`, and `a TO b, c TO d`. */
  tables(): NamedTable[] {
    const tables: NamedTable[] = [];
    do tables.push(this.table());
    while (this.#comma() || this.skip('TO'));
    return tables;
  }

  rest(): readonly Token[] {
    return this.#tokens.slice(this.#at);
  }

  #comma(): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || token.text !== ',') return false;
    this.#at++;
    return true;
  }
}
