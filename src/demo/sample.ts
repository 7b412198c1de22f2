/** What an engine's endpoints say at one moment. */
export interface EngineSample {
  /** Rows written and deleted at the target since the engine started. */
  rows: number;
  /** From the commit at the source to the commit at the target, for the newest transaction, in seconds. */
  lagSeconds: number;
  /** Log of the source that is not yet applied, in bytes. */
  lagBytes: number;
  /** LSN up to which everything is applied and recorded, such as `0/1949850`. */
  checkpoint: string | undefined;
}

/**
 * Reads what the demo shows out of the text of `/_/varz` (Prometheus exposition format) and `/_/diag` (JSON).
 * @throws SyntaxError when the latter is no JSON
 */
export function readSample(varz: string, diag: string): EngineSample {
  const { checkpoint } = JSON.parse(diag) as { checkpoint?: { position?: string } };
  return {
    rows: total(varz, 'apply_upserts_total') + total(varz, 'apply_deletes_total'),
    lagSeconds: total(varz, 'source_commit_to_apply_lag_seconds'),
    lagBytes: total(varz, 'instar_source_lag_bytes'),
    checkpoint: checkpoint?.position,
  };
}

/** The 64 bits of an LSN printed as two hexadecimal numbers: `16/B374D848`. */
export function lsnValue(lsn: string): bigint {
  const [high, low] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** The sum of a metric over all its labels; 0 when it is not there. */
function total(varz: string, metric: string): number {
  let sum = 0;
  for (const line of varz.split('\n')) {
    const value = /^([a-zA-Z0-9_:]+)(?:\{.*\})? (\S+)/.exec(line);
    if (value?.[1] === metric) sum += Number(value[2]);
  }
  return sum;
}
