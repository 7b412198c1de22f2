import { OperatorError } from '../errors.ts';
import type { Replication } from '../sessions/replication.ts';
import type { ReplicationStore } from '../sessions/store.ts';

/**
 * The saved replication of that name, or without one the one that was used last.
 * @throws OperatorError SESSION_MISSING
 */
export function chosen(store: ReplicationStore, name: string | undefined): Replication {
  const found = name === undefined ? store.list()[0] : store.get(name);
  if (found !== undefined) return found;
  if (name !== undefined) throw store.missing(name);
  throw new OperatorError('SESSION_MISSING', store.problem ?? 'no replication is saved yet', { fix: 'instar' });
}
