import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Grants,
  mayMonitor,
  mayReplicate,
  maySelect,
  maySet,
  monitorRightFinding,
  parseGrants,
  replicationRightFinding,
  selectRightFinding,
} from '../../../src/sources/mysql/grants.ts';

function grants(...statements: string[]): Grants {
  return { account: 'r@%', list: parseGrants(statements) };
}

test('rights as MySQL prints them, those of active roles among them', () => {
  const mine = grants(
    'GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `r`@`%`',
    'GRANT SELECT ON `shop`.* TO `r`@`%`',
    'GRANT `repl`@`%` TO `r`@`%`',
    'GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION',
  );
  assert.equal(mayReplicate(mine), true);
  assert.equal(mayMonitor(mine), true);
  assert.equal(maySelect(mine, 'shop'), true);
  assert.equal(maySelect(mine, 'shop2'), false);
  assert.equal(maySelect(mine, undefined), false);
  assert.equal(maySet(mine), false);
});

test('rights as MariaDB prints them; the hash of the password is not kept', () => {
  const mine = grants(
    'GRANT `repl` TO `r`@`%`',
    "GRANT USAGE ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*462366917EEDD1970A48E87D8EF59EB67D2CA26F'",
    'GRANT REPLICATION SLAVE, BINLOG MONITOR, BINLOG ADMIN ON *.* TO `repl`',
    'SET DEFAULT ROLE `repl` FOR `r`@`%`',
  );
  assert.equal(mayReplicate(mine), true);
  assert.equal(mayMonitor(mine), true);
  assert.equal(maySet(mine), true);
  assert.doesNotMatch(
    JSON.stringify(mine.list.map((grant) => ({ ...grant, privileges: [...grant.privileges] }))),
    /4623/,
  );
});

test('all privileges are all of them, where they are granted', () => {
  const root = grants('GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION');
  for (const may of [mayReplicate, mayMonitor, maySet]) assert.equal(may(root), true);
  assert.equal(maySelect(root, undefined), true);
  const owner = grants('GRANT ALL PRIVILEGES ON `shop`.* TO `r`@`%`');
  assert.equal(mayReplicate(owner), false);
  assert.equal(maySelect(owner, 'shop'), true);
});

test('databases of grants are patterns; a backslash takes the meaning from a wildcard', () => {
  const mine = grants('GRANT SELECT ON `a\\_b%`.* TO `r`@`%`', 'GRANT SELECT ON `x_y`.* TO `r`@`%`');
  for (const [database, may] of [
    ['a_b', true],
    ['a_bc', true],
    ['aXb', false],
    ['x_y', true],
    ['xZy', true],
    ['x.y', true],
    ['xy', false],
    ['b', false],
  ] as const) {
    assert.equal(maySelect(mine, database), may, database);
  }
});

test('a right on some columns or on one table is none on the database, and a revoke takes it away', () => {
  assert.equal(maySelect(grants('GRANT SELECT (`a`, `b`), INSERT ON `shop`.* TO `r`@`%`'), 'shop'), false);
  assert.equal(maySelect(grants('GRANT SELECT ON `shop`.`orders` TO `r`@`%`'), 'shop'), false);
  const revoked = grants('GRANT SELECT ON *.* TO `r`@`%`', 'REVOKE SELECT ON `shop`.* FROM `r`@`%`');
  assert.equal(maySelect(revoked, 'shop'), false);
  assert.equal(maySelect(revoked, 'other'), true);
  assert.equal(maySelect(revoked, undefined), false);
});

test('what is missing is named, with the statement that grants it', () => {
  const none = grants('GRANT USAGE ON *.* TO `r`@`%`');
  const replication = replicationRightFinding(none, 'mysql').refusal;
  assert.equal(replication?.error.code, 'MYSQL_NO_REPLICATION_PRIVILEGE');
  assert.equal(replication?.error.fix, "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'r'@'%';");
  assert.match(String(replicationRightFinding(none, 'mariadb').refusal?.error.fix), /BINLOG MONITOR/);
  assert.equal(monitorRightFinding(none, 'mariadb').refusal?.error.fix, "GRANT BINLOG MONITOR ON *.* TO 'r'@'%';");
  assert.equal(selectRightFinding(none, 'a`b').refusal?.error.fix, "GRANT SELECT ON `a``b`.* TO 'r'@'%';");
  assert.equal(selectRightFinding(none, undefined).refusal?.error.fix, "GRANT SELECT ON *.* TO 'r'@'%';");
});
