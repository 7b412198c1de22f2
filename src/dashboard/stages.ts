import { formatBytes, formatRate } from '../terminal/format.ts';
import type { LagState, StageName, StageReading } from './reading.ts';

/** What the stages of the pipeline are judged by; undefined where it is not known. */
export interface StageEvidence {
  readonly state: LagState;
  readonly silent: boolean;
  readonly paused: boolean;
  /** The source is connected and streaming; undefined where the endpoint does not tell. */
  readonly connected: boolean | undefined;
  readonly bytesPerSecond: number | undefined;
  readonly changesPerSecond: number | undefined;
  readonly rowsPerSecond: number | undefined;
  /** Share of time that the source was not read because nothing more could be taken. */
  readonly blocked: number | undefined;
  /** Bytes received and not applied yet, and how many these may be. */
  readonly buffered: number | undefined;
  readonly bufferLimit: number | undefined;
  readonly waiting: number | undefined;
  readonly queueShare: number | undefined;
  /** Share of time that the target was working. */
  readonly busy: number | undefined;
  /** Share of a core that the engine used. */
  readonly core: number | undefined;
  /** Something waits for the target, which has committed nothing for long. */
  readonly stuck: boolean;
}

const BUSY = 0.8;
const FULL = 0.5;
const BLOCKED = 0.2;
const CORE_FULL = 0.9;

/**
 * The stage that holds up the others, by the first rule that applies:
 *
 * 1. none, when all is caught up or following; when paused or when the endpoint is silent, because then nothing can be told;
 * 2. the **source**, when it is not connected;
 * 3. the **target**, when something waits and it commits nothing, or when it works 80% of the time or more;
 * 4. the **buffer** (reading and decoding in the engine), when the engine uses 90% of a core or more: it is what is slow, whoever waits;
 * 5. the **queue**, when it is half full or more and the target is known to work less than half of the time: batches wait
 *    for each other; with a target of which that is not known, it is the **target** that does not empty the queue;
 * 6. the **target**, when the source had to wait a fifth of the time or more, as nothing else makes it wait;
 * 7. the **buffer**, when it is half full while no batch waits: a large transaction is being gathered;
 * 8. else the **source**: nothing waits here, so it does not send, or the line to it does not carry, more.
 */
export function bottleneckOf(evidence: StageEvidence): StageName | undefined {
  const { state, silent, paused, connected, busy, core, queueShare, blocked, waiting } = evidence;
  if (silent || paused || state === 'caught up' || state === 'following') return undefined;
  if (connected === false) return 'source';
  if (evidence.stuck || (busy ?? 0) >= BUSY) return 'target';
  if ((core ?? 0) >= CORE_FULL) return 'buffer';
  if ((queueShare ?? 0) >= FULL) return busy !== undefined && busy < 0.5 ? 'queue' : 'target';
  if ((blocked ?? 0) >= BLOCKED) return 'target';
  if (!waiting && (bufferShare(evidence) ?? 0) >= FULL) return 'buffer';
  return 'source';
}

/** The stages in the order that changes pass them, each with what it does now. */
export function stagesOf(evidence: StageEvidence): StageReading[] {
  const bottleneck = bottleneckOf(evidence);
  const stage = (name: StageName, text: string, load: number | undefined): StageReading => ({
    name,
    text,
    load: load === undefined ? undefined : Math.min(1, Math.max(0, load)),
    bottleneck: name === bottleneck,
  });
  const { core, buffered, waiting, busy } = evidence;
  const working = core !== undefined && core >= CORE_FULL ? ', engine at its limit' : '';
  return [
    stage('source', sourceText(evidence), undefined),
    stage(
      'buffer',
      buffered === undefined ? '-' : `${formatBytes(buffered)} held${fullText(bufferShare(evidence))}${working}`,
      bufferShare(evidence),
    ),
    stage('queue', queueText(waiting) + fullText(evidence.queueShare), evidence.queueShare),
    stage('target', busy === undefined ? `writes ${formatRate(evidence.rowsPerSecond)}` : busyText(busy), busy),
  ];
}

function sourceText({ connected, bytesPerSecond, changesPerSecond, blocked }: StageEvidence): string {
  if (connected === false) return 'not connected';
  if ((blocked ?? 0) >= FULL) return 'made to wait';
  if (bytesPerSecond !== undefined) return `reads ${formatBytes(bytesPerSecond)}/s`;
  return `reads ${formatRate(changesPerSecond)}`;
}

function queueText(waiting: number | undefined): string {
  if (waiting === undefined) return '-';
  if (waiting === 0) return 'empty';
  return waiting === 1 ? '1 batch' : `${waiting} batches`;
}

function busyText(busy: number): string {
  return `${Math.min(100, Math.round(100 * busy))}% busy`;
}

/** Only what is worth a look. */
function fullText(share: number | undefined): string {
  return share === undefined || share < 0.1 ? '' : `, ${Math.min(100, Math.round(100 * share))}%`;
}

function bufferShare({ buffered, bufferLimit }: StageEvidence): number | undefined {
  return buffered === undefined || bufferLimit === undefined ? undefined : buffered / bufferLimit;
}
