import { processIdentity } from './process-identity.ts';
import type { Replication } from './replication.ts';
import { readEnding } from './run-log.ts';
import type { ReplicationStore } from './store.ts';

/** What a saved replication is doing. */
export type State = 'running' | 'stopped' | 'crashed' | 'unfinished';

/** `crashed`: it ended without having been asked to. `unfinished`: its setup was never launched, or the launch failed. */
export function stateOf({ run, ending, step }: Replication): State {
  if (run !== undefined && processIdentity(run.pid) === run.identity) return 'running';
  if (run === undefined || step !== undefined) return 'unfinished';
  return ending?.how === 'stopped' && Date.parse(ending.at) >= run.started ? 'stopped' : 'crashed';
}

/** Keeps, for an engine that has ended since anybody looked, how it ended according to its log. */
export function settleEnding(replication: Replication, store: Pick<ReplicationStore, 'update'>): Replication {
  const { name, run, ending } = replication;
  if (run === undefined || processIdentity(run.pid) === run.identity) return replication;
  if (ending !== undefined && Date.parse(ending.at) >= run.started) return replication;
  const found = readEnding(run);
  return store.update(name, (saved) => (saved.run?.identity === run.identity ? { ...saved, ending: found } : saved));
}
