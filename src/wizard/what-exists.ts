import { cancelled } from '../sessions/launch.ts';
import type { SetupSession } from './setup-machine.ts';

/** What the setup has made or changed on the servers so far, in lines for people. */
export function whatExists({ replication, ran }: Pick<SetupSession, 'replication' | 'ran'>): string[] {
  const made = cancelled(replication);
  const others = ran.filter((statement) => !/^\w+: CREATE TABLE\b/i.test(statement));
  if (made.length === 0 && others.length === 0) return ['Nothing has been created on any server.'];
  return [
    ...made.map((line) => `Created: ${line}`),
    ...others.map((statement) => `Run on the ${statement.split('\n', 1)[0]}`),
  ];
}
