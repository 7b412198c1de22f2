import { OperatorError } from '../../../errors.ts';
import { Literal, type RedoColumns, type RedoKind, RedoStatement } from './redo-statement.ts';

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x28;
const CLOSE = 0x29;
const SPACE = 0x20;
const DOT = 0x2e;
const EQUALS = 0x3d;
const SEMICOLON = 0x3b;
const BAR = 0x7c;

const FUNCTIONS: Readonly<Record<string, Literal>> = {
  TO_DATE: Literal.date,
  TO_TIMESTAMP: Literal.timestamp,
  TO_TIMESTAMP_TZ: Literal.timestampTz,
  TO_TIMESTAMP_ITZ: Literal.timestampLtz,
  TO_TIMESTAMP_LTZ: Literal.timestampLtz,
  TO_YMINTERVAL: Literal.yearMonth,
  TO_DSINTERVAL: Literal.daySecond,
  HEXTORAW: Literal.hex,
  EMPTY_CLOB: Literal.emptyLob,
  EMPTY_BLOB: Literal.emptyLob,
};

/** Is thrown within the parser and never leaves it. */
class Malformed extends Error {
  readonly at: number;
  constructor(problem: string, at: number) {
    super(problem);
    this.at = at;
  }
}

/** The beginning of an insert, up to its values: the same text for every row of a table. */
interface Head {
  readonly text: string;
  readonly owner: string;
  readonly table: string;
  readonly columns: readonly number[];
}

/**
 * Reads the SQL_REDO of LogMiner: `insert into "S"."T"("A",…) values ('1',…);`, `update "S"."T" set "A" = '2' where …;`
 * and `delete from "S"."T" where …;`. Not a parser of SQL: these few forms are all that LogMiner writes. Keywords and
 * functions may be of either case, and blanks may be missing or more.
 */
export class RedoParser {
  readonly #statement = new RedoStatement();
  readonly #heads = new WeakMap<RedoColumns, Head>();
  #sql = '';
  #at = 0;
  /** Quotes inside of a value are not doubled: only one that is followed by what may follow a value ends it. */
  #lenient = false;

  /**
   * Parses one statement; the result is good until the next call. `columns` are those of the table that LogMiner names
   * beside the statement, the same object for all its rows.
   * @throws OperatorError ORACLE_REDO_UNREADABLE, in whose text no value of the statement is repeated.
   */
  parse(sql: string, columns: RedoColumns): RedoStatement {
    try {
      return this.#parse(sql, columns, false);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      try {
        return this.#parse(sql, columns, true);
      } catch (again) {
        if (!(again instanceof Malformed)) throw again;
        throw unreadable(sql, error);
      }
    }
  }

  #parse(sql: string, columns: RedoColumns, lenient: boolean): RedoStatement {
    const statement = this.#statement;
    statement.reset(sql);
    statement.guessed = lenient;
    this.#sql = sql;
    this.#at = 0;
    this.#lenient = lenient;
    const head = this.#heads.get(columns);
    if (head !== undefined && sql.startsWith(head.text)) {
      this.#at = head.text.length;
      statement.kind = 'insert';
      statement.owner = head.owner;
      statement.table = head.table;
      this.#values(head.columns);
    } else {
      this.#blanks();
      statement.kind = this.#verb();
      if (statement.kind === 'insert') this.#insert(columns);
      else if (statement.kind === 'update') this.#update(columns);
      else this.#delete(columns);
    }
    this.#end();
    return statement;
  }

  #verb(): RedoKind {
    if (this.#word('insert')) {
      this.#keyword('into');
      return 'insert';
    }
    if (this.#word('update')) return 'update';
    if (this.#word('delete')) {
      this.#keyword('from');
      return 'delete';
    }
    throw new Malformed('it is no insert, update or delete', this.#at);
  }

  #insert(columns: RedoColumns): void {
    this.#table();
    const { owner, table } = this.#statement;
    this.#expect(OPEN, 'the list of columns');
    const indexes: number[] = [];
    do indexes.push(this.#column(columns));
    while (this.#skip(COMMA));
    this.#expect(CLOSE, 'the end of the list of columns');
    this.#keyword('values');
    this.#expect(OPEN, 'the values');
    this.#heads.set(columns, { text: this.#sql.slice(0, this.#at), owner, table, columns: indexes });
    this.#values(indexes);
  }

  #values(columns: readonly number[]): void {
    for (let i = 0; i < columns.length; i++) {
      if (i > 0) this.#expect(COMMA, 'another value');
      this.#blanks();
      this.#value(columns[i]);
    }
    this.#expect(CLOSE, 'the end of the values');
    this.#statement.assigned = columns.length;
  }

  #update(columns: RedoColumns): void {
    this.#table();
    this.#keyword('set');
    do {
      const column = this.#column(columns);
      this.#expect(EQUALS, 'the new value');
      this.#blanks();
      this.#value(column);
    } while (this.#skip(COMMA));
    this.#statement.assigned = this.#statement.count;
    this.#where(columns);
  }

  #delete(columns: RedoColumns): void {
    this.#table();
    this.#where(columns);
  }

  #where(columns: RedoColumns): void {
    if (!this.#word('where')) return;
    do {
      this.#blanks();
      if (this.#word('rowid')) {
        this.#expect(EQUALS, 'the row id');
        this.#blanks();
        const start = this.#at;
        this.#string();
        this.#statement.rowId = this.#sql.slice(start + 1, this.#at - 1);
        continue;
      }
      const column = this.#column(columns);
      this.#blanks();
      if (this.#word('is')) {
        this.#keyword('null');
        this.#statement.add(column, Literal.null, this.#at, this.#at);
        continue;
      }
      this.#expect(EQUALS, 'a condition');
      this.#blanks();
      this.#value(column);
    } while (this.#word('and'));
  }

  /** `"OWNER"."TABLE"`, and the alias `a` that may follow. */
  #table(): void {
    this.#blanks();
    this.#statement.owner = this.#name();
    this.#expect(DOT, 'the name of the table');
    this.#blanks();
    this.#statement.table = this.#name();
    this.#blanks();
    const letter = this.#sql.charCodeAt(this.#at) | 0x20;
    if (letter === 0x61 && !isWordPart(this.#sql.charCodeAt(this.#at + 1))) this.#at++;
  }

  #name(): string {
    const start = this.#openName();
    const end = this.#closeName(start);
    return this.#sql.slice(start, end);
  }

  /** `"NAME"` or `a."NAME"`. */
  #column(columns: RedoColumns): number {
    this.#blanks();
    if (this.#sql.charCodeAt(this.#at) !== DOUBLE_QUOTE && this.#sql.charCodeAt(this.#at + 1) === DOT) this.#at += 2;
    const start = this.#openName();
    return columns.indexOf(this.#sql, start, this.#closeName(start));
  }

  #openName(): number {
    if (this.#sql.charCodeAt(this.#at) !== DOUBLE_QUOTE)
      throw new Malformed('a name in double quotes is missing', this.#at);
    return this.#at + 1;
  }

  #closeName(start: number): number {
    const end = this.#sql.indexOf('"', start);
    if (end <= start) throw new Malformed('a name is not closed', start);
    this.#at = end + 1;
    return end;
  }

  /** One value, at the start of which the parser stands. */
  #value(column: number): void {
    const sql = this.#sql;
    const start = this.#at;
    if (sql.charCodeAt(start) === QUOTE) {
      const plain = this.#string();
      if (this.#joined()) this.#expression(column, start);
      else this.#statement.add(column, plain ? Literal.plain : Literal.quoted, start + 1, this.#at - 1);
      return;
    }
    let end = start;
    while (isWordPart(sql.charCodeAt(end))) end++;
    if (sql.charCodeAt(end) === OPEN) {
      this.#call(column, start, end);
      return;
    }
    // N'…' is a string of the national character set.
    if (end === start + 1 && (sql.charCodeAt(start) | 0x20) === 0x6e && sql.charCodeAt(end) === QUOTE) {
      this.#at = end;
      this.#value(column);
      return;
    }
    while (isBarePart(sql.charCodeAt(end))) end++;
    if (end === start) throw new Malformed('a value is missing', start);
    this.#at = end;
    if (this.#matches(start, end, 'null')) this.#statement.add(column, Literal.null, start, end);
    else if (this.#matches(start, end, 'unsupported')) {
      const ended = this.#word('type') ? this.#at : end;
      this.#at = ended;
      this.#statement.add(column, Literal.unsupported, start, ended);
    } else this.#statement.add(column, Literal.bare, start, end);
  }

  #call(column: number, start: number, nameEnd: number): void {
    const sql = this.#sql;
    const name = sql.slice(start, nameEnd).toUpperCase();
    this.#at = nameEnd + 1;
    this.#blanks();
    const literal = FUNCTIONS[name] ?? Literal.call;
    const argument = this.#at;
    let argumentEnd = argument;
    if (sql.charCodeAt(this.#at) === QUOTE) {
      this.#string();
      argumentEnd = this.#at;
    }
    // A second argument is the format, which is the session's and known.
    while (this.#skip(COMMA)) {
      this.#blanks();
      if (sql.charCodeAt(this.#at) === QUOTE) this.#string();
      else while (isBarePart(sql.charCodeAt(this.#at))) this.#at++;
    }
    if (literal === Literal.call && argumentEnd === argument)
      while (isBarePart(sql.charCodeAt(this.#at)) || sql.charCodeAt(this.#at) === 0x3a) this.#at++;
    this.#expect(CLOSE, 'the end of a function');
    if (name === 'UNISTR' || name === 'TO_NCHAR' || name === 'NCHR' || this.#joined()) {
      this.#expression(column, start);
    } else if (literal === Literal.call || literal === Literal.emptyLob) {
      this.#statement.add(column, literal, start, this.#at);
    } else {
      if (argumentEnd === argument) throw new Malformed('a function has no argument', argument);
      this.#statement.add(column, literal, argument + 1, argumentEnd - 1);
    }
  }

  /** Goes on over ` || part || part`, and adds everything since `start` as one expression. */
  #expression(column: number, start: number): void {
    const sql = this.#sql;
    while (this.#joined()) {
      this.#blanks();
      this.#at += 2;
      this.#blanks();
      if (sql.charCodeAt(this.#at) === QUOTE) {
        this.#string();
        continue;
      }
      let end = this.#at;
      while (isWordPart(sql.charCodeAt(end))) end++;
      if (sql.charCodeAt(end) === QUOTE && end === this.#at + 1) {
        // N'…' is a string of the national character set.
        this.#at = end;
        this.#string();
        continue;
      }
      if (sql.charCodeAt(end) !== OPEN) throw new Malformed('a part of a text is missing', this.#at);
      this.#at = end + 1;
      this.#blanks();
      if (sql.charCodeAt(this.#at) === QUOTE) this.#string();
      else while (isBarePart(sql.charCodeAt(this.#at))) this.#at++;
      this.#expect(CLOSE, 'the end of a function');
    }
    this.#statement.add(column, Literal.expression, start, this.#at);
  }

  /** True when `||` comes next. */
  #joined(): boolean {
    let at = this.#at;
    while (this.#sql.charCodeAt(at) === SPACE) at++;
    return this.#sql.charCodeAt(at) === BAR && this.#sql.charCodeAt(at + 1) === BAR;
  }

  /** Goes over `'…'`; true when no quote stands inside. */
  #string(): boolean {
    const sql = this.#sql;
    const start = this.#at;
    if (sql.charCodeAt(start) !== QUOTE) throw new Malformed('a text in quotes is missing', start);
    let plain = true;
    for (let from = start + 1; ; ) {
      const at = sql.indexOf("'", from);
      if (at < 0) throw new Malformed('a text is not closed', start);
      if (this.#lenient ? this.#mayFollow(at + 1) : sql.charCodeAt(at + 1) !== QUOTE) {
        this.#at = at + 1;
        return plain;
      }
      plain = false;
      from = sql.charCodeAt(at + 1) === QUOTE ? at + 2 : at + 1;
    }
  }

  /** What may stand behind a text: the rest of a list, of a condition, of the statement. */
  #mayFollow(at: number): boolean {
    return AFTER_TEXT.test(this.#sql.slice(at, at + 12));
  }

  #end(): void {
    this.#blanks();
    this.#skip(SEMICOLON);
    this.#blanks();
    if (this.#at < this.#sql.length) throw new Malformed('something stands behind the statement', this.#at);
  }

  #blanks(): void {
    const sql = this.#sql;
    for (let code = sql.charCodeAt(this.#at); code === SPACE || (code >= 9 && code <= 13); ) {
      code = sql.charCodeAt(++this.#at);
    }
  }

  #skip(code: number): boolean {
    this.#blanks();
    if (this.#sql.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #expect(code: number, what: string): void {
    if (!this.#skip(code)) throw new Malformed(`${what} is missing`, this.#at);
  }

  /** Goes over a word, given in lower case, when it comes next. */
  #word(word: string): boolean {
    this.#blanks();
    const end = this.#at + word.length;
    if (!this.#matches(this.#at, end, word) || isWordPart(this.#sql.charCodeAt(end))) return false;
    this.#at = end;
    return true;
  }

  #keyword(word: string): void {
    if (!this.#word(word)) throw new Malformed(`the word ${word} is missing`, this.#at);
  }

  #matches(start: number, end: number, word: string): boolean {
    if (end - start !== word.length) return false;
    for (let i = 0; i < word.length; i++) {
      if ((this.#sql.charCodeAt(start + i) | 0x20) !== word.charCodeAt(i)) return false;
    }
    return true;
  }
}

const AFTER_TEXT = /^(?:$|[;)]|,\s*[0-9'"A-Za-z.+-]|\s*\|\||\s+(?:where|and)\b|\s*;?\s*$)/i;

function isWordPart(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    code === 0x24 ||
    code === 0x23
  );
}

/** Part of a number or word without quotes. */
function isBarePart(code: number): boolean {
  return isWordPart(code) || code === DOT || code === 0x2b || code === 0x2d;
}

/** The statement up to its first value, which tells table and columns and nothing of the data. */
function unreadable(sql: string, { message, at }: Malformed): OperatorError {
  const first = /'|=|\bvalues\b/i.exec(sql)?.index ?? sql.length;
  const shown = sql.slice(0, Math.min(first, 200));
  return new OperatorError(
    'ORACLE_REDO_UNREADABLE',
    `a change that LogMiner tells of cannot be read: ${message}, at character ${at} of ${sql.length} of: ${shown}…; nothing after the checkpoint was applied, and nothing is lost while the logs are kept`,
    {
      fix: 'Please report the form of this statement. To go on without the table, take from the source user the right to see it (REVOKE SELECT ON … FROM …), and start again.',
    },
  );
}
