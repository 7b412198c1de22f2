import { OperatorError } from '../errors.ts';
import { checkpointKey, KIND } from '../sources/oracle/checkpoint-key.ts';
import { rows } from '../sources/oracle/connection.ts';
import { checkStart, readIdentity } from '../sources/oracle/identity.ts';
import { parseScnPosition } from '../sources/oracle/position.ts';
import { sourceTable } from '../sources/oracle/source-table.ts';
import { offsetOf } from './clock-offset.ts';
import { failedBy, once, type Outcome, passed } from './look.ts';
import type { OracleSourceFacts } from './oracle-source-facts.ts';
import type { EarlierProgress, SourceInquiry } from './source-inquiry.ts';

/** Seconds since the epoch by the clock of the database host. */
export const HOST_CLOCK = `SELECT TO_CHAR((CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS DATE) - DATE '1970-01-01') * 86400 + TO_NUMBER(TO_CHAR(SYSTIMESTAMP, 'FF3')) / 1000) FROM DUAL`;

/** What the checks of a target ask of an Oracle source. */
export function oracleInquiry(facts: OracleSourceFacts): SourceInquiry {
  const { start } = facts.oracle;
  return {
    kind: KIND,
    checkpointKey,
    connection: facts.connection,
    tables: once(async () => (await facts.tables()).filter(({ problem }) => problem === undefined).map(sourceTable)),
    filled: once(async () =>
      (await facts.tables())
        .filter(({ rows }) => rows !== 0)
        .map(({ owner, name, rows }) => ({ table: { schema: owner, name }, rows: rows ?? 0 })),
    ),
    clockOffset: once(() =>
      facts.line.ask(({ mining }) =>
        offsetOf(async () => {
          const [[seconds]] = await rows<readonly [string]>(mining, HOST_CLOCK);
          return Number(seconds);
        }),
      ),
    ),
    begins: start === undefined ? 'where --scn says' : `after SCN ${start}`,
    loading: {
      expected: 'the same rows on both sides as of the SCN that it begins with',
      text: 'Copy the rows by something that tells the SCN of its copy (MOLT Fetch, expdp with FLASHBACK_SCN), and begin with that SCN: what was changed since is applied on top.',
    },
    lookAtProgress: (progress) => lookAtProgress(facts, progress),
    close: () => facts.close(),
  };
}

/** A checkpoint and SCN flags together are refused: the start would be a resume. */
async function lookAtProgress(
  facts: OracleSourceFacts,
  { checkpoint, identity: stored }: EarlierProgress,
): Promise<Outcome> {
  try {
    await facts.line.ask(async ({ mining, tables }) => {
      const identity = await readIdentity(mining, tables, facts.oracle.schema);
      await checkStart(mining, parseScnPosition(checkpoint), identity, stored);
    });
    return passed(`${checkpoint}: the start will be a resume from there, without --scn`);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return failedBy(error, `${checkpoint}: ${error.message}`, 'source');
  }
}
