import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServerVersion, productName } from '../../../src/sources/mysql/flavour.ts';
import { quoteAccount, quoteIdentifier, quoteText } from '../../../src/sources/mysql/sql-text.ts';

test('versions as servers print them', () => {
  for (const [text, flavour, number] of [
    ['9.7.4-2', 'mysql', 90704],
    ['8.0.42', 'mysql', 80042],
    ['5.7.44-log', 'mysql', 50744],
    ['8.4.3-google', 'mysql', 80403],
    ['8.0.102', 'mysql', 80099],
    ['10.11.18-MariaDB-0+deb12u1-log', 'mariadb', 101118],
    ['11.8.6-MariaDB-0+deb13u1 from Debian-log', 'mariadb', 110806],
    ['10.6-mariadb', 'mariadb', 100600],
    ['unknown', 'mysql', 0],
  ] as const) {
    assert.deepEqual(parseServerVersion(text), { flavour, number, text });
  }
  assert.equal(productName('mariadb'), 'MariaDB');
});

test('names, texts and accounts in statements', () => {
  assert.equal(quoteIdentifier('a`b'), '`a``b`');
  assert.equal(quoteText("it's"), "'it''s'");
  assert.equal(quoteAccount('me@here@%'), "'me@here'@'%'");
  assert.equal(quoteAccount('nobody'), "'nobody'");
});
