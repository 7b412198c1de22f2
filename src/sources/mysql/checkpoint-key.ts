/** Name of the command that reads such a source, used in metrics and in keys of the staging schema. */
export const KIND = 'mylogical';

/** Memo key of the checkpoint for a target schema in raw dotted form: the one that MOLT Replicator uses. */
export function checkpointKey(targetSchema: string): string {
  return `mysql-wal-offset-${targetSchema}`;
}
