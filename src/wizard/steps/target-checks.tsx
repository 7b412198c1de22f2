import { useMemo, useState } from 'react';
import type { CheckResult } from '../../preflight/check.ts';
import { kitOf } from '../../sessions/source-kits.ts';
import { ChecksView } from '../checks-view.tsx';
import type { StepProps } from '../setup-machine.ts';
import { setupOf } from '../source-setups.ts';
import { stagingSchemaOf } from '../things.ts';

/**
 * Fifth step, last page: whether the target can take what the source will send, table by table; and, now that it is known what
 * is to be sent, whether anything at the source keeps it from being sent.
 */
export function TargetChecksStep({ session, onNext, onBack }: StepProps) {
  const { servers } = session;
  const { answers } = session.replication;
  const { tables = 'all' } = answers;
  const atSource = { ...kitOf(answers.kind).wishes(answers, false), tables };
  const planned = useMemo(() => servers.plannedTargetChecks(tables), [servers, tables]);
  const [connections] = useState(() => ({
    source: session.connection('source'),
    target: session.connection('target'),
  }));
  const wishes = {
    ...atSource,
    targetSchema: answers.targetSchema ?? '',
    stagingSchema: stagingSchemaOf(answers),
    userscript: answers.options?.userscript,
    source: connections.source,
  };
  return (
    <ChecksView
      planned={planned}
      run={async (report, signal) => {
        const [target, source] = await Promise.all([
          servers.checkTarget(connections.target, wishes, report, signal),
          servers.checkSource(connections.source, atSource, () => {}, signal),
        ]);
        return [...target, ...stillWrong(source)];
      }}
      fix={(fix) => session.runFix(fix)}
      intro={setupOf(answers.kind).existingRows(answers)}
      onNext={onNext}
      onBack={onBack}
    />
  );
}

/** What has to be put right at the source: its checks were seen before the tables, the publication and the slot were chosen. */
function stillWrong(results: readonly CheckResult[]): CheckResult[] {
  return results
    .filter(({ severity, state }) => severity === 'blocking' && state !== 'passed')
    .map((result) => ({ ...result, title: `source: ${result.title}` }));
}
