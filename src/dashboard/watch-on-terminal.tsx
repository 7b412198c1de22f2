import process from 'node:process';
import { runApp, useExit } from '../terminal/app.tsx';
import { themeFrom } from '../terminal/theme.ts';
import { Dashboard } from './dashboard.tsx';
import type { Poller } from './poller.ts';
import { ReplayBar } from './replay-bar.tsx';
import { ReplayPlayer } from './replay-player.ts';
import type { Replay } from './replay.ts';

/** Shows the dashboard, as one who only looks, until it is left. False, with nothing shown, where a screen reader listens. */
export async function watchOnTerminal(watched: Poller | Replay, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (themeFrom(env).screenReader) return false;
  const { stdin, stdout, stderr } = process;
  const view = 'history' in watched ? <Replayed player={new ReplayPlayer(watched)} /> : <Watch poller={watched} />;
  await runApp(view, { stdin, stdout, stderr, env });
  return true;
}

function Replayed({ player }: { player: ReplayPlayer }) {
  const exit = useExit();
  const title = `${player.getState().endpoint}, replayed`;
  return <Dashboard poller={player} title={title} heading={<ReplayBar player={player} />} onLeave={() => exit()} />;
}

function Watch({ poller }: { poller: Poller }) {
  const exit = useExit();
  return <Dashboard poller={poller} title={poller.getState().endpoint} onLeave={() => exit()} />;
}
