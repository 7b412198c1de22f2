/** What this kind of source is called in metrics, leases and memo keys: the name of its command. */
export const KIND = 'pglogical';

/** Memo key of the checkpoint for a target schema in raw dotted form, as MOLT Replicator has it. */
export function checkpointKey(targetSchema: string): string {
  return `pglogical-wal-offset-${targetSchema}`;
}
