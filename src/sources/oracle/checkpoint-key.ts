/** The command's name, which is also how metrics and staging call this kind of source. */
export const KIND = 'oraclelogminer';

/** Memo key of the checkpoint for a target schema given in raw dotted form. */
export function checkpointKey(targetSchema: string): string {
  return `oracle-scn-${targetSchema}`;
}
