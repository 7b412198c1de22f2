import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LOGMINING_PROBE,
  missingRights,
  PACKAGE_PROBE,
  type RightsQuestion,
} from '../../../src/sources/oracle/privileges.ts';
import { rightsFinding } from '../../../src/sources/oracle/server-requirements.ts';
import { answering } from '../../harness/oracle-answers.ts';

const MINING: RightsQuestion = { side: 'mining' };
const TABLES: RightsQuestion = { side: 'tables', sentinel: 'APP', cluster: false };

/** A user who lacks what `denied` names, told by that error. */
function user(denied: readonly string[], error = 942) {
  return answering((sql) => {
    if (sql === PACKAGE_PROBE) return denied.includes('DBMS_LOGMNR') ? [] : [['1']];
    if (sql === LOGMINING_PROBE) return denied.includes('LOGMINING') ? [] : [['1']];
    // Nothing may be changed or read by a look.
    assert.match(sql, / WHERE 1 = 0$/);
    const view = /FROM (G?V\$\w+) /.exec(sql)?.[1];
    if (view === undefined) return denied.includes(`${sql.split(' ', 1)[0]} SENTINEL`) ? error : [];
    if (denied.includes(view)) return error;
    return view === 'V$LOGMNR_CONTENTS' ? 1306 : [];
  });
}

test('a user with every right lacks none', async () => {
  assert.deepEqual(await missingRights(user([]), MINING), []);
  assert.deepEqual(await missingRights(user([]), TABLES), []);
});

for (const error of [942, 1031, 41900]) {
  test(`each missing right of the miner is named with its grant (ORA-${error})`, async () => {
    const missing = await missingRights(
      user(['V$LOG', 'V$LOGMNR_CONTENTS', 'DBMS_LOGMNR', 'LOGMINING'], error),
      MINING,
    );
    assert.deepEqual(
      missing.map(({ name, grant }) => [name, grant('C##REPLICATOR')]),
      [
        ['SELECT on V$LOG', 'GRANT SELECT ON SYS.V_$LOG TO C##REPLICATOR'],
        ['SELECT on V$LOGMNR_CONTENTS', 'GRANT SELECT ON SYS.V_$LOGMNR_CONTENTS TO C##REPLICATOR'],
        ['EXECUTE on DBMS_LOGMNR', 'GRANT EXECUTE ON SYS.DBMS_LOGMNR TO C##REPLICATOR'],
        ['LOGMINING', 'GRANT LOGMINING TO C##REPLICATOR'],
      ],
    );
  });
}

test('a right to read the sentinel says nothing of the right to write it', async () => {
  const missing = await missingRights(user(['INSERT SENTINEL', 'UPDATE SENTINEL', 'V$TRANSACTION']), {
    ...TABLES,
    sentinel: 'My "App"',
  });
  assert.deepEqual(
    missing.map(({ grant }) => grant('C##REPLICATOR')),
    [
      'GRANT SELECT ON SYS.V_$TRANSACTION TO C##REPLICATOR',
      'GRANT INSERT ON "My ""App"""."REPLICATOR_SENTINEL" TO C##REPLICATOR',
      'GRANT UPDATE ON "My ""App"""."REPLICATOR_SENTINEL" TO C##REPLICATOR',
    ],
  );
});

test('a failure that is not about rights is not taken for a missing one', async () => {
  await assert.rejects(missingRights(user(['V$LOG'], 3113), MINING), /ORA-03113/);
});

test('the finding has all grants as its fix', async () => {
  assert.equal(rightsFinding([], 'C##REPLICATOR').refusal, undefined);
  const { refusal } = rightsFinding(await missingRights(user(['V$LOG', 'LOGMINING']), MINING), 'C##REPLICATOR');
  assert.equal(refusal?.error.code, 'ORACLE_PERMISSION');
  assert.match(refusal?.error.fix ?? '', /^GRANT SELECT ON SYS\.V_\$LOG TO C##REPLICATOR;$/m);
  assert.match(refusal?.error.fix ?? '', /^GRANT LOGMINING TO C##REPLICATOR;$/m);
});

test('of a cluster the views of all instances are needed, and of a single instance they are not', async () => {
  const lacking = user(['GV$TRANSACTION', 'GV$SESSION']);
  assert.deepEqual(await missingRights(lacking, TABLES), []);
  assert.deepEqual(
    (await missingRights(lacking, { ...TABLES, cluster: true })).map(({ grant }) => grant('C##REPLICATOR')),
    ['GRANT SELECT ON SYS.GV_$TRANSACTION TO C##REPLICATOR', 'GRANT SELECT ON SYS.GV_$SESSION TO C##REPLICATOR'],
  );
});

test('where there is no sentinel yet, no right to it is said to be missing', async () => {
  const lacking = user(['SELECT SENTINEL', 'V$SESSION']);
  assert.deepEqual(
    (await missingRights(lacking, { ...TABLES, sentinel: undefined })).map(({ name }) => name),
    ['SELECT on V$SESSION'],
  );
});
