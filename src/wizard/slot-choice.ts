import { flagNamed } from '../config/flags.ts';
import { parseValue } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';
import type { Answers } from '../sessions/replication.ts';
import type { PublicationSummary, SlotSummary } from '../sources/postgres/setup.ts';
import { formatBytes } from '../terminal/format.ts';

/** Names of what is to be made at the source, as they are typed. */
export interface Names {
  readonly publication: string;
  readonly slot: string;
}

/** What a slot is called unless the operator says otherwise: as MOLT's own instructions call it. */
const CUSTOMARY_SLOT = 'molt_slot';

/** Bytes that PostgreSQL keeps of a name. */
const LONGEST = 63;

/** The names to begin with. */
export function namesFrom({ publication, slot }: Answers, draft: Readonly<Record<string, string>> | undefined): Names {
  return {
    publication: draft?.publication ?? publication?.name ?? '',
    slot: draft?.slot ?? slot?.name ?? CUSTOMARY_SLOT,
  };
}

/** What is wrong with the name of a publication that is to be made. */
export function publicationNameProblem(name: string): string | undefined {
  if (name.trim() === '') return 'a publication needs a name';
  return Buffer.byteLength(name) > LONGEST ? `PostgreSQL would cut it to ${LONGEST} bytes` : undefined;
}

/** What is wrong with the name of a slot. */
export function slotNameProblem(name: string): string | undefined {
  try {
    parseValue(flagNamed('slotName'), 'the name', name);
  } catch (error) {
    if (error instanceof OperatorError) return error.message;
    throw error;
  }
  return name === '' ? 'a slot needs a name' : undefined;
}

/** A name that is there already and may be used as it is, or may not. */
export interface Existing {
  readonly what: 'publication' | 'slot';
  readonly name: string;
  /** Why it cannot be used. */
  readonly problem: string | undefined;
  /** What using it means. */
  readonly meaning: string;
}

/** Those of the names that are taken: what is to be made with them exists already. `createsPublication`: one is to be made. */
export function takenNames(
  names: Names,
  createsPublication: boolean,
  publications: readonly PublicationSummary[],
  slots: readonly SlotSummary[],
): Existing[] {
  const taken: Existing[] = [];
  const publication = createsPublication ? publications.find(({ name }) => name === names.publication) : undefined;
  if (publication !== undefined) {
    const count = publication.tables.length === 1 ? '1 table' : `${publication.tables.length} tables`;
    taken.push({
      what: 'publication',
      name: publication.name,
      problem: undefined,
      meaning: publication.allTables
        ? `it has all tables, ${count} now`
        : `it has ${count}, instead of those you chose`,
    });
  }
  const slot = slots.find(({ name }) => name === names.slot);
  if (slot !== undefined) taken.push(existingSlot(slot, createsPublication && publication === undefined));
  return taken;
}

/** A slot delivers changes as the catalogue was when they were made: a publication that is younger is not in it. */
const OLDER =
  'it is older than the publication that is to be made, and could not deliver what was changed before that; use a publication that exists as well, or another name';

function existingSlot({ name, problem, confirmed, retainedBytes }: SlotSummary, publicationIsNew: boolean): Existing {
  const from = confirmed === undefined ? 'where it stands' : `at ${confirmed}`;
  return {
    what: 'slot',
    name,
    problem: problem ?? (publicationIsNew ? OLDER : undefined),
    meaning: `replication begins ${from}, with the ${formatBytes(retainedBytes)} of log that are kept for it`,
  };
}

/** A slot in a line, for somebody who looks for one to use. */
export function slotLine({ name, database, plugin, activePid, retainedBytes, problem }: SlotSummary): string[] {
  const state = activePid !== undefined ? 'in use' : problem === undefined ? 'free' : 'not usable here';
  return [name, database ?? '-', plugin ?? '-', state, formatBytes(retainedBytes)];
}
