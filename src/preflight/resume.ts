import { formatDuration } from '../config/duration.ts';
import { Lsn } from '../sources/postgres/lsn.ts';
import { formatBytes } from '../terminal/format.ts';
import type { CheckResult } from './check.ts';
import { lookAtAll } from './look.ts';
import { type ResumeConnections, type ResumeFacts, ResumeInquiry } from './resume-facts.ts';
import { RESUME_LOOKS } from './resume-looks.ts';
import { describeRefusal, type WayOut } from './resume-refusals.ts';

export type { ResumeConnections, ResumeFacts, WayOut };

/** Whether a replication can go on where it stopped, from what the servers say now. */
export interface Verdict {
  readonly safe: boolean;
  readonly lastRun: string;
  readonly behind: { readonly bytes?: number; readonly seconds?: number };
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
    const findings = await lookAtAll(RESUME_LOOKS, inquiry, tell, undefined);
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
  const bytes = await bytesBehind(inquiry);
  const seconds =
    facts.lastEnd === undefined ? undefined : Math.max(0, (Date.now() - Date.parse(facts.lastEnd.at)) / 1000);
  const catchUp = bytes === undefined || !facts.bytesPerSecond ? undefined : bytes / facts.bytesPerSecond;
  const lastRun = describeRun(facts);
  const reasons = told.map(({ found, id }) => `${found}. ${harmOf.get(id)}`);
  return {
    safe,
    lastRun,
    behind: { ...(bytes !== undefined && { bytes }), ...(seconds !== undefined && { seconds }) },
    ...(catchUp !== undefined && { catchUp }),
    findings: results.map((result) => ({ ...result, why: harmOf.get(result.id) ?? result.why })),
    lines: [lastRun, safe ? safeLine(bytes, catchUp) : `not safe: ${[...new Set(reasons)].join(' ')}`],
    waysOut: distinct(refusals.flatMap(({ waysOut }) => waysOut)),
  };
}

/** Log that has to be read; undefined when the source does not say. */
async function bytesBehind({ slot, target }: ResumeInquiry): Promise<number | undefined> {
  const found = await slot().catch(() => undefined);
  if (found?.confirmed === undefined) return undefined;
  const { checkpoint } = await target.progress().catch(() => ({ checkpoint: undefined }));
  // The slot may not have heard of what was committed last.
  const reached = checkpoint === undefined ? found.confirmed : Lsn.parse(checkpoint);
  const distances = [found.confirmed, reached].map(({ value }) => Number(found.current.value - value));
  return Math.max(0, Math.min(...distances));
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

function safeLine(bytes: number | undefined, catchUp: number | undefined): string {
  const behind = bytes === undefined ? '' : `: ${formatBytes(bytes)} of log behind`;
  const time =
    catchUp === undefined ? '' : `, about ${formatDuration(Math.max(1, Math.round(catchUp)) * 1000)} to catch up`;
  return `safe${behind}${time}`;
}
