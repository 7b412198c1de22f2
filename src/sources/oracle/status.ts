import type { Retention, SourceStatus } from '../source.ts';
import { ScnPosition } from './position.ts';

/** How far the source is, and how LogMiner is doing. */
export class OracleStatus implements SourceStatus {
  state: SourceStatus['state'] = 'waiting';
  /** A server keeps its redo by age, not for its readers. */
  readonly retainedBytes = undefined;
  retention: Retention | undefined;
  /** SCNs say nothing of bytes. */
  readonly lagBytes = undefined;
  lastReceived = 0;
  received = 0;
  head: ScnPosition | undefined;
}

/** A point of the redo that everything was read up to. */
export function pointOf(scn: bigint): ScnPosition {
  return new ScnPosition(scn, scn);
}
