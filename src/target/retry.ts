/** What to do about an error of the target. */
export type Verdict =
  /** The transaction did not happen and may well succeed when sent again. */
  | 'retry'
  /** The connection is gone; whether the last commit happened is told by the checkpoint. */
  | 'reconnect'
  /** The checkpoint is not what we left there: an earlier script failed, or somebody else writes. */
  | 'fenced'
  /** The target's tables are not what the catalogue said. */
  | 'schema'
  /** The data was refused as it was sent; another order of the same changes may pass. */
  | 'refused'
  /** The user may not do this. */
  | 'denied';

/** SQLSTATE of an error from the server; undefined for network errors. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown })?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined;
}

const RETRY = new Set(['40001', '40P01', '55P03', '55006', '57014', '53200', '53300', '58C00', '58C01']);
const SCHEMA = new Set(['42P01', '42703', '3F000', '0A000', '42804', '42P10', '428C9', '26000', '42883']);

/**
 * Sorts an error by its SQLSTATE, never by its text: products word them differently.
 * 40003 (ambiguous) is like a lost connection: after the next start the checkpoint tells whether the commit took place.
 */
export function verdict(error: unknown): Verdict {
  const state = sqlState(error);
  if (state === undefined) return 'reconnect';
  // A message that is too large, as for one huge value: the connection is still there, and sending it again is of no use.
  if (state === '08P01') return 'refused';
  if (state === '40003' || state.startsWith('08') || state.startsWith('57P') || state.startsWith('25P03'))
    return 'reconnect';
  if (state === '22012') return 'fenced';
  if (RETRY.has(state)) return 'retry';
  if (SCHEMA.has(state)) return 'schema';
  if (state === '42501') return 'denied';
  if (state.startsWith('53') || state.startsWith('58') || state.startsWith('XX')) return 'retry';
  return 'refused';
}
