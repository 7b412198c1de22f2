import type { TestContext } from 'node:test';
import { type ComponentType, createElement } from 'react';
import { Screen } from '../../../src/terminal/screen.tsx';
import type { SetupSession, StepProps } from '../../../src/wizard/setup-machine.ts';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';

/** The sizes at which every step has to work. */
export const SIZES: readonly TerminalOptions[] = [{}, { columns: 60, rows: 15 }];

/** Shows a step on a screen of its own; `went` tells where it has led. */
export async function showStep(
  t: TestContext,
  Step: ComponentType<StepProps>,
  session: SetupSession,
  size: TerminalOptions = {},
) {
  const went: ('next' | 'back')[] = [];
  const step = createElement(Step, {
    session,
    onNext: () => went.push('next'),
    onBack: () => went.push('back'),
  });
  const terminal = await openTerminal(createElement(Screen, { title: 'Step', children: step }), size);
  t.after(() => terminal.close());
  return { terminal, went };
}

export function sizeName({ columns = 80, rows = 24 }: TerminalOptions): string {
  return `${columns}x${rows}`;
}
