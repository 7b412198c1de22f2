import { once } from 'node:events';
import process from 'node:process';
import { render, useApp } from 'ink';
import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { FailureBoundary, useThrow } from './failure.tsx';
import { KeyProvider, useKeyRegistry, useKeys } from './key-bindings.tsx';
import { OneKeyInput, type TerminalInput } from './one-key-input.ts';
import { redrawable, redrawOnResize } from './redraw.tsx';
import { ThemeContext, themeFrom } from './theme.ts';
import { ToastProvider, useToast } from './toast.tsx';

export { isInteractive } from './interactive.ts';

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
  let failure: { error: unknown } | undefined;
  const end = (signal: Signal) => {
    ended ??= signal;
    app.unmount();
  };
  const root = (
    <Root element={element} env={env} onInterrupt={() => end('SIGINT')} onRedraw={() => void redrawing.redraw()} />
  );
  const app = render(redrawable(root), {
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
  const redrawing = redrawOnResize(app, root, stdout);
  // Node.js would write its report before Ink leaves the alternate screen, and it would be lost with that.
  const stopListening = listen(end, (error) => {
    failure ??= { error };
    app.unmount();
  });
  try {
    const value = await app.waitUntilExit();
    if (failure !== undefined) throw failure.error;
    if (ended === undefined) return value as T | undefined;
  } finally {
    redrawing.stop();
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

function listen(end: (signal: Signal) => void, fail: (error: unknown) => void): () => void {
  const signals = Object.keys(STATUS) as Signal[];
  for (const signal of signals) process.on(signal, end);
  process.on('uncaughtException', fail);
  return () => {
    for (const signal of signals) process.off(signal, end);
    process.off('uncaughtException', fail);
  };
}

interface RootProps {
  readonly element: ReactNode;
  readonly env: NodeJS.ProcessEnv;
  onInterrupt(): void;
  onRedraw(): void;
}

/** What surrounds every screen: theme, keys, messages, and a net for failures. */
export function Root({ element, env, onInterrupt, onRedraw }: RootProps) {
  const { exit } = useApp();
  const failed = useRef<(error: unknown) => void>(undefined);
  return (
    <ThemeContext value={themeFrom(env)}>
      <KeyProvider onError={(error) => failed.current?.(error)}>
        <ToastProvider>
          <TerminalKeys onInterrupt={onInterrupt} onRedraw={onRedraw} />
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

function TerminalKeys({ onInterrupt, onRedraw }: Pick<RootProps, 'onInterrupt' | 'onRedraw'>) {
  const { suspendTerminal } = useApp();
  const registry = useKeyRegistry();
  const tell = useToast();
  const suspended = useRef(false);
  useLayoutEffect(() => {
    registry.onDisabled = (reason) => tell(reason, 'warning');
  }, [registry, tell]);
  const suspend = async () => {
    if (suspended.current) return;
    suspended.current = true;
    try {
      await suspendTerminal(stopped);
    } finally {
      suspended.current = false;
    }
  };
  useKeys(
    [
      { keys: ['ctrl+c'], label: 'quit at once', footer: false, run: onInterrupt },
      { keys: ['ctrl+l'], label: 'draw the screen anew', footer: false, run: onRedraw },
      { keys: ['ctrl+z'], label: 'back to the shell', footer: false, run: () => void suspend() },
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
