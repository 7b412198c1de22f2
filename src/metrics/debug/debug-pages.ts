import { OperatorError } from '../../errors.ts';
import { errorText } from '../../log/log-error.ts';
import { cpuProfile } from './cpu-profile.ts';
import { eventLoopReport } from './event-loop.ts';
import { heapSummary } from './heap-summary.ts';

/** What a page under `/debug/` answers. */
export interface DebugAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error with the status that HTTP has for it. */
class Refusal extends Error {
  readonly status: number;
  readonly told: OperatorError;
  constructor(status: number, told: OperatorError) {
    super(told.message);
    this.status = status;
    this.told = told;
  }
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

const DEFAULT_SECONDS = 15;
const MOST_SECONDS = 120;

const INDEX = `Where the time and the memory of this process go. One at a time; nothing is changed by them.

/debug/profile?seconds=15
    Where it computes: a CPU profile, sampled each millisecond. Costs a few percent of a core meanwhile. Save it
    as x.cpuprofile and open it in the developer tools of Chrome (Performance) or in VS Code.
    curl -o x.cpuprofile 'http://ADDRESS/debug/profile?seconds=15'

/debug/eventloop?seconds=15
    Whether it gets to its work: how late timers come, the share of its core that it uses, and collections of garbage.

/debug/heap
    What its memory holds: spaces, and objects by constructor, as counts and bytes. It stands still meanwhile, about a
    second for each 100 MB. ?constructors=no spares that, =yes counts in a large heap, too.

Names of functions, files and constructors are told, never data. seconds is 1 to ${MOST_SECONDS}.
`;

/** The pages under `/debug/`: what helps to find out why a process is slow or large. */
export class DebugPages {
  readonly #allowed: boolean;
  readonly #closing = new AbortController();
  /** What is being done. */
  #busy: { readonly what: string; readonly until: number } | undefined;

  /** @param allowed false where other machines could ask for them, and nobody has said that they may */
  constructor(allowed: boolean) {
    this.#allowed = allowed;
  }

  /** Ends what is being done: who has asked for it is told. */
  close(): void {
    this.#closing.abort();
  }

  /** @param gone aborts when nobody waits for the answer any more. Rejects only when it does, and for defects. */
  async answer(url: string, method: string, gone: AbortSignal): Promise<DebugAnswer> {
    try {
      if (!this.#allowed) throw notLocal();
      if (method !== 'GET') {
        return { status: 405, type: TEXT, body: 'only GET is answered\n', headers: { allow: 'GET' } };
      }
      return await this.#page(new URL(url, 'http://localhost'), gone);
    } catch (error) {
      if (error instanceof Refusal) return refused(error);
      if (this.#closing.signal.aborted) return refused(ending());
      throw error;
    }
  }

  async #page({ pathname, searchParams }: URL, gone: AbortSignal): Promise<DebugAnswer> {
    switch (pathname) {
      case '/debug':
      case '/debug/':
        return { status: 200, type: TEXT, body: INDEX };
      case '/debug/profile': {
        const seconds = secondsOf(searchParams);
        const body = await this.#alone('a CPU profile', seconds, gone, (signal) => cpuProfile(seconds, signal));
        const name = `instar-${process.pid}-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}.cpuprofile`;
        const headers = { 'content-disposition': `attachment; filename="${name}"` };
        return { status: 200, type: JSON_TYPE, body, headers };
      }
      case '/debug/eventloop': {
        const seconds = secondsOf(searchParams);
        return json(
          await this.#alone('an event-loop report', seconds, gone, (signal) => eventLoopReport(seconds, signal)),
        );
      }
      case '/debug/heap': {
        const constructors = searchParams.get('constructors') ?? 'auto';
        if (constructors !== 'auto' && constructors !== 'yes' && constructors !== 'no') {
          throw wrong(`constructors must be auto, yes or no, not ${JSON.stringify(constructors)}`, '/debug/heap');
        }
        return json(await this.#alone('a heap summary', 1, gone, (signal) => heapSummary(constructors, signal)));
      }
      default:
        return { status: 404, type: TEXT, body: 'not found; see /debug/\n' };
    }
  }

  /** Two at a time would measure each other. */
  async #alone<T>(what: string, seconds: number, gone: AbortSignal, work: (signal: AbortSignal) => Promise<T>) {
    if (this.#busy !== undefined) throw busy(this.#busy);
    this.#busy = { what, until: Date.now() + 1000 * seconds };
    try {
      return await work(AbortSignal.any([gone, this.#closing.signal]));
    } finally {
      this.#busy = undefined;
    }
  }
}

function json(value: unknown): DebugAnswer {
  return { status: 200, type: JSON_TYPE, body: `${JSON.stringify(value, undefined, 2)}\n` };
}

function secondsOf(parameters: URLSearchParams): number {
  const text = parameters.get('seconds') ?? String(DEFAULT_SECONDS);
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 1 && seconds <= MOST_SECONDS) return seconds;
  throw wrong(`seconds must be from 1 to ${MOST_SECONDS}, not ${JSON.stringify(text)}`, '/debug/profile?seconds=15');
}

function refused(error: Refusal): DebugAnswer {
  return { status: error.status, type: TEXT, body: `${errorText(error.told)}\n` };
}

function notLocal(): Refusal {
  const told = new OperatorError(
    'DEBUG_NOT_LOCAL',
    'profiles are not served on an address that other machines reach; replication goes on',
    {
      fix: '--metricsAddr 127.0.0.1:30005   # this machine alone\n--enableDebugEndpoints          # or whoever reaches it',
    },
  );
  return new Refusal(403, told);
}

function busy({ what, until }: { what: string; until: number }): Refusal {
  const left = Math.max(1, Math.ceil((until - Date.now()) / 1000));
  const message = `${what} is being taken already, and one is taken at a time; replication goes on`;
  return new Refusal(409, new OperatorError('DEBUG_BUSY', message, { fix: `ask again in ${left} s` }));
}

function wrong(message: string, example: string): Refusal {
  return new Refusal(400, new OperatorError('DEBUG_PARAMETER', message, { fix: `GET ${example}` }));
}

function ending(): Refusal {
  const message = 'the engine is stopping, so this was not finished; what is in hand is applied all the same';
  return new Refusal(503, new OperatorError('DEBUG_ENDING', message, { fix: 'ask again when it runs' }));
}
