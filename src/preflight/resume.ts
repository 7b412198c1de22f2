import { formatDuration } from '../config/duration.ts';
import { formatBytes, formatCount } from '../terminal/format.ts';
import type { CheckResult } from './check.ts';
import { lookAtAll } from './look.ts';
import type { ResumeConnections, ResumeFacts } from './resume-facts.ts';
import { ResumeInquiry } from './resume-inquiry.ts';
import { resumeLooks } from './resume-looks.ts';
import { describeRefusal } from './resume-refusals.ts';
import type { Backlog, WayOut } from './resume-source.ts';

export type { ResumeConnections, ResumeFacts, WayOut };

/** Whether a replication can go on where it stopped, from what the servers say now. */
export interface Verdict {
  readonly safe: boolean;
  readonly lastRun: string;
  readonly behind: Backlog & { readonly seconds?: number };
  /** Seconds to catch up, at the last known rate. */
  readonly catchUp?: number;
  readonly findings: readonly CheckResult[];
  /** The last run; then how far behind, how long it takes, and whether it is safe. */
  readonly lines: readonly [string, string];
  readonly waysOut: readonly WayOut[];
}

/**
 * Looks at source, target and staging as an engine would at its start, but changes nothing, and says whether the replication
 * can go on without losing or doubling anything. Never rejects for what it finds: everything that stands in the way is a finding.
 * `report` is told what was found as it comes.
 */
export async function resumeVerdict(
  facts: ResumeFacts,
  connections: ResumeConnections,
  report: (line: string) => void = () => {},
): Promise<Verdict> {
  const inquiry = new ResumeInquiry(facts, connections);
  try {
    const tell = ({ title, found }: CheckResult) => report(`${title}: ${found}`);
    const findings = await lookAtAll(resumeLooks(inquiry), inquiry, tell, undefined);
    return await verdictOf(inquiry, findings);
  } finally {
    await inquiry.close();
  }
}

async function verdictOf(inquiry: ResumeInquiry, results: readonly CheckResult[]): Promise<Verdict> {
  const { facts } = inquiry;
  const inTheWay = results.filter(({ severity, state }) => severity === 'blocking' && state !== 'passed');
  const safe = inTheWay.length === 0;
  // What was skipped has its reason among what failed, unless it could not be looked at by itself.
  const failures = inTheWay.filter(({ state }) => state === 'failed');
  const told = failures.length === 0 ? inTheWay : failures;
  const refusals = await Promise.all(told.map(({ code }) => describeRefusal(code, inquiry)));
  const harmOf = new Map(told.map(({ id }, index) => [id, refusals[index].harm]));
  const backlog = await backlogOf(inquiry);
  const seconds =
    facts.lastEnd === undefined ? undefined : Math.max(0, (Date.now() - Date.parse(facts.lastEnd.at)) / 1000);
  const catchUp = timeToCatchUp(backlog, facts);
  const lastRun = describeRun(facts);
  const reasons = told.map(({ found, id }) => `${found}. ${harmOf.get(id)}`);
  return {
    safe,
    lastRun,
    behind: { ...backlog, ...(seconds !== undefined && { seconds }) },
    ...(catchUp !== undefined && { catchUp }),
    findings: results.map((result) => ({ ...result, why: harmOf.get(result.id) ?? result.why })),
    lines: [lastRun, safe ? safeLine(backlog, catchUp) : `not safe: ${[...new Set(reasons)].join(' ')}`],
    waysOut: distinct(refusals.flatMap(({ waysOut }) => waysOut)),
  };
}

/** What has to be read; empty when the source does not say. */
async function backlogOf({ source, target }: ResumeInquiry): Promise<Backlog> {
  const { checkpoint } = await target.progress().catch(() => ({ checkpoint: undefined }));
  return await source.backlog(checkpoint).catch(() => ({}));
}

/** Seconds, at the rate that was seen last; undefined where that is not known. */
function timeToCatchUp({ bytes, transactions }: Backlog, facts: ResumeFacts): number | undefined {
  if (bytes !== undefined && facts.bytesPerSecond) return bytes / facts.bytesPerSecond;
  if (transactions !== undefined && facts.transactionsPerSecond) return transactions / facts.transactionsPerSecond;
  return undefined;
}

function distinct(waysOut: readonly WayOut[]): WayOut[] {
  return [...new Map(waysOut.map((way) => [way.label, way])).values()];
}

function describeRun({ lastStart, lastEnd }: ResumeFacts): string {
  if (lastStart === undefined) return 'It has never run.';
  const since = shortTime(lastStart);
  return lastEnd === undefined
    ? `Last run: from ${since}.`
    : `Last run: from ${since} to ${shortTime(Date.parse(lastEnd.at))}; ${lastEnd.why}.`;
}

function shortTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function safeLine({ bytes, transactions }: Backlog, catchUp: number | undefined): string {
  const behind =
    bytes !== undefined
      ? `: ${formatBytes(bytes)} of log behind`
      : transactions !== undefined
        ? `: ${formatCount(transactions)} ${transactions === 1 ? 'transaction' : 'transactions'} behind`
        : '';
  const time =
    catchUp === undefined ? '' : `, about ${formatDuration(Math.max(1, Math.round(catchUp)) * 1000)} to catch up`;
  return `safe${behind}${time}`;
}
