import { Box } from 'ink';
import { Choice } from '../terminal/confirm.tsx';
import { clean } from '../terminal/format.ts';
import { Prose } from '../terminal/prose.tsx';
import type { SetupSession } from './setup-machine.ts';
import { whatExists } from './what-exists.ts';

interface LeaveProps {
  readonly session: SetupSession;
  onAnswer(answer: 'stay' | 'keep' | 'forget'): void;
}

/** Lines of the list of what was made, at most. */
const MOST = 6;

/** The question before the setup is left: says what exists on which server because of it. */
export function Leave({ session, onAnswer }: LeaveProps) {
  const { name } = session.replication;
  const lines = whatExists(session);
  return (
    <Choice
      question={`Leave the setup of ${name}?`}
      detail={
        <Box flexDirection="column" flexShrink={0}>
          {lines.slice(0, MOST).map((line) => (
            <Prose key={line} text={clean(line)} />
          ))}
          {lines.length > MOST && <Prose text={`and ${lines.length - MOST} more`} />}
        </Box>
      }
      items={[
        { value: 'stay', label: 'stay here' },
        { value: 'keep', label: 'leave, keep the answers', hint: 'it goes on at this step' },
        { value: 'forget', label: 'leave, forget the answers', hint: 'servers stay as they are' },
      ]}
      onAnswer={(answer) => onAnswer(answer === 'keep' || answer === 'forget' ? answer : 'stay')}
    />
  );
}
