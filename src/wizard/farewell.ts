import { whatExists } from './what-exists.ts';
import type { SetupSession } from './setup-machine.ts';

/**
 * What a setup that is left before it was launched leaves behind, a sentence each: on the servers, often nothing, and here.
 * `kept` is false when its answers were forgotten.
 */
export function farewell(session: Pick<SetupSession, 'replication' | 'ran'>, kept: boolean): string[] {
  const { name } = session.replication;
  return [
    ...whatExists(session),
    kept ? `The answers are saved as ${name}; "instar" goes on with them.` : `The answers of ${name} were forgotten.`,
  ];
}
