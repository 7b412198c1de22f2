import { useMemo, useState } from 'react';
import type { CheckResult } from '../../preflight/check.ts';
import { ChecksView } from '../checks-view.tsx';
import type { StepProps } from '../setup-machine.ts';
import { stagingSchemaOf } from '../things.ts';

/**
 * Fifth step, last page: whether the target can take what the source will send, table by table; and, now that it is known what
 * is to be sent, whether anything at the source keeps it from being sent.
 */
export function TargetChecksStep({ session, onNext, onBack }: StepProps) {
  const { servers } = session;
  const { answers } = session.replication;
  const { publication, slot, tables = 'all' } = answers;
  const planned = useMemo(() => servers.plannedTargetChecks(tables), [servers, tables]);
  const [connections] = useState(() => ({
    source: session.connection('source'),
    target: session.connection('target'),
  }));
  const wishes = {
    targetSchema: answers.targetSchema ?? '',
    stagingSchema: stagingSchemaOf(answers),
    source: connections.source,
    tables,
  };
  return (
    <ChecksView
      planned={planned}
      run={async (report, signal) => {
        const [target, source] = await Promise.all([
          servers.checkTarget(connections.target, wishes, report, signal),
          servers.checkSource(connections.source, { publication, slot, tables }, () => {}, signal),
        ]);
        return [...target, ...stillWrong(source)];
      }}
      fix={(fix) => session.runFix(fix)}
      intro="Existing rows are not copied: only what changes from the launch on is."
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
