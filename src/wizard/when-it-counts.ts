/** From when on a change of a launched replication counts. */
export function whenItCounts(running: boolean): string {
  return running ? 'from its next start on: stop it, then resume it' : 'from its next start on';
}
