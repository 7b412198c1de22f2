import { useRef } from 'react';
import { cancelled, launch } from '../../sessions/launch.ts';
import { LaunchView } from '../launch-view.tsx';
import type { StepProps } from '../setup-machine.ts';
import { stagingSchemaOf } from '../things.ts';

/** Eighth step: makes what is needed at the source, starts the engine, and goes on to the dashboard. */
export function LaunchStep({ session, onNext, onBack }: StepProps) {
  const { replication, store, secrets, env } = session;
  const { name } = replication;
  const engineBegan = useRef(false);
  const left = () => {
    const saved = store.get(name) ?? replication;
    const made = cancelled(saved);
    return [
      made.length === 0
        ? 'Nothing that was created is left at the source.'
        : `Left on the servers: ${made.join('; ')}. Another try uses it.`,
      ...(engineBegan.current
        ? [`On the target the engine may have created the staging schema ${stagingSchemaOf(saved.answers)}.`]
        : []),
    ];
  };
  return (
    <LaunchView
      launch={async (report) => {
        engineBegan.current = false;
        return await launch(name, {
          store,
          secrets,
          env,
          report: (step) => {
            engineBegan.current ||= step.id === 'engine';
            report(step);
          },
        });
      }}
      left={left}
      onRunning={onNext}
      onBack={onBack}
    />
  );
}
