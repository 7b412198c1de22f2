import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { parseMysqlConnectionString } from '../../../src/config/mysql-connection.ts';
import { mask } from '../../../src/config/secrets.ts';
import { UsageError } from '../../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'instar-mysql-connection-'));
after(() => rmSync(folder, { recursive: true }));
const certificate = (name: string) => fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url));

const parse = (text: string, env: NodeJS.ProcessEnv = {}) => parseMysqlConnectionString(text, '--sourceConn', env);

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

/** What sslmode made of the attempts: `plain`, `any` (encrypted, not verified), `ca` or `full`. */
function encryption(query: string): string[] {
  return parse(`mysql://u@h/d${query}`).attempts.map(({ ssl }) => {
    if (typeof ssl !== 'object') return 'plain';
    if (ssl.rejectUnauthorized === false) return 'any';
    return ssl.verifyIdentity === true ? 'full' : 'ca';
  });
}

test('both forms of the address say the same', () => {
  for (const text of [
    'mysql://al%40ice:p%2Fw%3A%25@db.example:63306/or%20ders?sslmode=disable&connect_timeout=3',
    'mysql://al%40ice:p%2Fw%3A%25@tcp(db.example:63306)/or%20ders?sslmode=disable&connect_timeout=3',
    'MySQL://al%40ice:p%2Fw%3A%25@TCP(db.example:63306)/or%20ders?sslmode=disable&connect_timeout=3',
  ]) {
    const { kind, host, port, user, database, display, attempts } = parse(text);
    assert.deepEqual(
      { kind, host, port, user, database },
      { kind: 'mysql', host: 'db.example', port: 63306, user: 'al@ice', database: 'or ders' },
    );
    assert.equal(display, 'mysql://al%40ice:*****@db.example:63306/or%20ders?sslmode=disable');
    const [{ password, connectTimeout, enableKeepAlive, keepAliveInitialDelay, database: opened, ssl }] = attempts;
    assert.deepEqual(
      { password, connectTimeout, enableKeepAlive, keepAliveInitialDelay, opened, ssl },
      {
        password: 'p/w:%',
        connectTimeout: 3000,
        enableKeepAlive: true,
        keepAliveInitialDelay: 30_000,
        opened: 'or ders',
        ssl: undefined,
      },
    );
  }
});

test('defaults: localhost, 3306, no database, 10 s, TLS where the server has it; MariaDB has a scheme too', () => {
  const { host, port, database, display, attempts } = parse('mariadb://u@');
  assert.deepEqual({ host, port, database }, { host: 'localhost', port: 3306, database: '' });
  assert.equal(display, 'mariadb://u@localhost:3306/');
  assert.equal(attempts.length, 2);
  assert.equal(attempts[0].connectTimeout, 10_000);
  assert.equal('database' in attempts[0], false);
});

test('IPv6 addresses and Unix-domain sockets, in every form, and their display can be read again', () => {
  for (const text of ['mysql://u@[fe80::1%25eth0]:3307/d', 'mysql://u@tcp([fe80::1%25eth0]:3307)/d']) {
    assert.deepEqual([parse(text).host, parse(text).port], ['fe80::1%eth0', 3307]);
  }
  assert.equal(parse('mysql://u@[::1]:3306/d').display, 'mysql://u@[::1]:3306/d');
  for (const text of ['mysql://u@unix(/run/my.sock)/d', 'mysql://u@/d?socket=/run/my.sock']) {
    const { host, database, display, attempts } = parse(text);
    assert.deepEqual(
      { host, database, display },
      { host: '/run/my.sock', database: 'd', display: 'mysql://u@unix(/run/my.sock)/d' },
    );
    assert.equal(attempts.length, 1);
    assert.equal(attempts[0].socketPath, '/run/my.sock');
    assert.equal(attempts[0].ssl, undefined, 'a local socket is never encrypted');
    assert.equal(parse(display).host, host);
  }
});

test('sslmode has the meaning that libpq gives it, also under the names of MySQL', () => {
  const root = `sslrootcert=${certificate('authority')}`;
  const expected: [string, string[]][] = [
    ['', ['any', 'plain']],
    ['?sslmode=disable', ['plain']],
    ['?sslmode=prefer', ['any', 'plain']],
    ['?sslmode=require', ['any']],
    [`?sslmode=require&${root}`, ['ca']],
    [`?sslmode=verify-ca&${root}`, ['ca']],
    [`?sslmode=verify-full&${root}`, ['full']],
    ['?sslmode=verify-full', ['full']],
    ['?ssl-mode=DISABLED', ['plain']],
    ['?ssl-mode=REQUIRED', ['any']],
    [`?ssl-mode=VERIFY_CA&ssl-ca=${certificate('authority')}`, ['ca']],
    [`?ssl-mode=VERIFY_IDENTITY&ssl-ca=${certificate('authority')}`, ['full']],
  ];
  for (const [query, attempts] of expected) assert.deepEqual(encryption(query), attempts, query);
});

test('MYSQL_PWD gives a password that the string does not have', () => {
  assert.equal(parse('mysql://u@h/d', { MYSQL_PWD: 'from-env' }).attempts[0].password, 'from-env');
  assert.equal(parse('mysql://u:given@h/d', { MYSQL_PWD: 'from-env' }).attempts[0].password, 'given');
  assert.equal(mask('x from-env x'), 'x ***** x');
});

test('what cannot be honoured is refused', () => {
  const notPem = join(folder, 'not.pem');
  writeFileSync(notPem, 'hello');
  const expected: [string, RegExp][] = [
    ['', /it is empty/],
    ['u:p@tcp(h:3306)/d', /does not begin with mysql:\/\//],
    ['jdbc:mysql://h/d', /leave that out/],
    ['mysql+pymysql://u@h/d', /names a driver of another program; write mysql:\/\/ alone/],
    ['postgresql://u@h/d', /PostgreSQL server, which is replicated by the command pglogical/],
    ['http://h/d', /unknown URL scheme "http"/],
    ['mysql://h/d', /no user is given/],
    ['mysql://u@a,b/d', /several hosts/],
    ['mysql://u@tcp(a:1,b:2)/d', /several hosts/],
    ['mysql://u@h:0/d', /port must be a whole number from 1 to 65535/],
    ['mysql://u@h:65536/d', /port must be a whole number from 1 to 65535/],
    ['mysql://u@udp(h:1)/d', /host and port are malformed/],
    ['mysql://u@h/a/b', /the name of the database holds a slash/],
    ['mysql://u@h/d?sslmod=require', /"sslmod" is not known; did you mean sslmode\?/],
    ['mysql://u@h/d?tls=skip-verify', /tls is not supported; use sslmode/],
    ['mysql://u@h/d?sslmode=REQUIRE', /sslmode must be one of/],
    ['mysql://u@h/d?sslmode=verify-ca', /needs a root certificate: sslrootcert=FILE$/],
    ['mysql://u@h/d?sslmode=require&sslrootcert=/none/root.pem', /sslrootcert: cannot read \/none\/root\.pem/],
    [`mysql://u@h/d?sslmode=require&sslrootcert=${notPem}`, /not\.pem is not a PEM file/],
    [`mysql://u@h/d?sslmode=require&sslcert=${certificate('server')}`, /needs the key of the certificate too/],
    ['mysql://u@h/d?connect_timeout=soon', /connect_timeout must be a whole number/],
  ];
  for (const [text, message] of expected) assert.match(refusal(text).message, message, text);
  assert.deepEqual(parse('mysql://u@h/d?charset=utf8mb4&parseTime=true').ignored, ['charset', 'parseTime']);
});

const name = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .filter((value) => value.isWellFormed() && !/[\0/]/.test(value));
const hosts = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());

test('any user, password, database and host come back, and the password is not shown', () => {
  const secret = name.map((value) => `${value}S3CR3T`);
  fc.assert(
    fc.property(
      name,
      secret,
      name,
      hosts,
      fc.integer({ min: 1, max: 65535 }),
      (user, password, database, host, port) => {
        const [u, p, d] = [user, password, database].map(encodeURIComponent);
        const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
        for (const address of [place, `tcp(${place})`]) {
          const connection = parse(`mysql://${u}:${p}@${address}/${d}?sslmode=disable`);
          assert.deepEqual(
            [connection.user, connection.attempts[0].password, connection.database, connection.host, connection.port],
            [user, password, database, host, port],
          );
          assert.ok(!JSON.stringify(connection).includes('S3CR3T'));
          assert.ok(!inspect(connection, { depth: 9 }).includes('S3CR3T'));
          const again = parse(connection.display.replace(':*****', ''));
          assert.deepEqual([again.user, again.database, again.host, again.port], [user, database, host, port]);
        }
      },
    ),
  );
});

test('no text makes the parser fail in any other way, nor repeat a piece of the password', () => {
  const pieces = fc.constantFrom(
    "'",
    '\\',
    '@',
    ':',
    '/',
    '?',
    '&',
    '=',
    '%',
    '[',
    ']',
    '(',
    ')',
    ',',
    ' ',
    'S3CR3T',
    'tcp(',
    '%40',
    'x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { minLength: 1, maxLength: 12 }), (parts) => {
      const pasted = parts.join('');
      for (const text of [`mysql://u:${pasted}@h/d`, `mysql://u:${pasted}@tcp(h:1)/d`, `u:${pasted}@tcp(h:1)/d`]) {
        try {
          const { display } = parse(text);
          assert.ok(!display.includes('S3CR3T'), display);
        } catch (error) {
          assert.ok(error instanceof UsageError, String(error));
          assert.ok(!`${error.message} ${error.fix}`.includes('S3CR3T'), error.message);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
