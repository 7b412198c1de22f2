import { parentPort, workerData } from 'node:worker_threads';
import type { LogLevel } from '../log/logger.ts';
import type { FromWorker, TablePlan, ToWorker, WorkerData } from './protocol.ts';
import { RowWork } from './row-work.ts';
import { Sandbox, ScriptFailure } from './sandbox.ts';
import { Shapes } from './shapes.ts';
import { type Handle, WriteWork } from './write-work.ts';

/*
 * The thread that a userscript runs in. The engine's own goes on whatever the script does: it looks at `progress` from
 * outside and ends this thread when a handler takes too long, and the thread's memory has a limit of its own.
 */

/** Lines of the console that are passed on for one request; a script that says more is not listened to. */
const MOST_LINES = 200;

const port = parentPort!;
const { code, progress, longest } = workerData as WorkerData;
const send = (message: FromWorker): void => {
  const buffer = 'buffer' in message ? message.buffer?.buffer : undefined;
  port.postMessage(message, buffer === undefined ? [] : [buffer as ArrayBuffer]);
};
const plans = new Map<number, TablePlan>();
const planOf = (id: number) => plans.get(id);
const shapes = new Shapes();

/**
 * An error of the realm around the script's can get into its hands: the runtime makes one when the stack is full while a
 * trace is written. Without these ways to code from strings, and without the process, it is of no use there.
 */
function closeRealm(): void {
  const functions = [() => {}, async () => {}, function* () {}, async function* () {}];
  for (const one of functions) {
    Object.defineProperty(Object.getPrototypeOf(one), 'constructor', { value: undefined, configurable: false });
  }
  Reflect.deleteProperty(globalThis, 'process');
}

function open(): Sandbox | undefined {
  try {
    return new Sandbox(code, new Int32Array(progress), longest);
  } catch (failure) {
    if (!(failure instanceof ScriptFailure)) throw failure;
    send({ kind: 'failed', error: failure.thrown });
    return undefined;
  }
}

function serve(sandbox: Sandbox): void {
  const rows = new RowWork(sandbox, shapes);
  const writes = new WriteWork(sandbox, shapes, send);
  let lines = 0;
  /** Passes on what the console was given, and the rest to `handle`; without it that is left for an onWrite to take. */
  const tellEvents = (handle?: Handle): void => {
    const all = sandbox.io.events.splice(0);
    for (let i = 0; i < all.length; i += 3) {
      const [kind, number, content] = [all[i] as string, all[i + 1], all[i + 2]];
      if (kind !== 'log') {
        if (handle === undefined) sandbox.io.events.push(kind, number, content);
        else handle(kind, number, content);
      } else if (lines++ < MOST_LINES) {
        send({ kind: 'log', level: number as LogLevel, message: content as string });
      }
    }
  };
  const tellCounters = (): void => {
    if (lines > MOST_LINES) {
      send({ kind: 'log', level: 'warning', message: `${lines - MOST_LINES} more lines of the script are left out` });
    }
    lines = 0;
    send({ kind: 'counters', counters: sandbox.counters });
  };
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'plans':
        for (const plan of message.plans) {
          plans.set(plan.id, plan);
          sandbox.addPlan(plan);
        }
        break;
      case 'targets':
        shapes.setTargets(message.targets, message.open);
        sandbox.realm.setTargets(message.targets);
        for (const [table, handlers] of message.bindings) sandbox.realm.bind(table, handlers);
        break;
      case 'rows': {
        const done = rows.do(message, planOf);
        // In the next turn the script has nothing left to do, or never comes to an end.
        setImmediate(() => {
          tellEvents();
          tellCounters();
          send(done);
        });
        break;
      }
      case 'write':
        void writes.do(message, planOf, tellEvents).then(tellCounters);
        break;
      default:
        writes.answer(message);
    }
  });
  tellEvents();
  send({ kind: 'ready', configuration: sandbox.configuration });
}

// A promise of the script that nobody waits for is the script's own affair.
process.on('unhandledRejection', () => {});
closeRealm();
const made = open();
if (made !== undefined) serve(made);
