import type { Answers } from '../sessions/replication.ts';
import type { PlannedThing } from '../sessions/source-kit.ts';
import { type UndoStep, undoSteps } from '../sessions/undo.ts';
import { equivalentCommands } from './equivalent-command.ts';
import { setupOf } from './source-setups.ts';
import { thingsOf } from './things.ts';

/** What a launch will do, for people. */
export interface LaunchPlan {
  /** In the order in which they are made. */
  readonly things: readonly PlannedThing[];
  /** What removes what the launch creates, in an order that works. */
  readonly undo: readonly UndoStep[];
  readonly variables: readonly string[];
  readonly start: string;
  readonly resume: string;
}

/** The plan for these answers. */
export function launchPlan(answers: Answers): LaunchPlan {
  const things = thingsOf(answers);
  return {
    things,
    undo: undoSteps(things.filter(({ how }) => how !== 'used as it is')),
    ...equivalentCommands(answers),
  };
}

/** The plan as lines of plain text, with a heading in front of each part. `effects`: what the operator's own userscript does. */
export function planText(answers: Answers, effects: readonly string[] = []): string[] {
  const { things, undo, variables, start, resume } = launchPlan(answers);
  const on = (side: PlannedThing['side']) =>
    things.filter((thing) => thing.side === side).map((thing) => `  ${line(thing)}`);
  const { source, target, targetSchema, tables } = answers;
  const more = setupOf(answers.kind).review(answers);
  return [
    'WHAT WILL BE CREATED, AND WHERE',
    `source ${source?.display ?? ''}`,
    ...on('source'),
    `target ${target?.display ?? ''}`,
    ...on('target'),
    `  rows go to schema ${targetSchema ?? '?'}, into tables that are there already`,
    'here',
    ...on('here'),
    '  the engine as a process of its own, with its log in a file',
    ...(tables === undefined || tables === 'all' ? [] : ['', 'TABLES', ...tables.map((table) => `  ${table}`)]),
    ...(more.length === 0 ? [] : ['', ...more]),
    ...(effects.length === 0
      ? []
      : ['', `THE USERSCRIPT ${answers.options?.userscript}`, ...effects.map((each) => `  ${each}`)]),
    '',
    'HOW TO UNDO IT (stop the replication first)',
    ...undo.flatMap(({ place, text }, index) => [
      ...(place === undo[index - 1]?.place ? [] : [`-- ${place}`]),
      ...text.split('\n'),
    ]),
    '',
    'THE SAME BY HAND',
    ...variables,
    '# the first start',
    ...start.split('\n'),
    '# every later one',
    ...resume.split('\n'),
  ];
}

/** What `c` copies: both commands with what their variables hold. */
export function commandText(plan: LaunchPlan): string {
  return [...plan.variables, '# the first start', plan.start, '# every later one', plan.resume, ''].join('\n');
}

/** The undo script, with a comment that says where each part runs. */
export function undoText(plan: LaunchPlan): string {
  return `${plan.undo.map(({ place, text }) => `-- ${place}\n${text}`).join('\n')}\n`;
}

function line({ what, name, how, remark }: PlannedThing): string {
  const sign = how === 'used as it is' ? '=' : '+';
  const words =
    how === 'created' ? remark : how === 'used as it is' ? 'is there already and is used' : `${remark}; ${how}`;
  return `${sign} ${what} ${name}: ${words}`;
}
