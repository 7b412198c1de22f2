import { useMemo, useState } from 'react';
import { kitOf } from '../../sessions/source-kits.ts';
import { ChecksView } from '../checks-view.tsx';
import type { StepProps } from '../setup-machine.ts';

/** Third step: whether the source can be replicated from, looked at while the operator looks on. */
export function SourceChecksStep({ session, onNext, onBack }: StepProps) {
  const { servers } = session;
  const [source] = useState(() => session.connection('source'));
  const planned = useMemo(() => servers.plannedSourceChecks(source), [servers, source]);
  const { answers } = session.replication;
  const wishes = kitOf(answers.kind).wishes(answers, false);
  return (
    <ChecksView
      planned={planned}
      run={(report, signal) => servers.checkSource(source, wishes, report, signal)}
      fix={(fix) => session.runFix(fix)}
      onNext={onNext}
      onBack={onBack}
    />
  );
}
