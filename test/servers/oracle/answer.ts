/** A column of an answer. Values are given as text (NUMBERs as their digits), bytes for RAW, or null. */
export interface AnswerColumn {
  readonly name: string;
  readonly type: 'VARCHAR2' | 'NUMBER' | 'DATE' | 'RAW' | 'CLOB';
  /** Bytes at most; 4000 when left out. */
  readonly size?: number;
}

export type AnswerValue = string | Buffer | null;

/** What a statement gives back. Rows are fetched lazily: one that throws an OraError fails in the middle of a fetch. */
export interface AnswerResult {
  readonly columns?: readonly AnswerColumn[];
  readonly rows?: Iterable<readonly AnswerValue[]>;
  /** Of DML: rows changed. */
  readonly affected?: number;
  /** Of PL/SQL: values of OUT binds, by position. */
  readonly out?: readonly AnswerValue[];
}

export type BindValue = string | bigint | number | Buffer | null;

/** A statement that the double answers; every other is refused, and fails the test that caused it. */
export interface Answer<Server = unknown, Session = unknown> {
  /** The whole text, blanks told apart from none only; or a pattern for texts that are made. */
  readonly sql: string | RegExp;
  answer(
    server: Server,
    session: Session,
    binds: readonly BindValue[],
    sql: string,
  ): AnswerResult | Promise<AnswerResult>;
}

/** Is thrown by an answer: the client gets `ORA-nnnnn: text`. */
export class OraError extends Error {
  readonly number: number;

  constructor(number: number, text: string) {
    super(`ORA-${String(number).padStart(5, '0')}: ${text}`);
    this.number = number;
  }
}
