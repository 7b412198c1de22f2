import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerSecret } from '../../../src/config/secrets.ts';
import { OperatorError } from '../../../src/errors.ts';
import { failureOf, oracleError, type Remedy, remedyOf } from '../../../src/sources/oracle/ora-errors.ts';

/** An error as the driver makes it of one of the server's. */
function ora(number: number, text = 'some text', code?: string): Error {
  const name = `ORA-${String(number).padStart(5, '0')}`;
  const help = `Help: https://docs.oracle.com/error-help/db/${name.toLowerCase()}/`;
  const told = `${name}: ${text}\n${help}`;
  const message = code === undefined ? told : `${code}: connection to Oracle Database was closed or broken\n${told}`;
  return Object.assign(new Error(message), { errorNum: number, code: code ?? name });
}

/** One of the driver's own. */
function njs(number: string, text: string): Error {
  const code = `NJS-${number}`;
  return Object.assign(new Error(`${code}: ${text}`), { code });
}

const CONTEXT = { user: 'C##REPLICATOR', place: 'oracle://C%23%23REPLICATOR:*****@db:1521/ORCL' };

const EXPECTED: readonly [code: string, remedy: Remedy, numbers: readonly number[]][] = [
  ['ORACLE_LOG_FILE', 'recollect', [1291, 1292, 1284, 310, 334, 1289, 1290]],
  ['ORACLE_LOG_UNREADABLE', 'stop', [1285]],
  ['ORACLE_LOGMINER_REFUSED', 'stop', [1286, 1293, 44609]],
  ['ORACLE_SCN_RANGE', 'skip', [1281]],
  ['ORACLE_OTHER_HISTORY', 'stop', [1287, 1295, 1324]],
  ['ORACLE_LOGMINER_STATE', 'reconnect', [1306, 1323]],
  ['ORACLE_LOGMINER_STATE', 'skip', [1307]],
  ['ORACLE_ARCHIVELOG', 'stop', [1325, 1326]],
  ['ORACLE_DICTIONARY', 'retry', [1327, 1333, 1336, 1371]],
  ['ORACLE_LOG_CORRUPT', 'stop', [1343, 1344, 353, 354]],
  ['ORACLE_SUPPLEMENTAL_LOGGING', 'stop', [1347, 1353, 1354]],
  ['ORACLE_PERMISSION', 'stop', [1435, 1031, 942, 6550, 1045]],
  ['ORACLE_IN_PDB', 'stop', [65040]],
  ['ORACLE_COMMON_USER', 'stop', [65096]],
  ['ORACLE_MEMORY', 'shrink', [4036, 4030, 27102]],
  ['ORACLE_SNAPSHOT', 'retry', [1555, 1466, 8181, 8180]],
  ['ORACLE_BUSY', 'retry', [604]],
  ['ORACLE_TIMEOUT', 'shrink', [1013]],
  ['ORACLE_UNAVAILABLE', 'reconnect', [1033, 1034, 1089, 1090, 12528]],
  ['ORACLE_CONNECTION_LOST', 'reconnect', [3113, 3114, 3135, 12537, 12547, 12570, 2396, 28, 31, 1012]],
  ['ORACLE_UNREACHABLE', 'reconnect', [12170, 12541, 12543]],
  ['ORACLE_SERVICE', 'reconnect', [12514, 12505, 12154]],
  ['ORACLE_TOO_MANY_CONNECTIONS', 'reconnect', [18, 20, 12516, 12519, 12520]],
  ['ORACLE_PASSWORD', 'stop', [1017, 1005]],
  ['ORACLE_ACCOUNT', 'stop', [28000, 28001]],
  ['ORACLE_READ_ONLY', 'stop', [16000]],
  ['ORACLE_INTERNAL', 'reconnect', [600, 7445]],
];

for (const [code, remedy, numbers] of EXPECTED) {
  test(`${code}, ${remedy}: ${numbers.join(', ')}`, () => {
    registerSecret('tiger-two');
    for (const number of numbers) {
      for (const error of [ora(number, 'near tiger-two'), ora(number, 'near tiger-two', 'NJS-500')]) {
        const name = `ORA-${String(number).padStart(5, '0')}`;
        assert.deepEqual(failureOf(error), { number, code: name, message: `${name}: near *****` });
        assert.equal(remedyOf(error), remedy);
        const named = oracleError(error, CONTEXT);
        assert.equal(named.code, code);
        assert.equal(named.transient, remedy !== 'stop');
        assert.ok(named.message.startsWith(`${CONTEXT.place} (user C##REPLICATOR): ${name}: near *****; `));
        assert.ok(named.message.length > `${CONTEXT.place} (user C##REPLICATOR): ${name}: near *****; `.length);
        assert.ok(named.fix);
        assert.doesNotMatch(`${named.message}${named.fix}`, /tiger|Help:|NJS/);
        assert.equal(named.cause, error);
        assert.equal(remedyOf(named), remedy === 'stop' ? 'stop' : 'reconnect');
        // Nobody is promised another attempt where there is none.
        if (remedy === 'stop') assert.doesNotMatch(named.message, /it is tried again|is tried;|asked again|read again/);
      }
    }
  });
}

test("the driver's own failures", () => {
  const connection = 'connection to host db port 1521';
  for (const [error, code, remedy] of [
    [njs('003', 'invalid or closed connection'), 'ORACLE_CONNECTION_LOST', 'reconnect'],
    [njs('101', 'no credentials specified'), 'ORACLE_PASSWORD', 'stop'],
    [njs('116', 'password verifier type 0x939 is not supported'), 'ORACLE_PASSWORD_VERSION', 'stop'],
    [njs('123', 'call timeout of 300 ms exceeded'), 'ORACLE_TIMEOUT', 'shrink'],
    [njs('138', 'connections to this version are not supported'), 'ORACLE_VERSION', 'stop'],
    [njs('192', 'Character set id 46 is not supported'), 'ORACLE_CHARACTER_SET', 'stop'],
    [njs('500', 'connection to Oracle Database was closed or broken'), 'ORACLE_CONNECTION_LOST', 'reconnect'],
    [njs('500', 'closed or broken\nORA-56600: an unknown cause'), 'ORACLE_CONNECTION_LOST', 'reconnect'],
    [njs('501', `${connection} terminated unexpectedly.`), 'ORACLE_CONNECTION_LOST', 'reconnect'],
    [njs('503', `${connection} could not be established.\nconnect ECONNREFUSED`), 'ORACLE_UNREACHABLE', 'reconnect'],
    [njs('505', 'unable to initiate TLS connection.'), 'ORACLE_WALLET', 'stop'],
    [njs('506', `${connection} encountered TLS handshake failure.`), 'ORACLE_TLS', 'stop'],
    [njs('508', 'TLS detected an invalid certificate.'), 'ORACLE_CERTIFICATE', 'stop'],
    [njs('510', `${connection} timed out.`), 'ORACLE_UNREACHABLE', 'reconnect'],
    [njs('511', 'connection to listener was refused.\nCause: ORA-12528'), 'ORACLE_UNAVAILABLE', 'reconnect'],
    [njs('511', 'connection to listener was refused.\nCause: ORA-1034'), 'ORACLE_UNAVAILABLE', 'reconnect'],
    [njs('511', 'connection to listener was refused.\nCause: ORA-12599'), 'ORACLE_UNREACHABLE', 'reconnect'],
    [njs('512', 'invalid connection string parameters.\nENOENT'), 'ORACLE_WALLET', 'stop'],
    [njs('518', 'Service "X" is not registered with the listener'), 'ORACLE_SERVICE', 'reconnect'],
    [njs('519', 'SID "X" is not registered with the listener'), 'ORACLE_SERVICE', 'reconnect'],
    [njs('521', `${connection} received end-of-file.`), 'ORACLE_CONNECTION_LOST', 'reconnect'],
    [njs('530', 'The host addresses are unresolvable'), 'ORACLE_HOST_NOT_FOUND', 'reconnect'],
    [njs('533', 'negotiation failed.\nCause: ORA-12660'), 'ORACLE_NATIVE_ENCRYPTION', 'stop'],
  ] as const) {
    const named = oracleError(error, CONTEXT);
    assert.deepEqual([named.code, remedyOf(error), named.transient], [code, remedy, remedy !== 'stop'], error.message);
    assert.ok(named.fix);
  }
});

test('the errors under an error are told, without traces and numbers that are others each time', () => {
  const message = (error: Error) => failureOf(error)?.message;
  assert.equal(
    message(ora(6550, "line 1, column 7:\nPLS-00201: identifier 'DBMS_LOGMNR' must be declared\nORA-06512: at line 1")),
    "ORA-06550: line 1, column 7: PLS-00201: identifier 'DBMS_LOGMNR' must be declared",
  );
  assert.equal(
    message(ora(604, 'error occurred at recursive SQL level 1\nORA-01000: maximum open cursors exceeded')),
    'ORA-00604: error occurred at recursive SQL level 1: ORA-01000: maximum open cursors exceeded',
  );
  assert.equal(
    message(ora(600, 'internal error code, arguments: [krvrdGetUID], [18]', 'NJS-500')),
    'ORA-00600: internal error code, arguments: [krvrdGetUID], [18]',
  );
  assert.equal(
    message(
      njs('503', 'connection to host h port 1 could not be established. (CONNECTION_ID=a+b/c==)\nconnect ECONNREFUSED'),
    ),
    'NJS-503: connection to host h port 1 could not be established: connect ECONNREFUSED',
  );
  assert.equal(
    message(njs('511', 'connection was refused. (CONNECTION_ID=ab==)\nCause: ORA-12516')),
    'ORA-12516: NJS-511: connection was refused: Cause: ORA-12516',
  );
});

test('grants and accounts name the user as SQL spells it; what was being done is told', () => {
  assert.match(String(oracleError(ora(1031), CONTEXT).fix), /GRANT LOGMINING TO C##REPLICATOR;/);
  assert.equal(
    oracleError(ora(28000), { ...CONTEXT, user: 'Mixed Case' }).fix,
    'ALTER USER "Mixed Case" ACCOUNT UNLOCK;',
  );
  assert.match(
    oracleError(ora(1291), { ...CONTEXT, doing: 'reading redo' }).message,
    /^\S+ \(user C##REPLICATOR\), reading redo: ORA-01291/,
  );
});

test('an unknown error of the server ends the run with its text; anything else is thrown on', () => {
  const named = oracleError(ora(32795, 'cannot insert into an identity column'), CONTEXT);
  assert.deepEqual([named.code, named.transient, remedyOf(ora(32795))], ['ORACLE_ERROR', false, 'stop']);
  assert.match(named.message, /ORA-32795: cannot insert/);

  const defect = new TypeError('x is not a function');
  assert.equal(failureOf(defect), undefined);
  assert.equal(remedyOf(defect), 'stop');
  assert.throws(
    () => oracleError(defect, CONTEXT),
    (error) => error === defect,
  );
  assert.throws(() => oracleError(undefined, CONTEXT));

  const already = new OperatorError('ORACLE_LOG_MISSING', 'a log is missing');
  assert.equal(oracleError(already, CONTEXT), already);
});
