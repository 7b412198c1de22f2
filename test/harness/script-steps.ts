import type { MessageBuffer } from '../../src/target/messages.ts';
import type { Session } from '../../src/target/session.ts';

/** One thing that a script tells the server to do. */
export interface Step {
  readonly sql: string;
  /** Of an executed statement: its parameters as text. */
  readonly parameters?: readonly (string | null)[];
  /** Of a COPY: its lines. */
  readonly lines?: readonly string[];
}

/** Takes the place of a session whose scripts are looked at and never sent: a statement's name is its SQL. */
export function statementNames(): Session {
  return { statement: (_: MessageBuffer, sql: string) => sql } as unknown as Session;
}

/** What stands in a script that was filled with the help of `statementNames`. */
export function stepsOf(script: MessageBuffer): Step[] {
  const steps: Step[] = [];
  let lines: string[] | undefined;
  for (let at = 0; at < script.length; ) {
    const end = at + 1 + script.buffer.readInt32BE(at + 1);
    const payload = script.buffer.subarray(at + 5, end);
    switch (String.fromCharCode(script.buffer[at])) {
      case 'Q': {
        const sql = payload.toString('utf8', 0, payload.length - 1);
        lines = [];
        steps.push(sql.startsWith('COPY') ? { sql, lines } : { sql });
        break;
      }
      case 'd':
        lines?.push(...payload.toString().split('\n').slice(0, -1));
        break;
      case 'B':
        steps.push(bound(payload));
    }
    at = end;
  }
  return steps;
}

function bound(payload: Buffer): Step {
  const start = payload.indexOf(0) + 1;
  const end = payload.indexOf(0, start);
  const parameters: (string | null)[] = [];
  let at = end + 5;
  for (let left = payload.readInt16BE(end + 3); left > 0; left--) {
    const length = payload.readInt32BE(at);
    at += 4;
    parameters.push(length < 0 ? null : payload.toString('utf8', at, at + length));
    at += Math.max(length, 0);
  }
  return { sql: payload.toString('utf8', start, end), parameters };
}
