import { useMemo, useState } from 'react';
import { ChecksView } from '../checks-view.tsx';
import type { StepProps } from '../setup-machine.ts';
import { stagingSchemaOf } from '../things.ts';

/** Fifth step, last page: whether the target can take what the source will send, table by table. */
export function TargetChecksStep({ session, onNext, onBack }: StepProps) {
  const { servers } = session;
  const { answers } = session.replication;
  const tables = answers.tables ?? 'all';
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
      run={(report, signal) => servers.checkTarget(connections.target, wishes, report, signal)}
      fix={(fix) => session.runFix(fix)}
      intro="Existing rows are not copied: only what changes from the launch on is."
      onNext={onNext}
      onBack={onBack}
    />
  );
}
