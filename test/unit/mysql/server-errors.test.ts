import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import { isConnectionLoss, replicationDenied, streamError } from '../../../src/sources/mysql/server-errors.ts';

const context = { flavour: 'mysql', user: 'replicator', serverId: 10 } as const;

function answered(errno: number, message: string): Error {
  return Object.assign(new Error(message), { errno, code: `ER_${errno}` });
}

test('the texts of error 1236, of all versions and of both products', () => {
  for (const [text, code] of [
    [
      'A replica with the same server_uuid/server_id as this replica has connected to the source',
      'MYSQL_SERVER_ID_IN_USE',
    ],
    ['A slave with the same server_uuid/server_id as this slave has connected to the master', 'MYSQL_SERVER_ID_IN_USE'],
    [
      "Replica has more GTIDs than the source has, using the source's SERVER_UUID. This may indicate that the last binary log file was truncated or lost",
      'MYSQL_GTID_AHEAD',
    ],
    ["Slave has more GTIDs than the master has, using the master's SERVER_UUID.", 'MYSQL_GTID_AHEAD'],
    [
      "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere. The GTID set sent by the replica is '…', and the missing transactions are '…'",
      'MYSQL_GTID_PURGED',
    ],
    [
      'The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs containing GTIDs that the slave requires.',
      'MYSQL_GTID_PURGED',
    ],
    ['Could not find first log file name in binary log index file', 'MYSQL_GTID_PURGED'],
    [
      'Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged.',
      'MYSQL_GTID_PURGED',
    ],
    [
      "Error: connecting slave requested to start from GTID 0-2-99, which is not in the master's binlog",
      'MYSQL_GTID_UNKNOWN',
    ],
    [
      'The binlog on the master is missing the GTID 0-1-5 requested by the slave (even though a subsequent sequence number does exist), and GTID strict mode is enabled',
      'MYSQL_GTID_UNKNOWN',
    ],
    [
      'The replication sender thread cannot start in AUTO_POSITION mode: this server has GTID_MODE = ON_PERMISSIVE instead of ON.',
      'MYSQL_GTID_MODE',
    ],
    [
      'Cannot replicate anonymous transaction when AUTO_POSITION = 1, at file ./binlog.000001, position 197.',
      'MYSQL_ANONYMOUS_TRANSACTION',
    ],
    ['Binary log is not open', 'MYSQL_LOG_BIN'],
    ['Misconfigured master - server_id was not set', 'MYSQL_SERVER_ID'],
    ['log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source', 'MYSQL_EVENT_TOO_LARGE'],
    ['binlog truncated in the middle of event; consider out of disk space on source', 'MYSQL_BINLOG'],
    ['event read from binlog did not pass crc check', 'MYSQL_BINLOG'],
  ]) {
    const error = streamError(answered(1236, text), context);
    assert.equal(error.code, code, text);
    assert.equal(error.transient, false, text);
    assert.ok(error.message.includes(text), text);
    assert.ok(error.fix, text);
  }
  assert.equal(streamError(answered(4052, 'A slave with the same server_id'), context).code, 'MYSQL_SERVER_ID_IN_USE');
});

test('a lost connection, however it shows, can be opened again', () => {
  for (const cause of [
    Object.assign(new Error('Connection lost: The server closed the connection.'), {
      code: 'PROTOCOL_CONNECTION_LOST',
    }),
    Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104 }),
    answered(1053, 'Server shutdown in progress'),
    answered(1927, 'Connection was killed'),
    answered(4031, 'The client was disconnected by the server because of inactivity.'),
    'gone',
  ]) {
    assert.equal(isConnectionLoss(cause), true);
    const error = streamError(cause, context);
    assert.equal(error.code, 'MYSQL_SOURCE_DISCONNECTED');
    assert.equal(error.transient, true);
  }
  assert.equal(isConnectionLoss(answered(1236, 'purged')), false);
});

test('refusals are named, and errors that pass are told from those that do not', () => {
  const denied = streamError(
    answered(1227, 'Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s) for this operation'),
    context,
  );
  assert.equal(denied.code, 'MYSQL_NO_REPLICATION_PRIVILEGE');
  assert.match(String(denied.fix), /GRANT REPLICATION SLAVE, REPLICATION CLIENT ON \*\.\* TO 'replicator'@'%';/);
  assert.equal(streamError(answered(1142, 'SELECT command denied'), context).code, 'MYSQL_PERMISSION');
  assert.equal(streamError(answered(1772, 'Malformed GTID set'), context).code, 'MYSQL_GTID_SYNTAX');
  assert.equal(streamError(answered(1941, 'Could not parse GTID list'), context).code, 'MYSQL_GTID_SYNTAX');
  assert.equal(streamError(answered(1040, 'Too many connections'), context).transient, true);
  assert.equal(streamError(answered(1064, 'You have an error'), context).transient, false);
  assert.match(String(replicationDenied("o'neil@h", 'mariadb').fix), /'o''neil'@'h'/);
});

test('an error that has a name already keeps it', () => {
  const own = new OperatorError('MYSQL_PROTOCOL', 'a checksum does not match');
  assert.equal(streamError(own, context), own);
  assert.equal(isConnectionLoss(own), false);
});
