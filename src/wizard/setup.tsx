import { type ComponentType, lazy, Suspense, useEffect, useState } from 'react';
import { errorText } from '../log/log-error.ts';
import type { Replication } from '../sessions/replication.ts';
import { useKeys } from '../terminal/key-bindings.tsx';
import { Screen } from '../terminal/screen.tsx';
import { Busy } from '../terminal/spinner.tsx';
import { useToast } from '../terminal/toast.tsx';
import { Leave } from './leave.tsx';
import {
  type Page,
  pageAfter,
  pageBefore,
  pageToOpen,
  type SetupSession,
  type StepProps,
  STEPS,
  stepOf,
} from './setup-machine.ts';

export interface SetupProps {
  readonly session: SetupSession;
  /** It is launched. */
  onDone(replication: Replication): void;
  /** The operator has left; what was answered is saved, unless it was to be forgotten. */
  onCancel(): void;
}

/** Pages are loaded when they are come to. */
const STEP_OF_PAGE: Readonly<Record<Page, ComponentType<StepProps>>> = {
  kind: lazy(async () => ({ default: (await import('./steps/kind.tsx')).KindStep })),
  source: lazy(async () => ({ default: (await import('./steps/connection.tsx')).SourceStep })),
  owner: lazy(async () => ({ default: (await import('./steps/owner.tsx')).OwnerStep })),
  checks: lazy(async () => ({ default: (await import('./steps/source-checks.tsx')).SourceChecksStep })),
  tables: lazy(async () => ({ default: (await import('./steps/tables.tsx')).TablesStep })),
  slot: lazy(async () => ({ default: (await import('./steps/slot.tsx')).SlotStep })),
  start: lazy(async () => ({ default: (await import('./steps/start.tsx')).StartStep })),
  scn: lazy(async () => ({ default: (await import('./steps/scn.tsx')).ScnStep })),
  target: lazy(async () => ({ default: (await import('./steps/connection.tsx')).TargetStep })),
  'target schema': lazy(async () => ({ default: (await import('./steps/target-schema.tsx')).TargetSchemaStep })),
  'target checks': lazy(async () => ({ default: (await import('./steps/target-checks.tsx')).TargetChecksStep })),
  options: lazy(async () => ({ default: (await import('./steps/options.tsx')).OptionsStep })),
  review: lazy(async () => ({ default: (await import('./steps/review.tsx')).ReviewStep })),
  launch: lazy(async () => ({ default: (await import('./steps/launch.tsx')).LaunchStep })),
};

/** The setup of a replication, step by step; goes on where it was left. */
export function Setup({ session, onDone, onCancel }: SetupProps) {
  const tell = useToast();
  const [page, setPage] = useState(() => pageToOpen(session.replication, (side) => isUsable(session, side)));
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    session.onTrouble = (error) => tell(errorText(error).split('\n', 1)[0], 'danger');
    return () => session.close();
  }, [session, tell]);

  const open = (next: Page) => {
    session.open(next);
    setPage(next);
  };
  const onNext = () => {
    // The page that has just been answered may have changed the kind.
    const next = pageAfter(page, session.replication.answers.kind);
    if (next !== undefined) return open(next);
    session.close();
    onDone(session.store.get(session.replication.name) ?? session.replication);
  };
  const onBack = () => {
    const before = pageBefore(page, session.replication.answers.kind);
    if (before === undefined) setLeaving(true);
    else open(before);
  };
  const leave = (answer: 'stay' | 'keep' | 'forget') => {
    setLeaving(false);
    if (answer === 'stay') return;
    if (answer === 'forget') session.forget();
    else session.close();
    onCancel();
  };
  const Step = STEP_OF_PAGE[page];
  return (
    <Screen
      title={`Set up ${session.replication.name}`}
      trail={STEPS}
      current={stepOf(page)}
      status="answers are saved"
    >
      <LeaveKey onLeave={() => setLeaving(true)} />
      <Suspense fallback={<Busy label="opening" />}>
        <Step key={page} session={session} onNext={onNext} onBack={onBack} />
      </Suspense>
      {leaving && <Leave session={session} onAnswer={leave} />}
    </Screen>
  );
}

/** Bound apart from the steps, so that it stands behind theirs in the footer. */
function LeaveKey({ onLeave }: { onLeave(): void }) {
  useKeys([{ keys: ['ctrl+x'], label: 'leave', run: onLeave }], { scope: 'screen' });
  return null;
}

function isUsable(session: SetupSession, side: 'source' | 'target'): boolean {
  try {
    session.connection(side);
    return true;
  } catch {
    return false;
  }
}
