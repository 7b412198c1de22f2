import { useEffect, useRef, useState } from 'react';
import { OperatorError } from '../errors.ts';
import type { Ending } from '../sessions/replication.ts';
import { useToast } from '../terminal/toast.tsx';
import type { PollerState, ReadingSource } from './poller.ts';

/** What can be done with the engine that is watched. Rejections are shown to the operator. */
export interface Control {
  pause(): Promise<void>;
  continue(): Promise<void>;
  /** Stops it in order; resolves when it has ended. */
  stop(): Promise<Ending>;
  /** Resumes it; resolves to its new endpoint. */
  resume(): Promise<string>;
  /** Why it has ended; undefined while it runs. */
  ending(): Promise<Ending | undefined>;
}

/** Something that was asked for and has failed. */
export interface Failure {
  readonly what: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly fix: string | undefined;
}

export interface EngineState {
  /** Undefined while it runs, as far as is known. */
  readonly ending: Ending | undefined;
  /** What is being done with it, in the words of the screen. */
  readonly working: string | undefined;
  readonly failure: Failure | undefined;
  pause(): void;
  proceed(): void;
  /** Calls `then` when it has stopped. */
  stop(then?: () => void): void;
  resume(): void;
}

/** The engine behind a dashboard: what becomes of it, and what is done with it, one thing at a time. */
export function useEngine(control: Control | undefined, poller: ReadingSource, state: PollerState): EngineState {
  const tell = useToast();
  const [ended, setEnded] = useState<{ readonly ending: Ending; readonly seen: PollerState }>();
  const [working, setWorking] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const busy = useRef(false);
  const asking = useRef(false);

  useEffect(() => {
    const silent = state.problem !== undefined;
    if (!silent) {
      // An answer that came after the end is that of another run.
      const later = ended !== undefined && ended.seen !== state;
      if (later && state.reading !== undefined && !busy.current) setEnded(undefined);
      return;
    }
    if (control === undefined || ended !== undefined || busy.current || asking.current) return;
    asking.current = true;
    control
      .ending()
      .then((found) => {
        // It may have been resumed while this was found out.
        const seen = poller.getState();
        if (found !== undefined && !busy.current && seen.problem !== undefined) setEnded({ ending: found, seen });
      })
      .catch(() => {})
      .finally(() => {
        asking.current = false;
      });
  }, [control, poller, state, ended]);

  const perform = (what: string, action: () => Promise<void>) => {
    if (busy.current) return;
    busy.current = true;
    setWorking(what);
    setFailure(undefined);
    action()
      .catch((error: unknown) => {
        const failed = failureOf(what, error);
        setFailure(failed);
        tell(`${failed.message}${failed.code === undefined ? '' : ` (${failed.code})`}`, 'danger');
      })
      .finally(() => {
        busy.current = false;
        setWorking(undefined);
      });
  };
  return {
    ending: ended?.ending,
    working,
    failure,
    pause: () => control && perform('pausing', () => control.pause()),
    proceed: () => control && perform('continuing', () => control.continue()),
    stop: (then) =>
      control &&
      perform('stopping: what is in hand is applied first', async () => {
        const ending = await control.stop();
        setEnded({ ending, seen: poller.getState() });
        then?.();
      }),
    resume: () =>
      control &&
      perform('resuming', async () => {
        poller.watch?.(await control.resume());
        setEnded(undefined);
      }),
  };
}

function failureOf(what: string, error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof OperatorError
    ? { what, message, code: error.code, fix: error.fix }
    : { what, message, code: undefined, fix: undefined };
}
