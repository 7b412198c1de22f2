import type { CheckSide } from '../preflight/check.ts';
import type { Saved } from '../sessions/engine-child.ts';
import type { Replication } from '../sessions/replication.ts';
import { settleEnding, stateOf } from '../sessions/state.ts';
import type { ConnectionKeeper } from './connection-keeper.ts';
import type { Editable } from './edit.tsx';
import { farewell } from './farewell.ts';
import type { Known, News } from './home-rows.ts';
import { LaunchedConnections } from './launched-connections.ts';
import type { SetupSession } from './setup-machine.ts';

/** Where the wizard begins. */
export type First = 'home' | 'setup' | { readonly resume: string };

/** The screen that is shown. */
export type Place =
  | { readonly at: 'home'; readonly news?: News }
  /** With a name, a setup that is gone on with. */
  | { readonly at: 'opening setup'; readonly name?: string }
  | { readonly at: 'setup'; readonly session: SetupSession }
  | { readonly at: 'resume'; readonly name: string }
  | { readonly at: 'dashboard' | 'remove'; readonly replication: Replication }
  | { readonly at: 'edit'; readonly replication: Replication; readonly then: AfterEdit; readonly initial?: Editable }
  | { readonly at: 'edit options'; readonly replication: Replication; readonly then: AfterEdit }
  | {
      readonly at: 'edit connection';
      readonly keeper: ConnectionKeeper;
      readonly side: CheckSide;
      readonly then: AfterEdit;
    };

/** Where an edit leads to: back to the list, or on with the resume that it was wanted for. */
export type AfterEdit = 'home' | 'resume';

/** What is to be said, and put in order, when the terminal is taken away: by Ctrl-C, a signal, or its own end. */
export interface Parting {
  /** Lines for the terminal that is left. */
  lines(): readonly string[];
  close(): void;
}

/** With nothing saved, home would be empty: the setup begins at once. */
export function firstPlace(first: First, saved: Saved): Place {
  if (typeof first === 'object') return forwardPlace(first.resume, saved);
  const none = saved.store.list().length === 0 && saved.store.problem === undefined;
  return first === 'setup' || none ? { at: 'opening setup' } : { at: 'home' };
}

/** Attaches, resumes or goes on with the setup: whatever brings a replication forward. */
export function forwardPlace(name: string, { store }: Saved): Place {
  const replication = store.get(name);
  if (replication === undefined) return missingPlace(name);
  switch (stateOf(replication)) {
    case 'unfinished':
      return { at: 'opening setup', name };
    case 'running':
      return { at: 'dashboard', replication };
    default:
      return { at: 'resume', name };
  }
}

/** A screen about one saved replication, or home when it was removed meanwhile. */
export function placeOf(at: 'dashboard' | 'remove', name: string, { store }: Saved): Place {
  const found = store.get(name);
  return found === undefined ? missingPlace(name) : { at, replication: settleEnding(found, store) };
}

/** The edit of a replication, as it is saved now. */
export function editPlace(name: string, then: AfterEdit, { store }: Saved, initial?: Editable): Place {
  const found = store.get(name);
  return found === undefined
    ? missingPlace(name)
    : { at: 'edit', replication: settleEnding(found, store), then, initial };
}

/** What was chosen there. */
export function editedPlace(what: Editable, replication: Replication, then: AfterEdit, saved: Saved): Place {
  return what === 'options'
    ? { at: 'edit options', replication, then }
    : { at: 'edit connection', keeper: new LaunchedConnections(replication, saved), side: what, then };
}

function missingPlace(name: string): Place {
  return { at: 'home', news: { kind: 'warning', title: `${name} is not saved here any more` } };
}

/** Every saved replication and how it is, after looking how those have ended that nobody watched. */
export function knownOf({ store }: Pick<Saved, 'store'>): Known[] {
  return store.list().map((replication) => {
    const settled = settleEnding(replication, store);
    return { replication: settled, state: stateOf(settled) };
  });
}

/** What is said when this place is left without a word. */
export function partingOf(place: Place, { store }: Pick<Saved, 'store'>): Parting {
  switch (place.at) {
    case 'setup': {
      const { session } = place;
      return {
        lines() {
          const saved = store.get(session.replication.name);
          if (saved !== undefined && stateOf(saved) === 'running') return goesOn(saved.name);
          // A launch under way writes down what it makes, which the session has not seen.
          const replication = saved ?? session.replication;
          return farewell({ replication, ran: session.ran }, saved !== undefined);
        },
        close: () => session.close(),
      };
    }
    case 'dashboard': {
      const { name } = place.replication;
      return { lines: () => (isRunning(store.get(name)) ? goesOn(name) : []), close: () => {} };
    }
    case 'resume': {
      const { name } = place;
      return { lines: () => (isRunning(store.get(name)) ? goesOn(name) : []), close: () => {} };
    }
    default:
      return { lines: () => [], close: () => {} };
  }
}

function isRunning(replication: Replication | undefined): boolean {
  return replication !== undefined && stateOf(replication) === 'running';
}

function goesOn(name: string): string[] {
  return [`${name} goes on running in the background. Watch it: instar   Stop it: instar stop ${name}`];
}
