import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  accountName,
  oracleParameters,
  parseOracleConnectionString,
  withOraclePassword,
} from '../../../src/config/oracle-connection.ts';
import { mask } from '../../../src/config/secrets.ts';
import { asMysql, asOracle, asPostgres, isMysql, isOracle } from '../../../src/config/source-connection.ts';
import { UsageError } from '../../../src/errors.ts';
import { seeded } from '../../harness/seed.ts';

const parse = (text: string) => parseOracleConnectionString(text, '--sourceConn');

function refusal(text: string): UsageError {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, /^--sourceConn: /);
    return error;
  }
  throw new assert.AssertionError({ message: `accepted ${text}` });
}

test('a URL is taken apart, percent signs decoded, and what the driver gets is made of its parts', () => {
  const connection = parse('oracle://C%23%23REPLICATOR:o%40ra%2Fcle%22%25@db.example:11521/ORCL.example.com');
  const { kind, user, host, port, service, database, encrypted, ignored, display, attributes } = connection;
  assert.deepEqual(
    { kind, user, host, port, service, database, encrypted, ignored },
    {
      kind: 'oracle',
      user: 'C##REPLICATOR',
      host: 'db.example',
      port: 11521,
      service: 'ORCL.example.com',
      database: 'ORCL.example.com',
      encrypted: false,
      ignored: [],
    },
  );
  assert.equal(display, 'oracle://C%23%23REPLICATOR:*****@db.example:11521/ORCL.example.com');
  assert.deepEqual(Object.entries(attributes).sort(), [
    [
      'connectString',
      '(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=db.example)(PORT=11521))(CONNECT_DATA=(SERVICE_NAME=ORCL.example.com)))',
    ],
    ['connectTimeout', 10],
    ['expireTime', 1],
    ['password', 'o@ra/cle"%'],
    ['transportConnectTimeout', 10],
    ['user', 'C##REPLICATOR'],
  ]);
});

test('defaults: localhost, 1521 with and without TLS, no password; a SID in the place of the service', () => {
  const plain = parse('oracle://u@/svc');
  assert.deepEqual([plain.host, plain.port, plain.encrypted], ['localhost', 1521, false]);
  assert.equal('password' in plain.attributes, false);
  assert.equal(plain.display, 'oracle://u@localhost:1521/svc');
  assert.equal(parse('oracles://u@h/svc').port, 1521);

  const sid = parse('oracle://u@h/?sid=ORCL');
  assert.match(String(sid.attributes.connectString), /\(CONNECT_DATA=\(SID=ORCL\)\)/);
  assert.equal(sid.service, 'ORCL');
  assert.equal(sid.display, 'oracle://u@h:1521/?sid=ORCL');
  assert.equal(parse('oracle://u@[::1]:1522/svc').display, 'oracle://u@[::1]:1522/svc');
});

test('TLS, its wallet and the names it compares, in the spellings of other drivers too', () => {
  for (const query of [
    'ssl=true&wallet=/w%20x&wallet_password=hidden-one',
    'SSL=TRUE&WALLET=/w%20x&WALLET%20PASSWORD=hidden-one',
    'SSL=enable&Wallet=/w%20x&WALLET+PASSWORD=hidden-one',
    'sslmode=require&wallet_location=/w%20x&walletPassword=hidden-one',
  ]) {
    const { encrypted, attributes, display } = parse(`oracle://u@h/svc?${query}`);
    const { walletLocation, walletPassword, sslServerDNMatch, connectString } = attributes;
    assert.deepEqual(
      { encrypted, walletLocation, walletPassword, sslServerDNMatch },
      { encrypted: true, walletLocation: '/w x', walletPassword: 'hidden-one', sslServerDNMatch: true },
      query,
    );
    assert.match(String(connectString), /\(PROTOCOL=TCPS\)/);
    assert.equal(display, 'oracle://u@h:1521/svc?ssl=true');
    assert.equal(mask('wallet: hidden-one'), 'wallet: *****');
  }
  for (const text of ['oracles://u@h/s', 'tcps://u@h/s']) assert.equal(parse(text).encrypted, true);
  for (const query of ['', '?ssl=false', '?SSL=disabled', '?sslmode=disable']) {
    assert.equal(parse(`oracle://u@h/s${query}`).encrypted, false, query);
  }
  const { attributes } = parse('tcps://u@h/s?ssl_server_dn_match=off&ssl_server_cert_dn=CN%3Ddb,O%3DExample');
  assert.equal(attributes.sslServerDNMatch, false);
  assert.equal(attributes.sslServerCertDN, 'CN=db,O=Example');
});

test('what would turn safety off without a word is refused', () => {
  for (const query of ['ssl=maybe', 'sslmode=prefer', 'ssl=true&ssl_server_dn_match=nope']) {
    assert.match(refusal(`oracle://u@h/s?${query}`).message, /must be true or false/, query);
  }
  assert.match(refusal('oracle://u@h/s?wallet=/w').message, /wallet has a meaning with TLS only/);
  assert.match(refusal('tcps://u@h/s?ssl=false').message, /asks for TLS/);
  for (const name of ['encryption', 'data%20integrity', 'SSL%20VERIFY', 'AUTH+TYPE', 'dba%20privilege']) {
    const { message, fix } = refusal(`oracle://u@h/s?${name}=x`);
    assert.match(message, /is not supported/);
    assert.ok(fix);
  }
});

test('the timeout in its spellings; parameters without an effect are told, in any case', () => {
  for (const name of ['connect_timeout', 'CONNECTION%20TIMEOUT', 'Connect+Timeout', 'TIMEOUT']) {
    const { attributes } = parse(`oracle://u@h/s?${name}=3`);
    assert.deepEqual([attributes.connectTimeout, attributes.transportConnectTimeout], [3, 3], name);
  }
  assert.deepEqual(parse('oracle://u@h/s?PREFETCH_ROWS=500&lob%20fetch=post&Language=CZECH').ignored, [
    'prefetch_rows',
    'lob fetch',
    'language',
  ]);
  assert.deepEqual(Object.fromEntries(oracleParameters('oracle://u:p@h:1/svc?SSL=TRUE')), {
    user: 'u',
    password: 'p',
    host: 'h',
    port: '1',
    dbname: 'svc',
    ssl: 'TRUE',
  });
});

test('bad input is named, with an example', () => {
  for (const [text, expected] of [
    ['', /it is empty/],
    ['u/p@h:1521/svc', /does not begin with oracle:\/\//],
    ['jdbc:oracle:thin:@h:1521/svc', /driver of Java/],
    ['postgres://u:p@h/d', /the scheme "postgres" is not that of an Oracle database/],
    ['oracle://h/svc', /no user is given/],
    ['oracle://u:p@h', /no service is given/],
    ['oracle://u:p@h/a?sid=B', /a service and a SID/],
    ['oracle://u:p@h,i/svc', /several hosts/],
    ['oracle://u:p@h:0/svc', /the parameter port must be a whole number from 1 to 65535/],
    ['oracle://u:p@h/svc?connect_timeout=1.5', /connect_timeout must be a whole number/],
    ['oracle://u:p@h/svc?walet=/w', /"walet" is not known; did you mean wallet\?/],
    ['oracle://u:p@h/svc)(SECURITY=(X=y))', /characters that names there cannot have/],
    ['oracle://u:p@h/svc?sid=x)(y', /a service and a SID/],
    ['oracle://u:p@h/?sid=x)(y', /characters that names there cannot have/],
    ['oracle://u:p%zz@h/svc', /percent sign/],
  ] as const) {
    assert.match(refusal(text).message, expected, text);
  }
});

test('a refusal repeats nothing of what may be a password', () => {
  for (const text of [
    'oracle://u:tiger-one@x@h/svc',
    'oracle://u:tiger-one@h:99999/svc',
    'oracle://u:tiger-one@h/svc?nonsense=tiger-one',
    'oracle://u:tiger-one@h/sv c?wallet_password=tiger-one',
    'oracle://u:tiger-one@h/s?ssl=tiger-one',
    'u/tiger-one@h',
  ]) {
    const error = refusal(text);
    assert.doesNotMatch(`${error.message}${error.fix}`, /tiger/, text);
  }
});

test('no password is seen in what a connection prints as, its display or its JSON; a new one neither', (t) => {
  const characters = fc.string({ unit: fc.constantFrom(...'aZ9@/:?%#"\\ é€😀&='), minLength: 8, maxLength: 16 });
  fc.assert(
    fc.property(characters, characters, (password, wallet) => {
      fc.pre(password !== wallet);
      const url = `oracle://C%23%23R:${encodeURIComponent(password)}@h/svc?ssl=true&pdb=PDB1&wallet_password=${encodeURIComponent(wallet)}`;
      const connection = parse(url);
      assert.equal(connection.attributes.password, password);
      assert.equal(connection.attributes.walletPassword, wallet);
      const other = withOraclePassword(connection, `${password}${wallet}`);
      assert.equal(other.attributes.password, `${password}${wallet}`);
      assert.equal(other.pdb?.attributes.password, `${password}${wallet}`);
      assert.equal(connection.attributes.password, password, 'the first one is as it was');
      for (const each of [connection, other]) {
        const keys = { depth: 9, showHidden: true };
        for (const shown of [inspect(each, keys), JSON.stringify(each), each.display, String(each.attributes)]) {
          for (const secret of [password, wallet]) {
            for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
              assert.ok(!shown.includes(form), shown);
            }
          }
        }
      }
      assert.ok(!mask(`said ${password} twice`).includes(password));
    }),
    seeded(t, 200),
  );
});

test('every user name reaches the driver whole', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
      fc.pre(!name.includes('\0') && name.isWellFormed() && !name.includes('"'));
      const { user, attributes } = parse(`oracle://${encodeURIComponent(name)}@h/s`);
      assert.equal(user, name);
      assert.equal(String(attributes.user).replaceAll('"', ''), name);
    }),
    seeded(t, 200),
  );
  assert.equal(accountName('c##replicator'), 'c##replicator');
  assert.equal(accountName('mixed case'), '"mixed case"');
  assert.equal(accountName('"Kept"'), '"Kept"');
});

test('a connection is one to Oracle and to nothing else', () => {
  const oracle = parse('oracle://u@h/s');
  assert.equal(isOracle(oracle), true);
  assert.equal(isMysql(oracle), false);
  assert.equal(asOracle(oracle), oracle);
  assert.throws(() => asPostgres(oracle), UsageError);
  assert.throws(() => asMysql(oracle), UsageError);
});
