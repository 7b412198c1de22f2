import type { Trouble } from './reading.ts';

/** What `/_/diag` of an Instar engine tells; everything may be missing, as with MOLT Replicator, whose page is another. */
export interface Diagnosis {
  readonly pid: number | undefined;
  readonly kind: string | undefined;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly sourceState: string | undefined;
  readonly engineState: string | undefined;
  readonly engineReason: string | undefined;
  readonly paused: boolean;
  /** Positions of the source's log: its end as heard of, and up to where everything is on the target. */
  readonly head: string | undefined;
  readonly applied: string | undefined;
  readonly lagBytes: number | undefined;
  /** Transactions that the source has committed and the target has not, for sources that are counted by them. */
  readonly waitingTransactions: number | undefined;
  /** Milliseconds since the epoch, by the engine's clock. */
  readonly lastReceived: number | undefined;
  readonly lastEvent: number | undefined;
  /** Seconds, over the last minute. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly receivedBytes: number | undefined;
  readonly bufferedBytes: number | undefined;
  readonly bufferLimit: number | undefined;
  /** Batches that wait, and batches on their way to the target. */
  readonly queued: number | undefined;
  readonly inFlight: number | undefined;
  readonly queueLimit: number | undefined;
  /** Shares of time, 0 to 1. */
  readonly targetBusy: number | undefined;
  readonly sourceBlocked: number | undefined;
  readonly retainedBytes: number | undefined;
  readonly retentionLimit: number | undefined;
  readonly walStatus: string | undefined;
  /** Bytes that may still be written before the slot is lost. */
  readonly safeBytes: number | undefined;
  /** Milliseconds between two words to the source. */
  readonly standbyTimeout: number | undefined;
  readonly troubles: readonly Trouble[];
}

/** Takes from a document of `/_/diag` what is there and has the right type. */
export function readDiagnosis(document: unknown): Diagnosis {
  const at = (...path: readonly string[]): unknown =>
    path.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), document);
  const text = (...path: string[]) => asText(at(...path));
  const number = (...path: string[]) => asNumber(at(...path));
  return {
    pid: number('build', 'pid'),
    kind: text('source', 'kind'),
    source: text('source', 'connection'),
    target: text('target', 'connection'),
    sourceState: text('source', 'state'),
    engineState: text('engine', 'state'),
    engineReason: text('engine', 'reason'),
    paused: at('engine', 'paused') === true,
    head: text('source', 'head'),
    applied: text('checkpoint', 'position'),
    lagBytes: number('source', 'lagBytes'),
    waitingTransactions: number('source', 'waitingTransactions'),
    lastReceived: positive(number('lag', 'lastHeartbeat')) ?? positive(number('source', 'lastReceived')),
    lastEvent: positive(number('lag', 'lastEvent')),
    p50: number('lag', 'p50'),
    p99: number('lag', 'p99'),
    receivedBytes: number('source', 'received'),
    bufferedBytes: number('engine', 'bufferedBytes'),
    bufferLimit: positive(number('settings', 'memoryLimit')),
    queued: number('engine', 'queued'),
    inFlight: number('engine', 'inFlight'),
    queueLimit: positive(number('settings', 'targetApplyQueueSize')),
    targetBusy: number('engine', 'targetBusy'),
    sourceBlocked: number('engine', 'sourceBlocked'),
    retainedBytes: number('source', 'retention', 'retainedBytes') ?? number('source', 'retainedBytes'),
    retentionLimit: positive(number('source', 'retention', 'limitBytes')),
    walStatus: text('source', 'retention', 'walStatus'),
    safeBytes: number('source', 'retention', 'safeBytes'),
    standbyTimeout: positive(number('settings', 'standbyTimeout')),
    troubles: troublesOf(at('troubles')),
  };
}

function troublesOf(list: unknown): Trouble[] {
  if (!Array.isArray(list)) return [];
  return list
    .filter(isObject)
    .map(({ at, code, message, fix, table }) => ({
      at: asNumber(at) ?? (Date.parse(asText(at) ?? '') || 0),
      code: asText(code) ?? '',
      message: asText(message) ?? '',
      fix: asText(fix),
      table: asText(table),
    }))
    .filter(({ message, code }) => message !== '' || code !== '')
    .sort((a, b) => b.at - a.at);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}
