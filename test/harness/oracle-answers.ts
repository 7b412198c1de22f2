import type { OracleConnection } from '../../src/sources/oracle/connection.ts';

/** What a question is answered with: rows, or the number of an ORA error. */
export type OracleAnswer = readonly (readonly (string | null)[])[] | number;

/** A connection that answers by the text of the question, several times in turn where several answers are given; and refuses any other. */
export function answering(
  answers: ReadonlyMap<string, OracleAnswer> | ((sql: string, binds: readonly unknown[]) => OracleAnswer | undefined),
): OracleConnection {
  const answerTo = typeof answers === 'function' ? answers : (sql: string) => answers.get(sql);
  const execute = async (sql: string, binds: readonly unknown[] = []) => {
    const answer = answerTo(sql, binds);
    if (answer === undefined) throw new Error(`nobody answers ${sql}`);
    if (typeof answer === 'number') {
      const code = `ORA-${String(answer).padStart(5, '0')}`;
      throw Object.assign(new Error(`${code}: refused`), { errorNum: answer, code });
    }
    return { rows: answer };
  };
  const connection: unknown = { execute };
  return connection as OracleConnection;
}
