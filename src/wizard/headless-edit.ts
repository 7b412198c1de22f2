import { asPostgres } from '../config/source-connection.ts';
import { UsageError } from '../errors.ts';
import type { ConnectionFacts } from '../preflight/connection-test.ts';
import {
  dereference,
  describeConnections,
  keepText,
  parseSide,
  SIDES,
  type Side,
  savedConnection,
} from '../sessions/connections.ts';
import type { Saved } from '../sessions/engine-child.ts';
import type { Replication } from '../sessions/replication.ts';
import { kitOf } from '../sessions/source-kits.ts';
import type { Changes } from './change-file.ts';
import { SERVERS, type Servers } from './servers.ts';
import { unfitness } from './source-setups.ts';

/** A connection that was tried. */
export interface Tried {
  readonly side: Side;
  readonly display: string;
  readonly facts: ConnectionFacts;
}

/**
 * Changes a replication that has been launched, once all of its new connections work and a new userscript can be used; else
 * nothing. Resolves to it as it is saved then, and to what was changed by name. It counts from the next start on.
 * @throws UsageError, OperatorError of the connections, of the script, and SESSION_NOT_SAVED, SECRETS_…
 */
export async function changeLaunched(
  replication: Replication,
  { connections, options }: Changes,
  saved: Saved,
  report: (tried: Tried) => void,
  servers: Pick<Servers, 'testConnection' | 'checkScript'> = SERVERS,
): Promise<{ readonly replication: Replication; readonly changed: readonly string[] }> {
  const { store, secrets, env } = saved;
  const { name } = replication;
  const { kind, targetSchema = '' } = replication.answers;
  const fresh = SIDES.flatMap((side) => {
    const text = connections[side];
    if (text === undefined) return [];
    const example = side === 'source' ? kitOf(kind).example : undefined;
    const connection = parseSide(dereference(text, env, example), side, kind, env);
    return [{ side, text, connection, kept: savedConnection(text, side, env, kind) }];
  });
  for (const { side, connection, kept } of fresh) {
    const place = side === 'source' ? 'source' : 'target';
    const facts = await servers.testConnection(connection, place);
    const problem = unfitness(place, kind, facts);
    if (problem !== undefined) throw new UsageError(`${side}: ${problem}`);
    report({ side, display: kept.display, facts });
  }
  if (options.userscript !== undefined) {
    const target =
      fresh.find(({ side }) => side === 'target')?.connection ?? describeConnections(replication, saved).target;
    const [error] = (await servers.checkScript(options.userscript, asPostgres(target), targetSchema)).errors;
    if (error !== undefined) throw error;
  }
  for (const { side, text, kept } of fresh) keepText(secrets, name, side, text, kept);
  const changed = store.update(name, (now) => ({
    ...now,
    answers: {
      ...now.answers,
      ...Object.fromEntries(fresh.map(({ side, kept }) => [side, kept])),
      options: withOptions(now.answers.options, options),
    },
  }));
  return {
    replication: changed,
    changed: [...fresh.map(({ side }) => `connection to the ${side}`), ...Object.keys(options)],
  };
}

function withOptions(
  before: Readonly<Record<string, string>> = {},
  changes: Changes['options'],
): Readonly<Record<string, string>> {
  const all = Object.entries({ ...before, ...changes });
  return Object.fromEntries(all.flatMap(([flag, text]) => (text === undefined ? [] : [[flag, text]])));
}
