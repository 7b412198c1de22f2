import type { Answers, Replication } from '../../../src/sessions/replication.ts';
import type { SetupSession } from '../../../src/wizard/setup-machine.ts';

/** A setup whose answers are kept in memory; for steps that neither connect nor save by themselves. */
export function sessionOf(replication: Replication): SetupSession & { replication: Replication } {
  const session = {
    replication,
    change(answers: Partial<Answers>) {
      session.replication = { ...session.replication, answers: { ...session.replication.answers, ...answers } };
    },
  };
  return session as SetupSession & { replication: Replication };
}
