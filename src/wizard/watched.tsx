import { useEffect, useState } from 'react';
import { Dashboard } from '../dashboard/dashboard.tsx';
import { Poller } from '../dashboard/poller.ts';
import type { Saved } from '../sessions/engine-child.ts';
import type { Replication } from '../sessions/replication.ts';
import { controlOf, endpointOf } from './control.ts';
import { keepSeen } from './seen-keeper.ts';

export interface WatchedProps {
  readonly replication: Replication;
  readonly saved: Saved;
  onLeave(): void;
}

/** The dashboard over a saved replication, which it can pause, stop and resume. */
export function Watched({ replication, saved, onLeave }: WatchedProps) {
  const { name, run } = replication;
  const [parts] = useState(() => ({
    poller: new Poller(endpointOf(replication) ?? ''),
    control: controlOf(name, saved),
  }));
  useEffect(() => keepSeen(name, parts.poller, saved.store), [name, parts, saved]);
  return (
    <Dashboard poller={parts.poller} title={name} logFile={run?.logFile} control={parts.control} onLeave={onLeave} />
  );
}
