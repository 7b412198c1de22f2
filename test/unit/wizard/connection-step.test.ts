import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import type { Servers } from '../../../src/wizard/servers.ts';
import { SourceStep, TargetStep } from '../../../src/wizard/steps/connection.tsx';
import type { TerminalOptions } from '../../harness/terminal.ts';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { CONNECTED, passwordOf, refusedBy, savedPlace, setupOn } from './setup-rig.ts';

const URL = 'postgresql://app:MARKER@db1:5432/shop';

/** Servers that let in who knows the password, and what was sent to them. */
function doorman(password = 'MARKER') {
  const asked: string[] = [];
  const testConnection: Servers['testConnection'] = async (description, side) => {
    const { user, host, port, database } = description;
    asked.push(`${user}:${passwordOf(description)}@${host}:${port}/${database}`);
    if (passwordOf(description) === password) return CONNECTED;
    const message = 'password authentication failed for user "app"';
    throw new OperatorError(
      'PG_PASSWORD',
      `${side} database at ${host}:${port} does not accept the password: ${message}`,
      {
        fix: 'check the password',
      },
    );
  };
  return { asked, testConnection };
}

async function open(t: TestContext, servers: Partial<Servers> = {}, place = savedPlace(t), size: TerminalOptions = {}) {
  const name = place.store.list()[0]?.name;
  const session = await setupOn(t, servers, place, name);
  return { session, place, ...(await showStep(t, SourceStep, session, size)) };
}

for (const size of SIZES) {
  test(`a URL that is pasted fills the fields, is tested at once and needs two Enters, ${sizeName(size)}`, async (t) => {
    const { terminal, went, session } = await open(t, doorman(), undefined, size);
    assert.match(terminal.screen(), /Paste it, or fill in the fields/);
    await terminal.paste(`${URL}?sslmode=require`);
    const screen = await terminal.waitFor('Connected to PostgreSQL 18.1');
    assert.match(screen, /URL .*:\/\/app:••••••••@db1:5432\/shop/);
    assert.match(screen, /Host +db1/);
    assert.match(screen, /database shop, user app, encrypted, answers within 2 ms/);
    await terminal.press('return');
    assert.match(terminal.screen(), /❯ Keep it +‹in the secrets file \(0600\)›/);
    await terminal.press('return');
    assert.deepEqual(went, ['next']);
    assert.equal(session.connectionText('source'), `${URL}?sslmode=require`);
    assert.doesNotMatch(terminal.raw(), /MARKER/);
  });

  test(`fields are filled in by keys, and the password is encoded for the user, ${sizeName(size)}`, async (t) => {
    const { terminal, went, session } = await open(t, doorman('p@ss/word'), undefined, size);
    await terminal.press('tab');
    for (const text of ['db1', '5433', 'shop', 'app', 'p@ss/word']) {
      await terminal.type(text);
      await terminal.press('tab');
    }
    await terminal.waitFor('Connected to');
    await terminal.press('right', 'return', 'return');
    await terminal.waitFor('Connected to');
    assert.deepEqual(went, ['next']);
    assert.equal(session.connectionText('source'), 'postgresql://app:p%40ss%2Fword@db1:5433/shop?sslmode=require');
    assert.doesNotMatch(terminal.raw(), /p@ss|p%40ss/);
  });
}

test('a wrong password is told with the reason and a hint; the right one goes on', async (t) => {
  const { terminal, went } = await open(t, doorman());
  await terminal.paste(URL.replace('MARKER', 'wrong'));
  const screen = await terminal.waitFor('✗ The password is not accepted');
  assert.match(screen, /authentication failed for user "app"/);
  assert.match(screen, /→ check the password/);
  await terminal.press('return', 'return');
  await terminal.waitFor('✗ The password is not accepted');
  assert.deepEqual(went, []);
  await terminal.press('up', 'up');
  assert.match(terminal.screen(), /❯ Password/);
  await terminal.press('ctrl+u');
  await terminal.type('MARKER');
  await terminal.press('return', 'return', 'return');
  await terminal.waitFor('Connected');
  assert.deepEqual(went, ['next']);
});

test('what fails is named: refused, host, TLS, database, pg_hba', async (t) => {
  const failures = [
    ['ECONNREFUSED', 'connect ECONNREFUSED', 'Nothing listens there'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND db1', 'There is no such host'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate', 'TLS does not work out'],
    ['ETIMEDOUT', 'connect ETIMEDOUT', 'No answer'],
  ];
  let next = 0;
  const { terminal } = await open(t, {
    testConnection: async (description, side) => {
      const [code, message] = failures[next];
      throw refusedBy(description, side, code, message);
    },
  });
  await terminal.paste(URL);
  for (next = 0; next < failures.length; next++) {
    await terminal.press('ctrl+t');
    const [, message, title] = failures[next];
    assert.match(await terminal.waitFor(`✗ ${title}`), new RegExp(message.slice(0, 10)));
  }
});

test('a password that is half typed is sent nowhere', async (t) => {
  const { asked, testConnection } = doorman();
  const { terminal } = await open(t, { testConnection });
  await terminal.paste('postgresql://app@db1/shop');
  await terminal.waitFor('The password is not accepted');
  await terminal.press('tab', 'tab', 'tab', 'tab', 'tab');
  assert.match(terminal.screen(), /❯ Password/);
  for (const key of 'MARK') await terminal.press(key);
  await terminal.waitFor('It is tested as soon as');
  for (const key of 'ER') await terminal.press(key);
  await terminal.press('tab');
  await terminal.waitFor('Connected');
  assert.deepEqual(asked, ['app:@db1:5432/shop', 'app:MARKER@db1:5432/shop']);
});

test('a result is never that of an older entry', async (t) => {
  const doors = new Map<string, PromiseWithResolvers<void>>();
  const { terminal } = await open(t, {
    testConnection: async ({ host }) => {
      doors.set(host, Promise.withResolvers<void>());
      await doors.get(host)?.promise;
      return { ...CONNECTED, database: host };
    },
  });
  await terminal.paste('postgresql://app@slow/shop');
  await terminal.waitFor('connecting');
  await terminal.press('ctrl+u');
  await terminal.paste('postgresql://app@fast/shop');
  while (!doors.has('fast')) await terminal.waitFor('URL');
  doors.get('fast')?.resolve();
  await terminal.waitFor('database fast');
  doors.get('slow')?.resolve();
  await terminal.press('tab');
  assert.match(terminal.screen(), /database fast/);
});

test('a reference takes the connection from the environment, and no file gets it', async (t) => {
  const place = savedPlace(t);
  place.env.SHOP_DB = URL;
  const { terminal, went, session } = await open(t, doorman(), place);
  await terminal.paste('$SHOP_DB');
  const screen = await terminal.waitFor('Connected to');
  assert.match(screen, /\$SHOP_DB is postgresql:\/\/app:\*{5}@db1:5432\/shop/);
  assert.doesNotMatch(screen, /Host/);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.replication.answers.source?.reference, '$SHOP_DB');
  assert.equal(place.secrets.get(session.replication.name, 'source'), undefined);
  assert.doesNotMatch(terminal.raw(), /MARKER/);
});

test('a reference to a variable that is not set says how to set it', async (t) => {
  const { terminal, went } = await open(t, doorman());
  await terminal.paste('$NOWHERE');
  const screen = await terminal.waitFor('✗ The variable is not set');
  assert.match(screen, /→ export NOWHERE='postgresql:\/\/user:password@host:5432\/database'/);
  await terminal.press('return');
  assert.deepEqual(went, []);
});

test('what was typed can be kept as a reference; the fields are there again, the password while the program runs', async (t) => {
  const { terminal, went, session, place } = await open(t, doorman());
  await terminal.paste(URL);
  await terminal.waitFor('Connected');
  await terminal.press('return', 'right');
  assert.match(terminal.screen(), /Keep it +‹in an environment variable›/);
  await terminal.press('return');
  assert.match(terminal.screen(), /❯ Variable {2}SOURCE/);
  assert.match(terminal.screen(), /Before a resume: export SOURCE='postgresql:/);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.source?.reference, '$SOURCE');
  const again = await showStep(t, SourceStep, session);
  await again.terminal.waitFor('Connected');
  assert.match(again.terminal.screen(), /postgresql:\/\/app:••••••••@db1:5432\/shop/);
  session.close();
  const other = await showStep(t, SourceStep, await setupOn(t, doorman(), { ...place, env: {} }, 'replication'));
  assert.match(other.terminal.screen(), /URL +postgresql:\/\/app@db1:5432\/shop/);
  assert.match(other.terminal.screen(), /Keep it +in an environment variable/);
});

test('a variable that holds something else is not taken', async (t) => {
  const place = savedPlace(t);
  place.env.SOURCE = 'postgresql://elsewhere/x';
  const { terminal, went } = await open(t, doorman(), place);
  await terminal.paste(URL);
  await terminal.press('return', 'right', 'return', 'return');
  assert.match(terminal.screen(), /SOURCE is set already, to something else/);
  assert.deepEqual(went, []);
  await terminal.press('2', 'return');
  await terminal.waitFor('Connected');
  assert.deepEqual(went, ['next']);
});

test('going back loses nothing, and no file holds the password', async (t) => {
  const place = savedPlace(t);
  const { terminal, went, session } = await open(t, doorman(), place);
  await terminal.paste(URL);
  await terminal.press('escape');
  assert.deepEqual(went, ['back']);
  const again = await showStep(t, SourceStep, session);
  await again.terminal.waitFor('Connected');
  session.close();
  assert.doesNotMatch(JSON.stringify(place.store.list()), /MARKER/);
  assert.equal(place.secrets.get('replication', 'source'), undefined);
});

test('a half-typed host survives a kill; a password is asked for again', async (t) => {
  const place = savedPlace(t);
  const { terminal, session } = await open(t, doorman(), place);
  await terminal.press('tab');
  await terminal.type('db1.exam');
  await terminal.press('tab', 'tab', 'tab', 'tab');
  await terminal.type('MARKER');
  session.close();
  assert.doesNotMatch(JSON.stringify(place.store.list()), /MARKER/);
  const later = await open(t, doorman(), place);
  assert.match(later.terminal.screen(), /Host +db1\.exam/);
  assert.match(later.terminal.screen(), /Password +none/);
});

test('the saved password is not sent to another host', async (t) => {
  const place = savedPlace(t);
  const first = await open(t, doorman(), place);
  first.session.keepConnection('source', URL);
  first.session.keepDraft('source', { host: 'elsewhere', port: '5432', user: 'app', database: 'shop' });
  first.session.close();
  const { asked, testConnection } = doorman();
  const { terminal } = await open(t, { testConnection }, place);
  await terminal.waitFor('The password is not accepted');
  assert.deepEqual(asked, ['app:@elsewhere:5432/shop']);
});

test('a source has to be PostgreSQL, a target may be CockroachDB', async (t) => {
  const cockroach: Partial<Servers> = {
    testConnection: async () => ({ ...CONNECTED, product: 'cockroachdb', version: '26.2.1' }),
  };
  const session = await setupOn(t, cockroach);
  const source = await showStep(t, SourceStep, session);
  await source.terminal.paste(URL);
  const screen = await source.terminal.waitFor('The source has to be PostgreSQL');
  assert.match(screen, /✗ Connected to CockroachDB 26\.2\.1/);
  await source.terminal.press('return', 'return');
  assert.deepEqual(source.went, []);
  const target = await showStep(t, TargetStep, session);
  await target.terminal.paste('postgresql://root@crdb:26257/defaultdb');
  await target.terminal.waitFor('✓ Connected to CockroachDB 26.2.1');
  await target.terminal.press('return', 'return');
  assert.deepEqual(target.went, ['next']);
  assert.equal(session.connectionText('target'), 'postgresql://root@crdb:26257/defaultdb');
});

test('a secrets file that is refused is told of, and nothing is lost', async (t) => {
  const { terminal, went, session } = await open(t, doorman());
  session.secrets.set = () => {
    throw new OperatorError('SECRETS_UNSAFE', 'the file can be read by others', { fix: 'chmod 600 it' });
  };
  await terminal.paste(URL);
  await terminal.waitFor('Connected');
  await terminal.press('return', 'return');
  await terminal.waitFor('the file can be read by others');
  assert.match(terminal.screen(), /chmod 600 it/);
  assert.deepEqual(went, []);
});

test('a target that is the source is warned of', async (t) => {
  const session = await setupOn(t);
  session.keepConnection('source', URL);
  const { terminal } = await showStep(t, TargetStep, session);
  await terminal.paste('postgresql://root@db1:5432/shop');
  await terminal.waitFor('▲ This is the database that the changes are read from.');
  await terminal.press('ctrl+u');
  await terminal.paste('postgresql://root@db1:5432/other');
  await terminal.waitFor('Connected');
  assert.doesNotMatch(terminal.screen(), /This is the database/);
});
