import { useEffect, useMemo, useRef, useState } from 'react';
import { VERSION } from '../config/build.ts';
import { Poller } from '../dashboard/poller.ts';
import type { Reading } from '../dashboard/reading.ts';
import { errorText } from '../log/log-error.ts';
import { type Saved, stopEngine } from '../sessions/engine-child.ts';
import { checkScript } from '../preflight/script.ts';
import { describeConnections } from '../sessions/connections.ts';
import { retire } from '../sessions/launch.ts';
import type { Replication } from '../sessions/replication.ts';
import { resume } from '../sessions/resume.ts';
import { stateOf } from '../sessions/state.ts';
import { useExit } from '../terminal/app.tsx';
import { Screen } from '../terminal/screen.tsx';
import { Busy } from '../terminal/spinner.tsx';
import { Edit } from './edit.tsx';
import { EditConnection } from './edit-connection.tsx';
import { EditOptions } from './edit-options.tsx';
import { farewell } from './farewell.ts';
import { Home } from './home.tsx';
import type { News } from './home-rows.ts';
import {
  type AfterEdit,
  editedPlace,
  editPlace,
  type First,
  firstPlace,
  forwardPlace,
  knownOf,
  type Parting,
  type Place,
  partingOf,
  placeOf,
} from './places.ts';
import { Remove } from './remove.tsx';
import { ResumeScreen } from './resume-screen.tsx';
import { Setup } from './setup.tsx';
import type { SetupSession } from './setup-machine.ts';
import { openSetup } from './setup-session.ts';
import { Watched } from './watched.tsx';

export interface AppProps extends Saved {
  readonly first: First;
  /** Told of what is to be said should the screen that is shown now be taken away. */
  readonly onPlace?: (parting: Parting) => void;
}

/**
 * Everything that `instar` shows, one screen at a time: home, setup, resume, dashboard, options, removal. Ends with lines for
 * the terminal that is left.
 */
export function App({ store, secrets, env: given, first, onPlace }: AppProps) {
  const exit = useExit();
  // A setup adds what was entered for variables that are not set: it counts as long as this program runs.
  const [env, setEnv] = useState(given);
  const saved = useMemo(() => ({ store, secrets, env }), [store, secrets, env]);
  const [place, setPlace] = useState<Place>(() => firstPlace(first, saved));
  useEffect(() => onPlace?.(partingOf(place, saved)), [place, saved, onPlace]);
  const home = (news?: News) => setPlace({ at: 'home', news });
  const done = (lines: readonly string[], kind: News['kind']) => {
    if (store.list().length === 0) exit(lines);
    else home({ kind, title: lines[0], text: lines.slice(1).join('\n') || undefined });
  };

  const edited = ({ name }: Replication, then: AfterEdit, title?: string) => {
    if (then === 'resume') setPlace(forwardPlace(name, saved));
    else home(title === undefined ? undefined : { kind: 'success', title });
  };

  switch (place.at) {
    case 'home':
      return (
        <Home
          look={() => knownOf(saved)}
          problem={() => store.problem}
          news={place.news}
          read={readNow}
          onResume={(name) => setPlace(forwardPlace(name, saved))}
          onNew={() => setPlace({ at: 'opening setup' })}
          onWatch={(name) => setPlace(placeOf('dashboard', name, saved))}
          onEdit={(name) => setPlace(editPlace(name, 'home', saved))}
          onRemove={(name) => setPlace(placeOf('remove', name, saved))}
          onLeave={() => exit([])}
        />
      );
    case 'opening setup':
      return (
        <Opening
          open={() => openSetup({ ...saved, name: place.name })}
          onOpen={(session) => {
            // A launch begins with a key of the operator's, never by opening what was left in the middle of it.
            if (session.replication.step === 'launch') session.open('review');
            setPlace({ at: 'setup', session });
          }}
          onFailed={(text) => done(['The setup cannot be opened', text], 'danger')}
        />
      );
    case 'setup': {
      const { session } = place;
      return (
        <Setup
          session={session}
          onDone={({ name }) => {
            session.close();
            setEnv(session.env);
            setPlace(placeOf('dashboard', name, saved));
          }}
          onCancel={() => {
            session.close();
            done(farewell(session, store.get(session.replication.name) !== undefined), 'info');
          }}
        />
      );
    }
    case 'resume': {
      const { name } = place;
      return (
        <ResumeScreen
          name={name}
          judge={async (options) => (await resume(name, { ...saved, ...options, dryRun: true })).verdict}
          start={(options) => resume(name, { ...saved, ...options })}
          onRunning={() => setPlace(placeOf('dashboard', name, saved))}
          onEdit={() => setPlace(editPlace(name, 'resume', saved))}
          onRemove={() => setPlace(placeOf('remove', name, saved))}
          onLeave={() => home()}
        />
      );
    }
    case 'dashboard':
      return <Watched replication={place.replication} saved={saved} onLeave={() => home()} />;
    case 'edit': {
      const { replication, then, initial } = place;
      return (
        <Edit
          replication={replication}
          initial={initial}
          onChoose={(what) => setPlace(editedPlace(what, replication, then, saved))}
          onLeave={() => edited(replication, then)}
        />
      );
    }
    case 'edit options': {
      const { replication, then } = place;
      return (
        <EditOptions
          replication={replication}
          running={stateOf(replication) === 'running'}
          checkScript={async (path) => {
            const { target } = describeConnections(replication, saved);
            return await checkScript(path, target, replication.answers.targetSchema ?? '');
          }}
          save={(options) => {
            store.update(replication.name, (now) => ({ ...now, answers: { ...now.answers, options } }));
          }}
          onLeave={(title) =>
            title === undefined
              ? setPlace(editPlace(replication.name, then, saved, 'options'))
              : edited(replication, then, title)
          }
        />
      );
    }
    case 'edit connection': {
      const { keeper, side, then } = place;
      const { replication } = keeper;
      return (
        <EditConnection
          keeper={keeper}
          side={side}
          running={stateOf(replication) === 'running'}
          onLeave={(title) =>
            title === undefined
              ? setPlace(editPlace(replication.name, then, saved, side))
              : edited(replication, then, title)
          }
        />
      );
    }
    case 'remove': {
      const { replication } = place;
      const { name } = replication;
      return (
        <Remove
          replication={replication}
          running={stateOf(replication) === 'running'}
          stop={() => stopEngine(store.get(name) ?? replication, saved)}
          retire={(drops) => retire(name, drops, saved)}
          onRemoved={(title) => done([title], 'success')}
          onLeave={() => home()}
        />
      );
    }
  }
}

/** Begins or reopens a setup, which another wizard may have open. */
function Opening(props: {
  open(): Promise<SetupSession>;
  onOpen(session: SetupSession): void;
  onFailed(text: string): void;
}) {
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    props.open().then(props.onOpen, (error: unknown) => props.onFailed(errorText(error)));
  });
  return (
    <Screen title="Setup" status={`Instar ${VERSION}`}>
      <Busy label="opening the setup" />
    </Screen>
  );
}

/** One look at an engine's endpoints. */
async function readNow(endpoint: string): Promise<Reading> {
  const poller = new Poller(endpoint);
  await poller.look();
  if (poller.reading?.silence === undefined && poller.reading !== undefined) return poller.reading;
  throw new Error(poller.getState().problem);
}
