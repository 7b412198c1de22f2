import { cancelled, launch } from '../../sessions/launch.ts';
import { LaunchView } from '../launch-view.tsx';
import type { StepProps } from '../setup-machine.ts';
import { setupOf } from '../source-setups.ts';

/** Eighth step: makes what is needed at the source, starts the engine, and goes on to the dashboard. */
export function LaunchStep({ session, onNext, onBack }: StepProps) {
  const { replication, store, secrets, env } = session;
  const { name } = replication;
  const left = () => {
    const made = cancelled(store.get(name) ?? replication);
    return made.length === 0
      ? ['Nothing that was created is left on either server.']
      : [`On the servers: ${made.join('; ')}. Another try uses it.`];
  };
  return (
    <LaunchView
      launch={(report) => launch(name, { store, secrets, env, report })}
      left={left}
      begun={({ made, answers }) => setupOf(answers.kind).launched(made, answers)}
      onRunning={onNext}
      onBack={onBack}
    />
  );
}
