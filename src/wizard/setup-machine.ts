import type { ConnectionDescription } from '../config/connection.ts';
import type { CheckSide, Fix } from '../preflight/check.ts';
import type { Answers, Replication } from '../sessions/replication.ts';
import type { SecretsFile } from '../sessions/secrets.ts';
import type { ReplicationStore } from '../sessions/store.ts';
import type { Servers } from './servers.ts';

/*
 * The way through the setup: eight steps, as the operator counts them, of which some have several pages. Nothing in here
 * draws or connects.
 */

/** The steps as they stand in the trail. */
export const STEPS = ['kind', 'source', 'checks', 'tables', 'target', 'options', 'review', 'launch'] as const;

type Step = (typeof STEPS)[number];

/** The pages in their order. Their names are what `Replication.step` holds. */
const PAGES = [
  ['kind', 'kind'],
  ['source', 'source'],
  ['checks', 'checks'],
  ['tables', 'tables'],
  ['slot', 'tables'],
  ['target', 'target'],
  ['target schema', 'target'],
  ['target checks', 'target'],
  ['options', 'options'],
  ['review', 'review'],
  ['launch', 'launch'],
] as const satisfies readonly (readonly [string, Step])[];

export type Page = (typeof PAGES)[number][0];

const NAMES: readonly Page[] = PAGES.map(([name]) => name);

/** The index in STEPS of the step that a page belongs to. */
export function stepOf(page: Page): number {
  const [, step] = PAGES.find(([name]) => name === page)!;
  return STEPS.indexOf(step);
}

/** The page after this one; undefined after the last. */
export function pageAfter(page: Page): Page | undefined {
  return NAMES[NAMES.indexOf(page) + 1];
}

/** The page before this one; undefined before the first. */
export function pageBefore(page: Page): Page | undefined {
  return NAMES[NAMES.indexOf(page) - 1];
}

/** Whether everything that a page asks has an answer. Checks ask nothing. */
function isAnswered(page: Page, answers: Answers): boolean {
  switch (page) {
    case 'kind':
      return answers.kind !== undefined;
    case 'source':
      return answers.source !== undefined;
    case 'tables':
      return answers.tables !== undefined && answers.publication !== undefined;
    case 'slot':
      return answers.publication !== undefined && answers.slot !== undefined;
    case 'target':
      return answers.target !== undefined;
    case 'target schema':
      return answers.targetSchema !== undefined;
    default:
      return true;
  }
}

/**
 * The page on which a setup goes on: the one that was open last, or the first before it that lacks an answer. `usable` says
 * whether the saved connection of a side can still be opened: a variable that it refers to may be gone.
 */
export function pageToOpen(replication: Replication, usable: (side: CheckSide) => boolean): Page {
  const last = NAMES.find((name) => name === replication.step) ?? 'kind';
  const lacks = (page: Page) =>
    !isAnswered(page, replication.answers) || ((page === 'source' || page === 'target') && !usable(page));
  return NAMES.slice(0, NAMES.indexOf(last)).find(lacks) ?? last;
}

/** What is on the way: a setup that is being answered, saved as it goes. */
export interface SetupSession {
  /** As it is saved now. */
  readonly replication: Replication;
  readonly store: ReplicationStore;
  readonly secrets: SecretsFile;
  /** The environment of the program, with what was entered for references that it does not hold. */
  readonly env: NodeJS.ProcessEnv;
  readonly servers: Servers;
  /** Told when something could not be saved; it counts all the same while the program runs. */
  onTrouble: (error: unknown) => void;
  /** Saves answers at once. */
  change(answers: Partial<Answers>): void;
  /**
   * Saves the connection of a side: the string in the secrets file, or, with the name of a variable, a reference to it.
   * @throws OperatorError, UsageError when it cannot be read or saved
   */
  keepConnection(side: CheckSide, text: string, variable?: string): void;
  /** The whole connection string of a side as it was entered, a reference as such; undefined when it is not there (any more). */
  connectionText(side: CheckSide): string | undefined;
  /** @throws OperatorError when the connection is not known (any more) */
  connection(side: CheckSide): ConnectionDescription;
  /** What was typed in a form and is no answer yet. */
  draft(form: string): Readonly<Record<string, string>> | undefined;
  /** Saves what is typed in a form, a moment later. `values` must hold no secret. */
  keepDraft(form: string, values: Readonly<Record<string, string>>): void;
  /** Keeps a password that is typed, in memory alone: it is there when the operator comes back to the form. */
  holdPassword(side: CheckSide, password: string): void;
  heldPassword(side: CheckSide): string | undefined;
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
