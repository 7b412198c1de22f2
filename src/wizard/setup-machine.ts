import type { CheckSide, Fix } from '../preflight/check.ts';
import type { Answers, Replication, SourceKind } from '../sessions/replication.ts';
import type { SecretsFile } from '../sessions/secrets.ts';
import type { ReplicationStore } from '../sessions/store.ts';
import type { ConnectionKeeper } from './connection-keeper.ts';
import type { Page } from './pages.ts';
import type { Servers } from './servers.ts';
import { setupOf } from './source-setups.ts';

export { type Page, STEPS, stepOf } from './pages.ts';

/** The way through the setup of a kind of source. */
function wayOf(kind: SourceKind | undefined): readonly Page[] {
  const { before = [], pages } = setupOf(kind);
  return [
    'kind',
    'source',
    ...before,
    'checks',
    ...pages,
    'target',
    'target schema',
    'target checks',
    'options',
    'review',
    'launch',
  ];
}

/** The page after this one; undefined after the last. */
export function pageAfter(page: Page, kind?: SourceKind): Page | undefined {
  const way = wayOf(kind);
  return way[way.indexOf(page) + 1];
}

/** The page before this one; undefined before the first. */
export function pageBefore(page: Page, kind?: SourceKind): Page | undefined {
  const way = wayOf(kind);
  return way[way.indexOf(page) - 1];
}

/** Whether everything that a page asks has an answer. Checks ask nothing. */
function isAnswered(page: Page, answers: Answers): boolean {
  switch (page) {
    case 'kind':
      return answers.kind !== undefined;
    case 'source':
      return answers.source !== undefined;
    case 'target':
      return answers.target !== undefined;
    case 'target schema':
      return answers.targetSchema !== undefined;
    default: {
      const { before = [], pages, isAnswered: isOwnAnswered } = setupOf(answers.kind);
      return ![...before, ...pages].includes(page) || isOwnAnswered(page, answers);
    }
  }
}

/**
 * The page on which a setup goes on: the one that was open last, or the first before it that lacks an answer. `usable` says
 * whether the saved connection of a side can still be opened: a variable that it refers to may be gone.
 */
export function pageToOpen(replication: Replication, usable: (side: CheckSide) => boolean): Page {
  const way = wayOf(replication.answers.kind);
  const last = way.find((name) => name === replication.step) ?? 'kind';
  const lacks = (page: Page) =>
    !isAnswered(page, replication.answers) || ((page === 'source' || page === 'target') && !usable(page));
  return way.slice(0, way.indexOf(last)).find(lacks) ?? last;
}

/** What is on the way: a setup that is being answered, saved as it goes. */
export interface SetupSession extends ConnectionKeeper {
  readonly store: ReplicationStore;
  readonly secrets: SecretsFile;
  readonly servers: Servers;
  /** Told when something could not be saved; it counts all the same while the program runs. */
  onTrouble: (error: unknown) => void;
  /** Chooses a kind of source, and forgets what was answered for another. */
  choose(kind: SourceKind): void;
  /** Saves answers at once. */
  change(answers: Partial<Answers>): void;
  /** Saves which page is open. */
  open(page: Page): void;
  /** Gives the replication another name. @throws OperatorError SESSION_BUSY, SESSION_NAME, SESSION_EXISTS */
  rename(name: string): Promise<void>;
  /** Runs a fix on its server, and remembers what that was. @throws OperatorError */
  runFix(fix: Fix): Promise<void>;
  /** What fixes have run so far, each with its side in front. */
  readonly ran: readonly string[];
  /** Saves what is still to be saved, and lets other processes have the replication. */
  close(): void;
  /** Closes and forgets everything that was answered. */
  forget(): void;
}

/** What every page of the setup gets. */
export interface StepProps {
  readonly session: SetupSession;
  onNext(): void;
  onBack(): void;
}
