import process from 'node:process';
import { runApp, useExit } from '../terminal/app.tsx';
import { themeFrom } from '../terminal/theme.ts';
import { Dashboard } from './dashboard.tsx';
import type { Poller } from './poller.ts';

/** Shows the dashboard, as one who only looks, until it is left. False, with nothing shown, where a screen reader listens. */
export async function watchOnTerminal(poller: Poller, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (themeFrom(env).screenReader) return false;
  const { stdin, stdout, stderr } = process;
  await runApp(<Watch poller={poller} />, { stdin, stdout, stderr, env });
  return true;
}

function Watch({ poller }: { poller: Poller }) {
  const exit = useExit();
  return <Dashboard poller={poller} title={poller.getState().endpoint} onLeave={() => exit()} />;
}
