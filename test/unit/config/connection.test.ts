import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type pg from 'pg';
import { parseConnectionString } from '../../../src/config/connection.ts';
import { UsageError } from '../../../src/errors.ts';

const home = mkdtempSync(join(tmpdir(), 'instar-connection-'));
after(() => rmSync(home, { recursive: true }));
const env = { HOME: home };
const certificate = (name: string) => fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url));

const parse = (text: string, variables: NodeJS.ProcessEnv = env) =>
  parseConnectionString(text, '--sourceConn', variables);

function refusal(text: string, variables?: NodeJS.ProcessEnv): UsageError {
  try {
    parse(text, variables);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, /^--sourceConn: /);
    return error;
  }
  throw new assert.AssertionError({ message: `accepted ${text}` });
}

function password(config: pg.ClientConfig): string {
  assert.ok(typeof config.password === 'function');
  return String(config.password());
}

/** What sslmode made of the attempts: `plain`, `any` (encrypted, not verified), `ca` or `full`. */
function encryption(text: string, variables?: NodeJS.ProcessEnv): string[] {
  return parse(text, variables).attempts.map(({ ssl }) => {
    if (typeof ssl !== 'object') return 'plain';
    if (ssl.rejectUnauthorized === false) return 'any';
    return ssl.checkServerIdentity === undefined ? 'full' : 'ca';
  });
}

test('a URL with everything in it', () => {
  const connection = parse(
    'postgresql://al%40ice:p%2Fw%3A%25@db.example:5433/or%20ders?sslmode=disable&application_name=x&connect_timeout=3&options=-c%20a%3Db&keepalives_idle=7',
  );
  const [config] = connection.attempts;
  assert.equal(config.host, 'db.example');
  assert.equal(config.port, 5433);
  assert.equal(config.user, 'al@ice');
  assert.equal(password(config), 'p/w:%');
  assert.equal(config.database, 'or ders');
  assert.equal(config.application_name, 'x');
  assert.equal(config.connectionTimeoutMillis, 3000);
  assert.equal(config.options, '-c a=b');
  assert.equal(config.keepAlive, true);
  assert.equal(config.keepAliveInitialDelayMillis, 7000);
  assert.equal(connection.display, 'postgresql://al%40ice:*****@db.example:5433/or%20ders?sslmode=disable');
});

test('defaults: localhost, 5432, the system user, a database of its name, 10 s, keepalive, our name', () => {
  const me = userInfo().username;
  const { host, port, user, database, attempts, display } = parse('postgres://');
  assert.deepEqual({ host, port, user, database }, { host: 'localhost', port: 5432, user: me, database: me });
  assert.equal(attempts[0].connectionTimeoutMillis, 10_000);
  assert.equal(attempts[0].keepAlive, true);
  assert.equal(attempts[0].application_name, 'instar');
  assert.equal(display, `postgresql://${me}@localhost:5432/${me}`);
});

test('every scheme of PostgreSQL, in any case', () => {
  for (const scheme of ['postgres', 'postgresql', 'pg', 'pgx', 'PostgreSQL'])
    assert.equal(parse(`${scheme}://h/d`).database, 'd');
});

test('IPv6 addresses and Unix-domain sockets', () => {
  assert.equal(parse('postgres://u@[::1]:5433/d').host, '::1');
  assert.equal(parse('postgres://u@[::1]:5433/d').port, 5433);
  assert.equal(parse('postgres://u@[fe80::1%25eth0]/d').host, 'fe80::1%eth0');
  assert.match(parse('postgres://u@[::1]/d').display, /@\[::1\]:5432\//);
  for (const text of [
    'postgres:///d?host=/run/pg',
    'postgres://%2Frun%2Fpg/d',
    'host=/run/pg dbname=d',
    'postgres://u@/d?host=/run/pg',
  ]) {
    const { host, database, attempts } = parse(text);
    assert.deepEqual({ host, database, tls: attempts.length }, { host: '/run/pg', database: 'd', tls: 1 }, text);
    assert.equal(attempts[0].ssl, false, 'libpq never encrypts a local socket');
  }
});

test('keyword form: quotes, escapes, spaces around the equals sign', () => {
  const { host, port, user, database, attempts } = parse(
    "host = h port=5433\n user='it\\'s me' password='a b\\\\c' dbname=d\\ e",
  );
  assert.deepEqual({ host, port, user, database }, { host: 'h', port: 5433, user: "it's me", database: 'd e' });
  assert.equal(password(attempts[0]), 'a b\\c');
});

test('hostaddr is where to connect, host is whose certificate is expected', () => {
  const [config] = parse('host=db.example hostaddr=10.0.0.7 sslmode=require').attempts;
  assert.equal(config.host, '10.0.0.7');
  assert.ok(typeof config.ssl === 'object');
  assert.equal(config.ssl.servername, 'db.example');
});

test('the PG* variables of libpq give defaults', () => {
  const variables = {
    HOME: home,
    PGHOST: 'h',
    PGPORT: '7',
    PGUSER: 'u',
    PGPASSWORD: 'from-env',
    PGDATABASE: 'd',
    PGSSLMODE: 'disable',
  };
  const { host, port, user, database, attempts } = parse('postgres://', variables);
  assert.deepEqual({ host, port, user, database }, { host: 'h', port: 7, user: 'u', database: 'd' });
  assert.equal(password(attempts[0]), 'from-env');
  assert.equal(attempts.length, 1);
  assert.equal(parse('host=other', variables).host, 'other');
});

test('a password file is used as libpq uses it', () => {
  const path = join(home, '.pgpass');
  const lines = [
    '# comment',
    'other:*:*:*:no',
    'h:5432:d:u:a\\:b\\\\c:d',
    'localhost:*:*:sock:socket',
    '*:*:*:*:fallback',
  ];
  writeFileSync(path, lines.join('\n'));
  chmodSync(path, 0o600);
  const found = (text: string) => password(parse(text).attempts[0]);
  assert.equal(found('postgres://u@h/d'), 'a:b\\c:d');
  assert.equal(found('postgres://v@h/d'), 'fallback');
  assert.equal(found('postgres://u:given@h/d'), 'given');
  assert.equal(found('host=/tmp user=sock'), 'socket');
  assert.equal(found(`host=h user=v passfile=${join(home, 'none')}`), '');
  chmodSync(path, 0o644);
  assert.equal(found('postgres://u@h/d'), '', 'a file that others can read is not used');
  rmSync(path);
});

test('sslmode has the meaning that libpq gives it', () => {
  const root = `sslrootcert=${certificate('authority')}`;
  const expected: [string, string[]][] = [
    ['sslmode=disable', ['plain']],
    ['sslmode=allow', ['plain', 'any']],
    ['', ['any', 'plain']],
    ['sslmode=prefer', ['any', 'plain']],
    ['sslmode=require', ['any']],
    [`sslmode=require ${root}`, ['ca']],
    [`sslmode=verify-ca ${root}`, ['ca']],
    [`sslmode=verify-full ${root}`, ['full']],
    ['sslmode=verify-full', ['full']],
    ['sslrootcert=system', ['full']],
    ['sslmode=verify-full sslrootcert=system', ['full']],
  ];
  for (const [text, attempts] of expected) assert.deepEqual(encryption(`host=h ${text}`), attempts, text);
  assert.deepEqual(encryption('postgres://h?ssl=true'), ['any']);
});

test('a root certificate in ~/.postgresql counts as given', () => {
  const folder = join(home, 'with-root');
  mkdirSync(join(folder, '.postgresql'), { recursive: true });
  writeFileSync(join(folder, '.postgresql', 'root.crt'), '-----BEGIN CERTIFICATE-----\n');
  assert.deepEqual(encryption('host=h sslmode=require', { HOME: folder }), ['ca']);
  assert.deepEqual(encryption('host=h sslmode=verify-ca', { HOME: folder }), ['ca']);
});

test('wrong TLS settings are refused, naming the file', () => {
  const notPem = join(home, 'not.pem');
  writeFileSync(notPem, 'hello');
  const openKey = join(home, 'open.key');
  writeFileSync(openKey, '-----BEGIN PRIVATE KEY-----\n');
  chmodSync(openKey, 0o644);
  const brokenKey = join(home, 'broken.key');
  writeFileSync(brokenKey, '-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----\n', { mode: 0o600 });
  const cert = `sslcert=${certificate('server')}`;
  const expected: [string, RegExp][] = [
    ['sslmode=required', /sslmode must be one of .*; did you mean require\?/],
    ['sslmode=verify-ca', /verify-ca needs a root certificate: sslrootcert=FILE/],
    ['sslmode=require sslrootcert=system', /sslrootcert=system needs sslmode=verify-full, not require/],
    ['sslrootcert=/none/root.pem', /sslrootcert: cannot read \/none\/root\.pem: ENOENT/],
    [`sslrootcert=${notPem}`, /sslrootcert: .*not\.pem is not a PEM file/],
    ['sslcert=/none/client.pem', /sslcert: cannot read \/none\/client\.pem/],
    [cert, /sslkey: cannot read .*postgresql\.key/],
    [`${cert} sslkey=${openKey}`, /sslkey: other users of this machine can read .*open\.key/],
    [`${cert} sslkey=${brokenKey}`, /cannot be used \(sslcert=.*server\.pem sslkey=.*broken\.key\)/],
    ['sslnegotiation=direct', /sslnegotiation=direct needs sslmode=require/],
    ['sslnegotiation=other', /sslnegotiation must be postgres or direct/],
    ['ssl_min_protocol_version=TLSv9', /ssl_min_protocol_version must be one of/],
  ];
  for (const [text, message] of expected) assert.match(refusal(`host=h ${text}`).message, message, text);
});

test('what cannot be honoured is refused; what makes no difference is accepted', () => {
  const expected: [string, RegExp][] = [
    ['postgres://a,b/d', /several hosts/],
    ['postgres://a:1,b:2/d', /several hosts/],
    ['postgres://u:p@a,b/d', /several hosts/],
    ['host=a,b', /several hosts/],
    ['postgres://h/d?target_session_attrs=read-write', /target_session_attrs is not supported/],
    ['host=h channel_binding=require', /channel_binding is not supported with this value/],
    ['host=h client_encoding=LATIN1', /client_encoding is not supported/],
    ['host=h replication=database', /"replication" is not known/],
    ['postgres://h/d?sslmod=require', /"sslmod" is not known; did you mean sslmode\?/],
    ['host=h username=u', /"username" is not known/],
    ['postgres://h:0/d', /port must be a whole number from 1 to 65535/],
    ['postgres://h:70000/d', /port must be a whole number/],
    ['host=h connect_timeout=soon', /connect_timeout must be a whole number/],
    ['mysql://h/d', /unknown URL scheme "mysql"/],
    ['http://h/d', /unknown URL scheme "http"/],
    ['just words', /neither a URL nor a list/],
    ["host='unfinished", /neither a URL nor a list/],
    ['  ', /it is empty/],
    ['postgres://h/d?sslmode', /written as name=value/],
    ['postgres://h/%zz', /percent sign/],
    ['postgres://h/%00', /percent sign/],
    ['postgres://::1/d', /comes apart|brackets/],
  ];
  for (const [text, message] of expected) assert.match(refusal(text).message, message, text);
  assert.doesNotThrow(() => parse('host=h target_session_attrs=any client_encoding=UTF8 gssencmode=prefer'));
  assert.deepEqual(parse('host=h tcp_user_timeout=5 keepalives_count=3').ignored, [
    'tcp_user_timeout',
    'keepalives_count',
  ]);
});

test('a password pasted without encoding is refused with the way to write it, and not repeated', () => {
  for (const text of [
    'postgres://u:my@hunter22@h/d',
    'postgres://u:hunter22/x@h/d',
    'postgres://u:hunter22?x@h/d',
    'postgres://u:hunter22%@h/d',
    'host=h password=my hunter22',
  ]) {
    const { message, fix } = refusal(text);
    assert.match(message, /%40|percent sign|name=value|neither a URL/);
    assert.doesNotMatch(`${message} ${fix}`, /hunter22/);
  }
});

const text = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .filter((value) => value.isWellFormed() && !value.includes('\0'));
const hosts = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^\/[a-z /]+$/));

test('any user, password, database and host come back from both forms, and the password is not shown', () => {
  const secret = text.map((value) => `${value}S3CR3T`);
  fc.assert(
    fc.property(text, secret, text, hosts, fc.integer({ min: 1, max: 65535 }), (user, pass, database, host, port) => {
      const [u, p, d] = [user, pass, database].map(encodeURIComponent);
      const h = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
      const quote = (value: string) => `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
      for (const form of [
        `postgres://${u}:${p}@${h}:${port}/${d}?sslmode=disable`,
        `postgres:///?host=${encodeURIComponent(host)}&port=${port}&user=${u}&password=${p}&dbname=${d}&sslmode=disable`,
        `host=${quote(host)} port=${port} user=${quote(user)} password=${quote(pass)} dbname=${quote(database)} sslmode=disable`,
      ]) {
        const connection = parse(form);
        assert.deepEqual(
          [connection.user, password(connection.attempts[0]), connection.database, connection.host, connection.port],
          [user, pass, database, host, port],
          form,
        );
        assert.ok(!JSON.stringify(connection).includes('S3CR3T'));
      }
    }),
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
    ',',
    ' ',
    'S3CR3T',
    '5432',
    '%40',
    'x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { minLength: 1, maxLength: 12 }), (parts) => {
      const pasted = parts.join('');
      for (const text of [
        `postgres://u:${pasted}@h/d`,
        `host=h password=${pasted} user=u`,
        `host=h password='${pasted}' user=u`,
      ]) {
        try {
          const connection = parse(text);
          assert.ok(!connection.display.includes('S3CR3T'), connection.display);
        } catch (error) {
          assert.ok(error instanceof UsageError, String(error));
          assert.ok(!error.message.includes('S3CR3T'), error.message);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
