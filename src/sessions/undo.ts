import { shellWord } from '../config/shell-word.ts';
import { undoStatements } from '../sources/postgres/setup.ts';
import type { Created } from './replication.ts';

/** How something that was made is removed by hand. */
export interface UndoStep {
  readonly side: Created['side'];
  /** Where that is, for people: "on the source", "on this machine". */
  readonly place: string;
  /** SQL, or for this machine commands of a shell. */
  readonly text: string;
}

type Thing = Pick<Created, 'what' | 'side' | 'name'>;

/** What removes things by hand, in an order that works: what is read from last is removed first. */
export function undoSteps(things: readonly Thing[]): UndoStep[] {
  const files = things.filter(({ side }) => side === 'here');
  return [
    ...undoStatements(things.filter(isOnServer)).map(({ side, sql }) => ({ side, place: `on the ${side}`, text: sql })),
    ...files.map(({ side, name }) => ({ side, place: 'on this machine', text: `rm ${shellWord(name)}` })),
  ];
}

type OnServer = Thing & { readonly what: Exclude<Created['what'], 'script'>; readonly side: 'source' | 'target' };

function isOnServer(thing: Thing): thing is OnServer {
  return thing.side !== 'here' && thing.what !== 'script';
}
