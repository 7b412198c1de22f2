import { VERSION } from '../config/build.ts';
import type { CheckSide } from '../preflight/check.ts';
import { Screen } from '../terminal/screen.tsx';
import type { ConnectionKeeper } from './connection-keeper.ts';
import { ConnectionPage } from './steps/connection.tsx';
import { whenItCounts } from './when-it-counts.ts';

export interface EditConnectionProps {
  readonly keeper: ConnectionKeeper;
  readonly side: CheckSide;
  /** True while its engine runs: what is changed counts from its next start on. */
  readonly running: boolean;
  /** `news` says what was saved, if anything. */
  onLeave(news?: string): void;
}

/** Another connection for a replication that has been launched: another password, another host. Saved once it works. */
export function EditConnection({ keeper, side, running, onLeave }: EditConnectionProps) {
  const { name } = keeper.replication;
  return (
    <Screen title={`Connection of ${name} to its ${side}`} status={`Instar ${VERSION}`}>
      <ConnectionPage
        keeper={keeper}
        side={side}
        onNext={() => onLeave(`${name}: connection to the ${side} saved; counts ${whenItCounts(running)}`)}
        onBack={() => onLeave()}
      />
    </Screen>
  );
}
