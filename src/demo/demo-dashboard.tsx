import process from 'node:process';
import { useEffect } from 'react';
import { Dashboard } from '../dashboard/dashboard.tsx';
import { Poller } from '../dashboard/poller.ts';
import { runApp, useExit } from '../terminal/app.tsx';
import { useKeys } from '../terminal/key-bindings.tsx';

interface Watched {
  readonly endpoint: string;
  readonly logFile: string;
}

/** Shows the demo's replicator on the dashboard until `q` or Ctrl-C is pressed, or `end` aborts. */
export async function watchOnDashboard({ endpoint, logFile }: Watched, end: AbortSignal): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const poller = new Poller(endpoint);
  await runApp(<DemoDashboard poller={poller} logFile={logFile} end={end} />, { stdin, stdout, stderr, env });
}

function DemoDashboard({ poller, logFile, end }: { poller: Poller; logFile: string; end: AbortSignal }) {
  const exit = useExit();
  useEffect(() => {
    const leave = () => exit();
    if (end.aborted) leave();
    end.addEventListener('abort', leave);
    return () => end.removeEventListener('abort', leave);
  }, [end, exit]);
  // The end is not a crash: what is in hand is drained, and both sides are compared.
  useKeys([{ keys: ['ctrl+c'], label: 'drain and compare', run: () => exit(), footer: false }]);
  return <Dashboard poller={poller} title="Demo: a shop" logFile={logFile} onLeave={() => exit()} />;
}
