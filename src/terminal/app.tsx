import { once } from 'node:events';
import process from 'node:process';
import { type Instance, render, useApp } from 'ink';
import { type ReactNode, useRef } from 'react';
import { FailureBoundary, useThrow } from './failure.tsx';
import { KeyProvider, useKeyRegistry, useKeys } from './key-bindings.tsx';
import { OneKeyInput, type TerminalInput } from './one-key-input.ts';
import { ThemeContext, themeFrom } from './theme.ts';
import { ToastProvider, useToast } from './toast.tsx';

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface AppStreams {
  readonly stdin: TerminalInput;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
}

export interface AppOptions extends AppStreams {
  /** Told of Ctrl-C ('SIGINT') and of signals when the terminal has been restored; the process ends when it is done, or after 3 s. */
  onSignal?(signal: Signal): void | Promise<void>;
}

const STATUS: Readonly<Record<Signal, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
/** How long the end waits for what `onSignal` does, in milliseconds. */
const PATIENCE = 3000;
/** A terminal that has nobody to stop it for (no job control) goes on after this time, in milliseconds. */
const STOPPING = 300;

/** True when somebody sits at both ends: a terminal that can draw, and no automation. */
export function isInteractive({
  stdin,
  stdout,
  env,
}: Pick<AppStreams, 'env'> & { stdin: { isTTY?: boolean }; stdout: { isTTY?: boolean } }): boolean {
  const automated = env.CI !== undefined && !/^(|0|false)$/.test(env.CI);
  return stdin.isTTY === true && stdout.isTTY === true && env.TERM !== 'dumb' && !automated;
}

/**
 * Shows `element` on the whole terminal until something calls what `useExit` gives, and resolves to the value given to it. Ctrl-C
 * and signals end the process, with the exit status that a shell expects (130, 143, 129); Ctrl-Z stops it, Ctrl-L draws anew. The
 * terminal is restored in every case. Rejects with an error given to `useExit`'s function, or thrown where nothing could catch it.
 */
export async function runApp<T>(element: ReactNode, options: AppOptions): Promise<T | undefined> {
  const { stdout, stderr, env } = options;
  const theme = themeFrom(env);
  const stdin = new OneKeyInput(options.stdin);
  let ended: Signal | undefined;
  const end = (signal: Signal) => {
    ended ??= signal;
    app.unmount();
  };
  const app = render(<Root element={element} env={env} onInterrupt={() => end('SIGINT')} />, {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout,
    stderr,
    interactive: true,
    alternateScreen: !theme.screenReader,
    incrementalRendering: true,
    maxFps: 20,
    exitOnCtrlC: false,
    patchConsole: true,
    isScreenReaderEnabled: theme.screenReader,
  });
  stdin.rendered = () => app.waitUntilRenderFlush();
  const stopListening = listen(end, app);
  try {
    const value = await app.waitUntilExit();
    if (ended === undefined) return value as T | undefined;
  } finally {
    stopListening();
  }
  await Promise.race([options.onSignal?.(ended), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  process.exit(STATUS[ended]);
}

/** Ends the app: runApp resolves to `value`, or rejects with it when it is an Error. */
export function useExit(): (value?: unknown) => void {
  const { exit } = useApp();
  return (value) => exit(value);
}

function listen(end: (signal: Signal) => void, app: Instance): () => void {
  const handlers = Object.keys(STATUS).map((name) => {
    const signal = name as Signal;
    const handler = () => end(signal);
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  // Ink restores the terminal when an error ends the process, but the report would be written before that, and be lost with the screen.
  const fail = (error: unknown) => app.unmount(error instanceof Error ? error : new Error(String(error)));
  process.on('uncaughtException', fail);
  return () => {
    for (const remove of handlers) remove();
    process.off('uncaughtException', fail);
  };
}

interface RootProps {
  readonly element: ReactNode;
  readonly env: NodeJS.ProcessEnv;
  onInterrupt(): void;
}

/** What surrounds every screen: theme, keys, messages, and a net for failures. */
export function Root({ element, env, onInterrupt }: RootProps) {
  const { exit } = useApp();
  const failed = useRef<(error: unknown) => void>(undefined);
  return (
    <ThemeContext value={themeFrom(env)}>
      <KeyProvider onError={(error) => failed.current?.(error)}>
        <ToastProvider>
          <TerminalKeys onInterrupt={onInterrupt} />
          <FailureBoundary onLeave={(error) => exit(error instanceof Error ? error : new Error(String(error)))}>
            <Thrower failed={failed}>{element}</Thrower>
          </FailureBoundary>
        </ToastProvider>
      </KeyProvider>
    </ThemeContext>
  );
}

function Thrower({
  failed,
  children,
}: {
  failed: { current: ((error: unknown) => void) | undefined };
  children: ReactNode;
}) {
  failed.current = useThrow();
  return children;
}

function TerminalKeys({ onInterrupt }: { onInterrupt(): void }) {
  const { suspendTerminal } = useApp();
  const registry = useKeyRegistry();
  const tell = useToast();
  const suspended = useRef(false);
  registry.onDisabled = (reason) => tell(reason, 'warning');
  const suspend = async (meanwhile: () => Promise<void>) => {
    if (suspended.current) return;
    suspended.current = true;
    try {
      await suspendTerminal(meanwhile);
    } finally {
      suspended.current = false;
    }
  };
  useKeys(
    [
      { keys: ['ctrl+c'], label: 'quit at once', footer: false, run: onInterrupt },
      { keys: ['ctrl+l'], label: 'draw the screen anew', footer: false, run: () => void suspend(async () => {}) },
      { keys: ['ctrl+z'], label: 'back to the shell', footer: false, run: () => void suspend(stopped) },
    ],
    { scope: 'global' },
  );
  return null;
}

/** Stops the whole foreground group, as a shell expects; resolves when it goes on. */
async function stopped(): Promise<void> {
  const ended = new AbortController();
  const resumed = once(process, 'SIGCONT', { signal: ended.signal }).catch(() => {});
  process.kill(0, 'SIGTSTP');
  await Promise.race([resumed, new Promise((resolve) => setTimeout(resolve, STOPPING))]);
  ended.abort();
}
