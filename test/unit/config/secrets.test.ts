import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holdsPassword, MASK, mask, registerSecret } from '../../../src/config/secrets.ts';

/** Passwords of any characters with a marker in them that nothing else contains. */
const passwords = fc
  .tuple(fc.string({ unit: 'grapheme' }), fc.string())
  .map(([a, b]) => `${a}S3CR3T${b}`.replaceAll('\0', ''));
const quoted = (value: string) => `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
const escaped = (value: string) => value.replaceAll(/[\\\s]/g, '\\$&');

test('no password of a connection string survives', () => {
  fc.assert(
    fc.property(passwords, (password) => {
      const encoded = encodeURIComponent(password.toWellFormed());
      for (const text of [
        `could not use postgres://u:${encoded}@host:1/db?sslmode=require today`,
        `mysql://root:${encoded}@h,postgres://u:${encoded}@h`,
        `postgres://:${encoded}@h`,
        `postgres://host/db?user=u&password=${encoded}&sslpassword=${encoded}&x=y`,
        `host=h password=${quoted(password)} user=u`,
        `host=h password = ${quoted(password)}`,
        `HOST=h PASSWORD=${escaped(password)} user=u`,
        `sslpassword=${quoted(password)}`,
      ]) {
        assert.ok(!mask(text).includes('S3CR3T'), mask(text));
        assert.ok(holdsPassword(text), text);
      }
    }),
  );
});

test('the rest of a connection string stays readable', () => {
  assert.equal(mask('postgres://u:pw@h:5432/db?sslmode=require'), `postgres://u:${MASK}@h:5432/db?sslmode=require`);
  assert.equal(mask('postgres://u:p@ss@h/db'), `postgres://u:${MASK}@h/db`);
  assert.equal(mask('host=h password=pw dbname=d'), `host=h password=${MASK} dbname=d`);
  assert.equal(mask('postgres://h/d?password=pw&user=u'), `postgres://h/d?password=${MASK}&user=u`);
});

test('text without a password is left alone', () => {
  for (const text of [
    'postgres://host:5432/db',
    'postgres://user@host/db',
    'password authentication failed for user "u"',
    'see https://example.com/a?b=c',
  ]) {
    assert.equal(mask(text), text);
    assert.equal(holdsPassword(text), false);
  }
});

test('a registered secret is hidden in every form in which it may be written', () => {
  fc.assert(
    fc.property(passwords, (password) => {
      registerSecret(password);
      const encoded = encodeURIComponent(password.toWellFormed());
      const shown = [
        password,
        encoded,
        encoded.replaceAll(/%../g, (byte) => byte.toLowerCase()),
        JSON.stringify({ a: password }),
        quoted(password),
      ];
      for (const text of shown) assert.ok(!mask(`before ${text} after`).includes('S3CR3T'), mask(text));
    }),
  );
});

test('of two registered secrets, one the beginning of the other, the longer is hidden whole', () => {
  registerSecret('marigold');
  registerSecret('marigold-2');
  assert.equal(mask('a marigold-2 b marigold c'), `a ${MASK} b ${MASK} c`);
});

test('a registered secret too short to be told from ordinary text is not masked on its own', () => {
  registerSecret('ab');
  assert.equal(mask('abacus'), 'abacus');
});
