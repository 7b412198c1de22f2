import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectionParameters } from '../../../src/config/connection-text.ts';
import { mask } from '../../../src/config/secrets.ts';
import {
  draftConnection,
  draftText,
  emptyDraft,
  fieldProblem,
  isComplete,
  isSameLogin,
  restoredDraft,
  savedDraft,
  shownUrl,
  variableOf,
  withField,
  withUrl,
} from '../../../src/wizard/connection-draft.ts';
import { mysqlParameters } from '../../../src/config/mysql-connection.ts';
import { MYSQL_FORM } from '../../../src/wizard/mysql-form.ts';
import { ORACLE_FORM } from '../../../src/wizard/oracle-form.ts';
import { POSTGRES_FORM } from '../../../src/wizard/postgres-form.ts';
import { passwordOf } from './setup-rig.ts';

const EMPTY_DRAFT = emptyDraft(POSTGRES_FORM);
const typed = (url: string) => withUrl(EMPTY_DRAFT, url);

test('a URL fills the fields, and fields make the URL', () => {
  const draft = typed('postgresql://app:s3cret@db1:5433/shop?sslmode=require&connect_timeout=5');
  assert.deepEqual(draft.fields, {
    host: 'db1',
    port: '5433',
    database: 'shop',
    pdb: '',
    user: 'app',
    password: 's3cret',
    sslmode: 'require',
    sslrootcert: '',
  });
  assert.deepEqual(draft.others, { connect_timeout: '5' });
  const changed = withField(draft, 'host', 'db2');
  assert.equal(changed.url, 'postgresql://app:s3cret@db2:5433/shop?sslmode=require&connect_timeout=5');
});

test('the keyword form of libpq fills the fields as well', () => {
  const { fields } = typed("host=db1 user=app password='with space' dbname=shop");
  assert.deepEqual([fields.host, fields.user, fields.password, fields.database], ['db1', 'app', 'with space', 'shop']);
});

test('whatever is typed into the fields comes back out of the URL that is made of them', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\0'));
  fc.assert(
    fc.property(text, text, text, (user, password, database) => {
      let draft = withField(EMPTY_DRAFT, 'host', 'db1');
      draft = withField(draft, 'user', user);
      draft = withField(draft, 'password', password);
      draft = withField(draft, 'database', database);
      const found = connectionParameters(draftText(draft));
      assert.equal(found.get('user') ?? '', user);
      assert.equal(found.get('password') ?? '', password);
      assert.equal(found.get('dbname') ?? '', database);
      assert.equal(found.get('host'), 'db1');
    }),
  );
});

test('addresses and sockets survive the way through a URL', () => {
  for (const host of ['::1', '/var/run/postgresql', 'db1.example.com', '127.0.0.1']) {
    assert.equal(connectionParameters(draftText(withField(EMPTY_DRAFT, 'host', host))).get('host'), host);
  }
});

test('a password that was pasted without encoding is taken as it stands', () => {
  for (const password of ['p@ss/w#rd?', '100%', 'a:b@c', '/']) {
    const draft = typed(`postgresql://app:${password}@db1:5432/shop?sslmode=require`);
    assert.equal(draft.fields.password, password);
    assert.equal(draft.fields.host, 'db1');
    assert.equal(draft.encoded, true);
    assert.equal(connectionParameters(draftText(draft)).get('password'), password);
  }
  const encoded = typed('postgresql://app:p%40ss@db1/shop');
  assert.equal(encoded.fields.password, 'p@ss');
  assert.equal(encoded.encoded, undefined);
});

test('a half-typed URL leaves the fields as they were, and says what is wrong', () => {
  const before = typed('postgresql://app@db1/shop');
  const half = withUrl(before, 'postgresql://app:secr');
  assert.equal(half.fields.host, 'db1');
  assert.match(half.problem ?? '', /comes apart/);
  assert.equal(isComplete(half), false);
});

test('a reference is a variable of the environment', () => {
  assert.equal(variableOf(typed('$SOURCE')), 'SOURCE');
  assert.equal(draftText(typed(' $' + '{SOURCE} ')), '$SOURCE');
  assert.equal(isComplete(typed('$SOURCE')), true);
  assert.match(fieldProblem(typed('$1'), 'url') ?? '', /a reference is \$NAME/);
  const connection = draftConnection(typed('$SOURCE'), 'source', { SOURCE: 'postgresql://app@db9/shop' });
  assert.equal(connection.host, 'db9');
  assert.throws(() => draftConnection(typed('$SOURCE'), 'source', {}), { code: 'CONNECTION_REFERENCE_UNSET' });
});

test('the password is neither saved nor shown', () => {
  const draft = typed('postgresql://app:MARKER-1@db1/shop?sslpassword=MARKER-2&application_name=x');
  assert.doesNotMatch(JSON.stringify(savedDraft(draft)), /MARKER/);
  assert.deepEqual(restoredDraft(savedDraft(draft), POSTGRES_FORM).fields, { ...draft.fields, password: '' });
  assert.doesNotMatch(shownUrl(draft.url, '•'), /MARKER-1/);
});

test('no part of a password is saved or shown while a URL is typed, however the password reads', () => {
  for (const password of ['MARKER', '1234MARKER', 'p@MARKER', 'a/MARKER', 'a?MARKER', 'x@y:MARKER', '98765432']) {
    const whole = `postgresql://app:${password}@db1/shop`;
    for (let length = 1; length <= 'postgresql://app:'.length + password.length; length++) {
      const draft = typed(whole.slice(0, length));
      const saved = JSON.stringify(savedDraft(draft, true));
      assert.ok('{"url":"postgresql://app"}'.startsWith(saved.slice(0, -2)), `${whole.slice(0, length)}: ${saved}`);
    }
  }
  for (const half of [
    'postgresql://app:MARKER',
    'postgresql://app:MARKER@d',
    'host=db1 password=MARKER',
    'postgresql://h/d?password=MARKER',
  ])
    assert.doesNotMatch(shownUrl(half, '•'), /MARKER/);
});

test('how many dots there are does not tell how long the password is', () => {
  const length = (password: string) => shownUrl(`postgresql://app:${password}@db1`, '•').length;
  assert.equal(length('x'), length('x'.repeat(40)));
  assert.equal(shownUrl('postgresql://db1:5432/shop', '•'), 'postgresql://db1:5432/shop');
});

test('a half-typed host survives', () => {
  const saved = savedDraft(typed('postgresql://db1.exam'), true);
  assert.equal(restoredDraft(saved, POSTGRES_FORM).fields.host, 'db1.exam');
});

test('a password that is being typed is sent but does not become a known secret', () => {
  const draft = withField(typed('postgresql://app@db1/shop'), 'password', 'half-typed');
  assert.equal(passwordOf(draftConnection(draft, 'source', {})), 'half-typed');
  assert.equal(mask('half-typed'), 'half-typed');
});

test('a password belongs to a host, a port and a user', () => {
  const one = typed('postgresql://app:x@db1:5432/shop');
  assert.equal(isSameLogin(one, typed('postgresql://app@db1:5432/other?sslmode=require')), true);
  for (const other of [
    'postgresql://app@db2:5432/shop',
    'postgresql://root@db1:5432/shop',
    'postgresql://app@db1/shop',
  ])
    assert.equal(isSameLogin(one, typed(other)), false);
});

test('a port is a number that a port can have', () => {
  for (const port of ['0', '65536', '54x', '-1'])
    assert.match(fieldProblem(withField(EMPTY_DRAFT, 'port', port), 'port') ?? '', /1 to 65535/);
  assert.equal(fieldProblem(withField(EMPTY_DRAFT, 'port', '26257'), 'port'), undefined);
});

const EMPTY_MYSQL = emptyDraft(MYSQL_FORM);

test('a MySQL URL, in the form of Go drivers too, fills the fields, and fields make the URL', () => {
  for (const url of [
    'mysql://app:s3cret@db1:33306/shop?sslmode=require',
    'mysql://app:s3cret@tcp(db1:33306)/shop?ssl-mode=REQUIRED',
    'mariadb://app:s3cret@db1:33306/shop?sslmode=require',
  ]) {
    const draft = withUrl(EMPTY_MYSQL, url);
    assert.equal(draft.problem, undefined);
    assert.deepEqual(draft.fields, {
      host: 'db1',
      port: '33306',
      database: 'shop',
      pdb: '',
      user: 'app',
      password: 's3cret',
      sslmode: 'require',
      sslrootcert: '',
    });
    assert.equal(draftText(draft), 'mysql://app:s3cret@db1:33306/shop?sslmode=require');
  }
  assert.match(withUrl(EMPTY_MYSQL, 'postgresql://app@db1/shop').problem ?? '', /PostgreSQL/);
});

test('a MySQL password comes back out of the URL whatever it holds, and is neither saved nor shown', () => {
  for (const password of ['p@ss/w#rd?', '100%', 'a:b@c', 'MARKER', "it's ünï"]) {
    const draft = withField(withField(withField(EMPTY_MYSQL, 'host', 'db1'), 'user', 'app'), 'password', password);
    assert.equal(mysqlParameters(draftText(draft)).get('password'), password);
    assert.equal(withUrl(EMPTY_MYSQL, `mysql://app:${password}@db1:3306/shop`).fields.password, password);
    const whole = `mysql://app:${password}@tcp(db1:3306)/shop`;
    for (let length = 1; length <= 'mysql://app:'.length + password.length; length++) {
      const saved = JSON.stringify(savedDraft(withUrl(EMPTY_MYSQL, whole.slice(0, length)), true));
      assert.ok('{"url":"mysql://app"}'.startsWith(saved.slice(0, -2)), `${whole.slice(0, length)}: ${saved}`);
    }
  }
  const draft = withUrl(EMPTY_MYSQL, 'mysql://app:MARKER-1@db1/shop?sslpassword=MARKER-2');
  assert.doesNotMatch(JSON.stringify(savedDraft(draft)), /MARKER/);
  assert.deepEqual(restoredDraft(savedDraft(draft), MYSQL_FORM).fields, { ...draft.fields, password: '' });
  assert.doesNotMatch(shownUrl(draft.url, '•'), /MARKER-1/);
  const half = withField(EMPTY_MYSQL, 'user', 'app');
  const open = draftConnection(withField(half, 'password', 'half-typed-my'), 'source', {});
  assert.equal(passwordOf(open), 'half-typed-my');
  assert.doesNotMatch(JSON.stringify(open), /half-typed-my/);
  assert.equal(mask('half-typed-my'), 'half-typed-my');
});

const EMPTY_ORACLE = emptyDraft(ORACLE_FORM);

test('an Oracle URL fills the fields, the pluggable database and the wallet among them, and fields make the URL', () => {
  const url = 'oracle://C%23%23APP:s3cret@db1:2484/ORCLCDB?pdb=PDB1&ssl=true&wallet=/w';
  for (const text of [
    url,
    'tcps://C%23%23APP:s3cret@db1:2484/ORCLCDB?pdb=PDB1&wallet=/w',
    url.replace('=true', '=on'),
  ]) {
    const draft = withUrl(EMPTY_ORACLE, text);
    assert.equal(draft.problem, undefined);
    assert.deepEqual(draft.fields, {
      host: 'db1',
      port: '2484',
      database: 'ORCLCDB',
      pdb: 'PDB1',
      user: 'C##APP',
      password: 's3cret',
      sslmode: 'true',
      sslrootcert: '/w',
    });
    assert.equal(draftText(draft), url, 'TLS is kept, whichever way it was asked for');
    assert.deepEqual(restoredDraft(savedDraft(draft), ORACLE_FORM).fields, { ...draft.fields, password: '' });
  }
  assert.match(withUrl(EMPTY_ORACLE, 'tcps://app@db1/x?ssl=false').problem ?? '', /scheme asks for TLS/);
  const typed = withField(withField(withField(EMPTY_ORACLE, 'host', 'db1'), 'database', 'ORCLCDB'), 'pdb', 'PDB1');
  assert.equal(draftText(typed), 'oracle://db1/ORCLCDB?pdb=PDB1');
  assert.equal(draftText(withField(typed, 'pdb', '')), 'oracle://db1/ORCLCDB');
});
