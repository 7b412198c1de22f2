import process from 'node:process';
import { SecretsFile } from '../sessions/secrets.ts';
import { ReplicationStore } from '../sessions/store.ts';
import { runApp } from '../terminal/app.tsx';
import { App } from './app.tsx';
import type { First, Parting } from './places.ts';

/**
 * Shows the wizard on the process's own terminal until it is left; resolves to the exit status. What is to be known afterwards
 * is written to the terminal when it has been restored, also after Ctrl-C or a signal, which end the process with their own status.
 * @throws OperatorError SESSION_FOLDER, SECRETS_UNSAFE
 */
export async function openApp({ env }: { readonly env: NodeJS.ProcessEnv }, first: First): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const store = ReplicationStore.open(env);
  const secrets = SecretsFile.open(env);
  let parting: Parting = { lines: () => [], close: () => {} };
  const tell = (lines: readonly string[]) => {
    for (const line of lines) stdout.write(`${line}\n`);
  };
  const element = (
    <App
      store={store}
      secrets={secrets}
      env={env}
      first={first}
      onPlace={(next) => {
        parting = next;
      }}
    />
  );
  const lines = await runApp<readonly string[]>(element, {
    stdin,
    stdout,
    stderr,
    env,
    onSignal() {
      tell(parting.lines());
      parting.close();
    },
  });
  tell(lines ?? []);
  return 0;
}
