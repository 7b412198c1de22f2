import { useMemo, useState } from 'react';
import { ChecksView } from '../checks-view.tsx';
import type { StepProps } from '../setup-machine.ts';

/** Third step: whether the source can be replicated from, looked at while the operator looks on. */
export function SourceChecksStep({ session, onNext, onBack }: StepProps) {
  const { servers } = session;
  const planned = useMemo(() => servers.plannedSourceChecks(), [servers]);
  const [source] = useState(() => session.connection('source'));
  const { publication, slot, tables } = session.replication.answers;
  return (
    <ChecksView
      planned={planned}
      run={(report, signal) => servers.checkSource(source, { publication, slot, tables }, report, signal)}
      fix={(fix) => session.runFix(fix)}
      onNext={onNext}
      onBack={onBack}
    />
  );
}
