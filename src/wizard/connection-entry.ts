import type { CheckSide } from '../preflight/check.ts';
import {
  type ConnectionDraft,
  draftText,
  emptyDraft,
  isSameLogin,
  restoredDraft,
  savedDraft,
  variableOf,
  withField,
  withUrl,
} from './connection-draft.ts';
import { POSTGRES_FORM } from './postgres-form.ts';
import type { ConnectionKeeper } from './connection-keeper.ts';
import { setupOf } from './source-setups.ts';

/** Where the operator wants a connection string with its password to be. */
export type Keep = 'file' | 'variable';

/** A connection as it is being entered, and where it is to be kept. */
export interface Entry {
  readonly draft: ConnectionDraft;
  readonly keep: Keep;
  /** Name of the variable, for `keep: 'variable'`. */
  readonly variable: string;
}

const VARIABLES: Readonly<Record<CheckSide, string>> = { source: 'SOURCE', target: 'TARGET' };

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What was entered for a side when its form was open last, or what is saved; the password only where it is known to belong to it. */
export function openEntry(keeper: ConnectionKeeper, side: CheckSide): Entry {
  const form = side === 'source' ? setupOf(keeper.replication.answers.kind).form : POSTGRES_FORM;
  const empty = emptyDraft(form);
  const typed = keeper.draft(side);
  const text = knownText(keeper, side);
  const accepted = text === undefined ? empty : withUrl(empty, text);
  if (typed === undefined) return { draft: accepted, keep: 'file', variable: VARIABLES[side] };
  const draft = restoredDraft(typed, form);
  const password = keeper.heldPassword(side) ?? (isSameLogin(draft, accepted) ? accepted.fields.password : '');
  return {
    draft: password === '' || variableOf(draft) !== undefined ? draft : withField(draft, 'password', password),
    keep: typed.keep === 'variable' ? 'variable' : 'file',
    variable: typed.variable ?? VARIABLES[side],
  };
}

/** Saves what is entered so far; the password stays in memory. */
export function keepEntry(keeper: ConnectionKeeper, side: CheckSide, entry: Entry, typingUrl: boolean): void {
  const { draft, keep, variable } = entry;
  keeper.keepDraft(side, { ...savedDraft(draft, typingUrl), ...(keep === 'variable' && { keep, variable }) });
  keeper.holdPassword(side, draft.fields.password);
}

/** What is wrong with the variable that a connection is to be kept in. */
export function variableProblem({ keep, variable, draft }: Entry, env: NodeJS.ProcessEnv): string | undefined {
  if (keep === 'file') return undefined;
  if (!VARIABLE.test(variable)) return 'the name of a variable has letters, digits and _, and no digit in front';
  const found = env[variable];
  if (found === undefined || found === '' || draftText(withUrl(emptyDraft(draft.form), found)) === draftText(draft))
    return undefined;
  return `${variable} is set already, to something else: take another name, or enter $${variable} as the URL`;
}

/**
 * Makes what is entered the answer.
 * @throws OperatorError when it cannot be saved
 */
export function acceptEntry(keeper: ConnectionKeeper, side: CheckSide, entry: Entry): void {
  const { draft, keep, variable } = entry;
  const text = draftText(draft);
  const reference = variableOf(draft);
  keeper.keepConnection(side, text, reference ?? (keep === 'variable' ? variable : undefined));
  // The reference alone would not bring back the fields, should the variable be gone next time.
  if (reference === undefined && keep === 'variable') keepEntry(keeper, side, entry, false);
}

function knownText(keeper: ConnectionKeeper, side: CheckSide): string | undefined {
  try {
    return keeper.connectionText(side);
  } catch {
    // A secrets file that is refused: saving the connection anew says why.
    return undefined;
  }
}
