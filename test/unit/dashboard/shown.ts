import type { TestContext } from 'node:test';
import { createElement } from 'react';
import { type Control, Dashboard } from '../../../src/dashboard/dashboard.tsx';
import type { Ending } from '../../../src/sessions/replication.ts';
import { busy, fakeEngine, type FakeEngine, NOW } from '../../harness/fake-replicator.ts';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';

const STOPPED: Ending = { at: new Date(NOW).toISOString(), how: 'stopped' };

/** A control that writes down what it was asked for. */
function recordingControl(engine: FakeEngine) {
  const asked: string[] = [];
  const state: { ending: Ending | undefined; resume: () => Promise<string> } = {
    ending: undefined,
    resume: async () => {
      engine.gone = false;
      return '127.0.0.1:30006';
    },
  };
  const control: Control = {
    async pause() {
      asked.push('pause');
      engine.paused = true;
    },
    async continue() {
      asked.push('continue');
      engine.paused = false;
    },
    async stop() {
      asked.push('stop');
      engine.gone = true;
      state.ending = STOPPED;
      return STOPPED;
    },
    async resume() {
      asked.push('resume');
      return await state.resume();
    },
    async ending() {
      return state.ending;
    },
  };
  return { control, asked, state };
}

interface Shown {
  readonly engine?: Partial<FakeEngine>;
  readonly terminal?: TerminalOptions;
  readonly viewer?: boolean;
  readonly logFile?: string;
}

/** The dashboard on an emulator, over an engine that has been busy for half a minute. */
export async function show(t: TestContext, { engine, terminal, viewer, logFile }: Shown = {}) {
  const fake = fakeEngine(engine);
  await fake.look(30, busy);
  const recorded = recordingControl(fake.engine);
  let left = 0;
  const screen = await openTerminal(
    createElement(Dashboard, {
      poller: fake.poller,
      title: 'shop',
      logFile,
      control: viewer ? undefined : recorded.control,
      onLeave: () => left++,
    }),
    terminal,
  );
  t.after(() => screen.close());
  return { ...fake, ...recorded, screen, left: () => left };
}
