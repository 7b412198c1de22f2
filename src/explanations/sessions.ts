import type { Explanations } from './explanation.ts';
import { NOT_THE_DATA, NOTHING_STARTED } from './meanings.ts';

/** Saved replications, their engines, and the fixes that are run for them. */
export const SESSIONS = {
  SESSION_MISSING: {
    what: 'No replication is saved under that name.',
    data: NOT_THE_DATA,
    fix: ['Look which there are.', ['instar list']],
  },
  SESSION_EXISTS: {
    what: 'A replication of that name is saved already.',
    data: NOT_THE_DATA,
    fix: ['Choose another name, or resume that one.', ['instar resume <name>']],
  },
  SESSION_NAME: {
    what: 'That cannot be the name of a replication.',
    data: NOT_THE_DATA,
    fix: ['Use up to 64 letters, digits, hyphens, underscores and dots, and no dot in front.'],
  },
  SESSION_BUSY: {
    what: 'The replication is open in another `instar`.',
    data: NOT_THE_DATA,
    fix: ['Go on there, or end it.', ['kill <pid>']],
  },
  SESSION_UNFINISHED: {
    what: 'The setup of the replication is not finished.',
    data: NOTHING_STARTED,
    fix: ['Go on with it.', ['instar']],
  },
  SESSION_RUNNING: {
    what: 'The engine of the replication still runs.',
    data: 'Nothing was dropped or forgotten.',
    fix: ['Stop it first.', ['instar stop <name>']],
  },
  SESSION_FOLDER: {
    what: 'Replications cannot be saved in their folder.',
    data: NOT_THE_DATA,
    fix: ['Make room, mend its rights, or name another folder.', ['INSTAR_HOME=<directory> instar']],
  },
  SESSION_NOT_SAVED: {
    what: 'The replication could not be saved.',
    data: 'What runs goes on running; its last answers are not on the disk.',
    fix: ['Make room, then try again.', ['df -h <directory>']],
  },
  SESSION_KEEPS_TABLES: {
    what: 'A table may hold rows, and is not dropped by a removal.',
    data: 'All rows are where they were.',
    fix: ['Drop it yourself, if nobody needs it.', ['DROP TABLE <schema.table>;']],
  },
  SESSION_ELSEWHERE: {
    what: 'What is to be dropped was made on another server than the connection leads to now.',
    data: 'Nothing was dropped there. A slot that is left keeps the log of its source.',
    fix: [
      'Let the connection lead to the former server, or drop it there by hand.',
      ["SELECT pg_drop_replication_slot('<slot>');"],
    ],
  },
  SECRETS_NOT_SAVED: {
    what: 'The connection strings could not be saved.',
    data: NOT_THE_DATA,
    fix: ['Make room, then try again.', ['df -h <directory>']],
  },
  SECRETS_UNSAFE: {
    what: 'The file with the connection strings can be read or replaced by others, and is not used.',
    data: NOTHING_STARTED,
    fix: [
      'Close it to others, as the error says; change the passwords if others may have read them.',
      ['chmod 600 <file>'],
    ],
  },
  SECRETS_DAMAGED: {
    what: 'The file with the connection strings cannot be read.',
    data: NOTHING_STARTED,
    fix: [
      'Remove it, and enter the connections again: `e` in `instar`, or a file.',
      ['rm <file>', 'instar edit <name> --file changes.yaml'],
    ],
  },
  LOG_NOT_WRITABLE: {
    what: 'The log of the engine cannot be written.',
    data: NOTHING_STARTED,
    fix: ['Make room, or mend the rights of the file.', ['df -h <directory>', 'ls -l <file>']],
  },
  ENGINE_START: {
    what: 'The engine ended before it replicated; the message has its last words, and the code of its error.',
    data: 'What is on the target stays, and a checkpoint stays where it is.',
    fix: ['Act on the code that it names.', ['instar explain <code>']],
  },
  ENGINE_STOP: {
    what: 'The engine does not end within its grace period.',
    data: 'Nothing is lost when it is killed: what is not committed is read again on resume.',
    fix: ['Stop it at once, or kill it.', ['kill -9 <pid>']],
    look: ['--gracePeriod'],
  },
  ENGINE_CONTROL: {
    what: 'The engine could not be told to pause or go on.',
    data: 'It goes on as before.',
    fix: ['Look how it is.', ['instar status <name>']],
  },
  RESUME_UNSAFE: {
    what: 'It was not resumed, as changes would be lost or doubled; the reason is told with the ways out.',
    data: 'Nothing was started: the checkpoint and the source stay as they are.',
    fix: ['Take one of the ways out that are named.', ['instar resume <name> --dryRun']],
    look: ['--dryRun'],
  },
  TABLES_UNPUBLISHED: {
    what: 'Tables that were replicated are published no more.',
    data: 'Changes made to them since then are in no slot.',
    fix: [
      'Publish them again and copy what was changed meanwhile; or go on without them by `--acceptTables`.',
      ['ALTER PUBLICATION <publication> ADD TABLE <schema.table>;', 'instar resume <name> --acceptTables'],
    ],
    look: ['--acceptTables'],
  },
  FIX_BY_HAND: {
    what: 'A fix can only be made by a person, as by a restart or in the console of a provider.',
    data: 'Nothing was changed.',
    fix: ['Do what the fix says, then look again.'],
  },
  FIX_NOT_PERMITTED: {
    what: 'The user may not run a fix.',
    data: 'Statements before the refused one were carried out; the message says how many.',
    fix: ['Have a user with more rights run what the error holds.'],
  },
  FIX_BLOCKED: {
    what: 'A fix would wait for a lock in front of the application, and was given up.',
    data: 'Statements before the refused one were carried out; the message says how many.',
    fix: ['Try again at a quieter moment, or run what the error holds yourself.'],
  },
  FIX_FAILED: {
    what: 'The server refused a fix; the message quotes it.',
    data: 'Statements before the refused one were carried out; the message says how many.',
    fix: ['Act on what the message quotes, then run what the error holds.'],
  },
  SESSION_NEWER: {
    what: 'The saved replication or its connection strings were written by a newer version of this program.',
    data: NOT_THE_DATA,
    fix: ['Go on with the newer version; nothing was changed.', ['instar version']],
  },
  SECRETS_NEWER: {
    what: 'The saved replication or its connection strings were written by a newer version of this program.',
    data: NOT_THE_DATA,
    fix: ['Go on with the newer version; nothing was changed.', ['instar version']],
  },
  WATCH_NO_ANSWER: {
    what: 'No replicator answers at the address.',
    data: 'None: watching changes nothing.',
    fix: ['Start the engine with `--metricsAddr`, and look at that address.', ['instar watch http://127.0.0.1:30005']],
    look: ['--metricsAddr'],
  },
} as const satisfies Explanations;
