import type { Explanations } from './explanation.ts';
import { NOT_APPLIED, NOTHING_STARTED } from './meanings.ts';

const CHECK = ['instar userscript check <file>'] as const;
const TRY = ['instar userscript check <file> --rows changes.json'] as const;
const MEND =
  'Mend the script and resume with the same command; `-vv` logs the row. `--onApplyError dlq` goes on without the transaction.';

/** Userscripts: what keeps one from being used, and what one does wrong. */
export const USERSCRIPT = {
  SCRIPT_MISSING: {
    what: 'There is no file at the path of `--userscript`.',
    data: NOTHING_STARTED,
    fix: ['Correct the path.', ['ls -l <file>']],
    look: ['--userscript'],
  },
  SCRIPT_SYNTAX: {
    what: 'The userscript cannot be compiled; file, line and column are told.',
    data: NOTHING_STARTED,
    fix: ['Mend the line that is named.', CHECK],
  },
  SCRIPT_IMPORT: {
    what: 'The userscript imports what it cannot have: packages, or modules of Node.',
    data: NOTHING_STARTED,
    fix: ['Copy what is needed next to the script and import it by `./`.', CHECK],
  },
  SCRIPT_TYPES: {
    kind: 'warns',
    what: 'The userscript has type errors, with which it runs all the same.',
    data: 'Rows go through it; what a type error points at may write something else than was meant.',
    fix: ['Mend what is named.', CHECK],
  },
  SCRIPT_VERSION: {
    what: 'The userscript is written for the v1 API, which is not supported; `replicator@v2` is.',
    data: NOTHING_STARTED,
    fix: ['Rewrite its calls: the error has the counterpart of each.', ['import * as api from "replicator@v2";']],
  },
  SCRIPT_CONFIG: {
    what: 'A `configure…` call of the script was given something that it does not take.',
    data: NOTHING_STARTED,
    fix: ['Mend the call: `assets/userscript/replicator@v2.d.ts` tells what each takes.', CHECK],
  },
  SCRIPT_SCHEMA: {
    what: 'The script configures another target schema than the rows go to: its handlers would never run.',
    data: NOTHING_STARTED,
    fix: ['Name the schema of `--targetSchema` in `configureTargetSchema`.', CHECK],
    look: ['--targetSchema'],
  },
  SCRIPT_EMPTY: {
    what: 'The script configures nothing: every row would go on as it is.',
    data: NOTHING_STARTED,
    fix: ['Call `configureTargetSchema` or `configureTargetTables` in it, or leave `--userscript` out.'],
    look: ['--userscript'],
  },
  SCRIPT_NO_TABLE: {
    what: 'The script configures a table that the target schema does not have: its handlers would never run.',
    data: NOTHING_STARTED,
    fix: ['Create the table, or mend its name in the script: case counts.', CHECK],
  },
  SCRIPT_FAILED: {
    what: 'A handler threw an exception.',
    data: NOT_APPLIED,
    fix: [MEND, TRY],
    look: ['--onApplyError', 'script_errors_total'],
  },
  SCRIPT_RESULT: {
    what: 'A handler returned something that is no row, nor null to leave it out.',
    data: NOT_APPLIED,
    fix: ['Let every path of the handler end in a return of a row or null.', MEND, TRY],
  },
  SCRIPT_VALUE: { what: 'A handler returned a value that cannot be written.', data: NOT_APPLIED, fix: [MEND, TRY] },
  SCRIPT_KEY: {
    what: 'A row or a deletion lacks columns of the key of the table that it goes to.',
    data: NOT_APPLIED,
    fix: ['Give rows the key columns of their target table, under its names.', MEND, TRY],
  },
  SCRIPT_TABLE: {
    what: 'A handler returned rows for a table that the target schema does not have.',
    data: NOT_APPLIED,
    fix: ['Create the table on the target, or mend its name in the script: case counts.', MEND],
  },
  SCRIPT_TRUNCATE: {
    what: 'A table was truncated whose rows the script sends elsewhere: no handler tells what to empty.',
    data: NOT_APPLIED,
    fix: ['Empty by hand what has to be emptied, then resume with `--truncate ignore`.'],
    look: ['--truncate'],
  },
  SCRIPT_TRANSACTION: {
    what: 'A function of `onWrite` was used outside of it, or on a transaction that has ended.',
    data: NOT_APPLIED,
    fix: ['Use it inside of `onWrite`, before its promise is settled: await what it starts.', MEND],
  },
  SCRIPT_STATEMENT: {
    what: '`onWrite` sent a statement that it may not, such as BEGIN or COMMIT.',
    data: NOT_APPLIED,
    fix: ['Leave the transaction to the engine; for a part that may fail use SAVEPOINT.', MEND],
  },
  SCRIPT_ABANDONED: {
    what: '`onWrite` went on after an error of the database as if nothing had happened.',
    data: NOT_APPLIED,
    fix: [
      'Put a SAVEPOINT in front of what may fail, and ROLLBACK TO SAVEPOINT after it.',
      ['SAVEPOINT a;', 'ROLLBACK TO SAVEPOINT a;'],
    ],
  },
  SCRIPT_NEVER_ENDS: {
    what: 'The promise of `onWrite` is never settled.',
    data: NOT_APPLIED,
    fix: ['Return a promise that is settled: await what the handler starts.', MEND],
  },
  SCRIPT_TIMEOUT: {
    what: 'A handler ran for longer than `--userscriptTimeout` and was cut off.',
    data: NOT_APPLIED,
    fix: ['Take the endless loop out of the script, or allow more time by `--userscriptTimeout`.', MEND],
    look: ['--userscriptTimeout'],
  },
  SCRIPT_MEMORY: {
    what: 'The script used up the memory that it may have.',
    data: NOT_APPLIED,
    fix: ['Let it keep less: what handlers put into variables stays there.', MEND],
  },
  SCRIPT_OUTPUT: {
    what: 'The script returned more for one row or transaction than can be held.',
    data: NOT_APPLIED,
    fix: ['Return fewer or smaller rows.', MEND],
  },
  SCRIPT_FORBIDDEN: {
    what: 'The script wants what it cannot have: files, network, process, timers, code from strings.',
    data: NOT_APPLIED,
    fix: ['Take it out of the script, then resume.', CHECK],
  },
  SCRIPT_CRASHED: {
    what: 'The thread of the script ended without a word.',
    data: NOT_APPLIED,
    fix: ['Please report it with the lines of the log; then resume.'],
  },
  SCRIPT_NOT_WRITTEN: {
    what: 'The script that the setup writes for some tables of a MySQL or Oracle source cannot be written.',
    data: NOTHING_STARTED,
    fix: ['Make room, or mend the rights of the folder.', ['df -h <directory>']],
  },
  SCRIPT_NOT_REMOVED: {
    what: 'The script that the setup wrote cannot be removed.',
    data: 'None: a file is left over, which nothing reads.',
    fix: ['Remove it by hand.', ['rm <file>']],
  },
} as const satisfies Explanations;
