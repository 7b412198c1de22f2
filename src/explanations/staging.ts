import type { Explanations } from './explanation.ts';
import { NOTHING_STARTED } from './meanings.ts';

const MEMO = "SELECT key, convert_from(value, 'UTF8') FROM <staging>.memo;";

/** The staging schema: checkpoint, lease, identity. */
export const STAGING = {
  STAGING_NEWER: {
    what: 'A newer version of this program has kept its progress in the staging schema.',
    data: NOTHING_STARTED,
    fix: ['Go on with the newer version, or begin anew in another `--stagingSchema`.', ['instar version']],
    look: ['--stagingSchema'],
  },
  STAGING_MISSING: {
    what: 'The staging schema does not exist, and without it no checkpoint can be kept.',
    data: NOTHING_STARTED,
    fix: [
      'Add `--stagingCreateSchema` once, or correct `--stagingSchema`.',
      ['CREATE SCHEMA <staging>; -- CockroachDB: CREATE DATABASE'],
    ],
    look: ['--stagingSchema', '--stagingCreateSchema'],
  },
  STAGING_NOT_PERMITTED: {
    what: 'The user may not create or use the staging schema.',
    data: NOTHING_STARTED,
    fix: [
      'Grant it, or have it created.',
      [
        'ALTER USER <user> CREATEDB; -- CockroachDB',
        'GRANT CREATE ON DATABASE <database> TO <user>; -- PostgreSQL',
        'GRANT ALL ON SCHEMA <staging> TO <user>;',
        'GRANT ALL ON ALL TABLES IN SCHEMA <staging> TO <user>;',
      ],
    ],
  },
  STAGING_OTHER_DATABASE: {
    what: 'The staging schema is named in another database than the connection leads to.',
    data: NOTHING_STARTED,
    fix: ['Name only the schema by `--stagingSchema`, or let the connection lead to that database.'],
    look: ['--stagingSchema', '--stagingConn'],
  },
  CHECKPOINT_MOVED: {
    what: 'The checkpoint is not where this process left it: somebody else writes, or edited the memo.',
    data: 'What was about to be committed was rolled back: nothing is doubled.',
    fix: [
      'Let only one process replicate into this target schema, then resume.',
      [MEMO, 'SELECT * FROM <staging>.leases;'],
    ],
    related: ['LEASE_HELD'],
  },
  CHECKPOINT_MISSING: {
    what: 'The staging schema is gone from the target, and the checkpoint with it.',
    data: 'Where to go on is not known: what is applied already would be applied again, or changes left out.',
    fix: [
      'Restore the staging schema from a backup of the target; else start over with a new copy.',
      ['instar resume <name> --dryRun # says how'],
    ],
  },
  FENCE_BROKEN: {
    what: 'A transaction was committed although the one before it failed, which the checkpoint should have kept from happening.',
    data: 'The target may lack a transaction.',
    fix: ['Please report it with the log; compare source and target, then copy again what differs.'],
  },
  IDENTITY_UNREADABLE: {
    what: "The memo's note of which source the checkpoint belongs to cannot be read.",
    data: NOTHING_STARTED,
    fix: [
      'Delete the note, if the checkpoint is of this source.',
      [MEMO, "DELETE FROM <staging>.memo WHERE key = 'instar-identity-<kind>-<target schema>';"],
    ],
  },
  LEASE_HELD: {
    what: 'Another process replicates into this target schema.',
    data: 'Nothing is doubled: only the holder of the lease writes, and this one did not start.',
    fix: [
      'Stop that process, whose name is in the message; or start with `--standby` to take over when it ends.',
      ['instar list', 'SELECT * FROM <staging>.leases;'],
    ],
    look: ['--standby'],
  },
  LEASE_TAKEN: {
    what: 'Another process has taken the lease over, and this one stops so that only one writes.',
    data: 'Nothing is lost or doubled: the other goes on from the checkpoint.',
    fix: ['Nothing, if the takeover was meant; start with `--standby` to be the next in line.'],
    look: ['--standby'],
  },
  LEASE_EXPIRED: {
    kind: 'passes',
    what: 'The lease could not be renewed in time, as the staging database did not answer.',
    data: 'Nothing is lost or doubled: the lease is taken again before anything more is written.',
    fix: ['Nothing, unless it comes again and again: look at the load of the staging database.'],
  },
} as const satisfies Explanations;
