import assert from 'node:assert/strict';
import { test } from 'node:test';
import oracledb from 'oracledb';
import { type Answer, type BindValue, OraError } from '../servers/oracle/answer.ts';
import { type DoubleOptions, type DoubleSession, OracleDouble } from '../servers/oracle/double.ts';

/** What the answers of this test keep. */
interface Store {
  committed: (readonly BindValue[])[];
  pulled: number;
}

const ROW = 'ž€😀'.repeat(300);
const LARGE = 'ř🙂x'.repeat(30000);
const TYPES = [
  { name: 'TEXT', type: 'VARCHAR2' },
  { name: 'NUM', type: 'NUMBER' },
  { name: 'DAY', type: 'DATE' },
  { name: 'BYTES', type: 'RAW', size: 2000 },
  { name: 'LARGE', type: 'CLOB' },
] as const;

const NUMBERS = ['0', '-1', '100', '281474976710655', '9223372036854775807', '12345678901234567890', '0.1', '-0.00123'];
NUMBERS.push('-101', '9'.repeat(38), `-${'9'.repeat(38)}`, '3.14159265358979323846');

const texts = (names: readonly string[]) => names.map((name) => ({ name, type: 'VARCHAR2' }) as const);

const answers: readonly Answer<Store, DoubleSession>[] = [
  {
    sql: 'SELECT * FROM every_type',
    answer: () => ({
      columns: TYPES,
      rows: [
        [ROW, '-12.5', '2024-02-29 23:59:58', Buffer.from('0102ff', 'hex'), LARGE],
        [null, null, null, null, null],
        ['', '1', '1582-10-15', Buffer.alloc(2000, 7), 'short'],
        ['', '1', '1582-10-15', Buffer.alloc(300, 8), 'short'],
      ],
    }),
  },
  { sql: 'SELECT n FROM numbers', answer: () => ({ columns: [TYPES[1]], rows: NUMBERS.map((number) => [number]) }) },
  {
    sql: 'SELECT id, text FROM many WHERE id < :1',
    answer: (store, _session, [most]) => ({
      columns: [TYPES[1], ...texts(['TEXT', 'SAME'])],
      rows: (function* () {
        for (let id = 0; id < Number(most); id++) {
          store.pulled++;
          yield [String(id), `${id}${'é'.repeat(1900)}`, id % 3 === 0 ? null : 'the same'];
        }
      })(),
    }),
  },
  {
    sql: /SELECT .+ FROM echo/,
    answer: (_store, _session, binds) => ({
      columns: texts(['KIND', 'VALUE']),
      rows: binds.map((bind) => [
        Buffer.isBuffer(bind) ? 'buffer' : typeof bind,
        bind === null ? null : Buffer.isBuffer(bind) ? bind.toString('hex') : String(bind),
      ]),
    }),
  },
  {
    sql: 'SELECT id FROM torn',
    answer: () => ({
      columns: [TYPES[1]],
      rows: (function* () {
        for (let id = 0; id < 15; id++) yield [String(id)];
        throw new OraError(1555, 'snapshot too old');
      })(),
    }),
  },
  {
    sql: 'SELECT setting FROM session_settings',
    answer: (_store, { settings, user, service }) => ({
      columns: texts(['NAME', 'VALUE']),
      rows: [['user', user], ['service', service], ...[...settings].filter(([name]) => name.startsWith('NLS'))],
    }),
  },
  { sql: 'SELECT broken FROM dual', answer: () => ({ columns: [TYPES[1]], rows: [['no number']] }) },
  { sql: 'BEGIN plain; END;', answer: () => ({}) },
  {
    sql: 'BEGIN next(:given, :text, :count); END;',
    answer: (_store, _session, [given, , count]) => ({ out: [null, `of ${given}`, String((count as bigint) + 1n)] }),
  },
  {
    sql: 'INSERT INTO t (a, b) VALUES (:1, :2)',
    answer: (store, session, binds) => {
      if (binds[0] === 13n) throw new OraError(1, 'unique constraint (X.Y) violated');
      const pending = (session.state.get('pending') ?? []) as (readonly BindValue[])[];
      session.state.set('pending', [...pending, binds]);
      session.onCommit = () => {
        store.committed.push(...(session.state.get('pending') as (readonly BindValue[])[]));
        session.state.delete('pending');
      };
      session.onRollback = () => session.state.delete('pending');
      return { affected: 1 };
    },
  },
];

/** NUMBERs and CLOBs as text, as the engine reads them. */
const fetchTypeHandler = ({ dbType }: oracledb.Metadata<unknown>) =>
  dbType === oracledb.DB_TYPE_NUMBER || dbType === oracledb.DB_TYPE_CLOB ? { type: oracledb.STRING } : undefined;

for (const profile of ['19c', '23ai'] satisfies DoubleOptions<Store>['profile'][]) {
  const start = async (t: { after(action: () => Promise<void>): void }) => {
    const store: Store = { committed: [], pulled: 0 };
    const double = await OracleDouble.start({
      profile,
      users: { 'C##INSTAR': 'gehéim!' },
      services: ['ORCLCDB', 'ORCLPDB1'],
      answers,
      server: store,
    });
    t.after(() => double.close());
    const at = (service: string) => `127.0.0.1:${double.port}/${service}`;
    const connect = () =>
      oracledb.getConnection({ user: 'c##instar', password: 'gehéim!', connectString: at('orclpdb1') });
    return { store, double, at, connect };
  };

  const read = async (connection: oracledb.Connection, sql: string, binds: oracledb.BindParameters = []) =>
    (await connection.execute<(string | Date | Buffer | null)[]>(sql, binds, { fetchTypeHandler })).rows ?? [];

  test(`${profile}: a logon, and what refuses it`, async (t) => {
    const { double, at, connect } = await start(t);
    const login = (user: string, password: string, service: string) =>
      oracledb.getConnection({ user, password, connectString: at(service) });
    await assert.rejects(login('C##INSTAR', 'wrong', 'ORCLCDB'), { code: 'ORA-01017' });
    await assert.rejects(login('nobody', 'gehéim!', 'ORCLCDB'), { code: 'ORA-01017' });
    await assert.rejects(login('C##INSTAR', 'gehéim!', 'NONE'), { code: 'NJS-518' });
    double.refuse(12514);
    await assert.rejects(connect(), { code: 'NJS-518' });
    double.refuse(undefined);
    const connection = await connect();
    await connection.ping();
    assert.equal(double.connections, 1);
    assert.match(connection.oracleServerVersionString, profile === '19c' ? /^19\.28\./ : /^23\.26\./);
    await connection.execute("ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY ''x''' nls_numeric_characters='.,'");
    connection.module = 'instar';
    connection.action = 'mining';
    assert.deepEqual(await read(connection, '  SELECT setting\n FROM session_settings '), [
      ['user', 'C##INSTAR'],
      ['service', 'ORCLPDB1'],
      ['NLS_DATE_FORMAT', "YYYY 'x'"],
      ['NLS_NUMERIC_CHARACTERS', '.,'],
    ]);
    await connection.close();
    // Connect data too long for the first packet.
    const long = `(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT=${double.port}))(CONNECT_DATA=(SERVICE_NAME=ORCLCDB)(X=${'x'.repeat(400)})))`;
    const other = await oracledb.getConnection({ user: 'C##INSTAR', password: 'gehéim!', connectString: long });
    await other.close();
    assert.deepEqual(double.refused, []);
  });

  test(`${profile}: columns of every type, nulls, and text of several bytes`, async (t) => {
    const { double, connect } = await start(t);
    const connection = await connect();
    for (let run = 0; run < 2; run++) {
      const rows = await read(connection, 'SELECT * FROM every_type');
      assert.deepEqual(rows, [
        [ROW, '-12.5', new Date(2024, 1, 29, 23, 59, 58), Buffer.from('0102ff', 'hex'), LARGE],
        [null, null, null, null, null],
        [null, '1', new Date(1582, 9, 15), Buffer.alloc(2000, 7), 'short'],
        [null, '1', new Date(1582, 9, 15), Buffer.alloc(300, 8), 'short'],
      ]);
    }
    assert.deepEqual(
      (await read(connection, 'SELECT n FROM numbers')).flat(),
      // The driver writes no 0 before a point.
      NUMBERS.map((number) => number.replace(/^(-?)0\./, '$1.')),
    );
    await connection.close();
    assert.deepEqual(double.refused, []);
  });

  test(`${profile}: rows are made as the batches ask for them`, async (t) => {
    const { store, double, connect } = await start(t);
    const connection = await connect();
    const options = { resultSet: true, fetchArraySize: 1000, prefetchRows: 1000, fetchTypeHandler } as const;
    const { resultSet } = await connection.execute<string[]>(
      'SELECT id, text FROM many WHERE id < :1',
      [5000],
      options,
    );
    assert.ok(resultSet !== undefined);
    assert.equal(store.pulled, 1000);
    let count = 0;
    for (let rows = await resultSet.getRows(1000); rows.length > 0; rows = await resultSet.getRows(1000)) {
      assert.equal(rows.length, 1000);
      for (const [id, text, same] of rows) {
        assert.equal(id, String(count));
        assert.equal(text, `${count}${'é'.repeat(1900)}`);
        assert.equal(same, count % 3 === 0 ? null : 'the same');
        count++;
      }
    }
    await resultSet.close();
    assert.equal(count, 5000);
    // A cursor that is closed early gives the rest of its rows up.
    const early = await connection.execute<string[]>('SELECT id, text FROM many WHERE id < :1', [5000], options);
    await early.resultSet?.getRows(10);
    await early.resultSet?.close();
    await connection.ping();
    assert.equal(store.pulled, 6000);
    await connection.close();
    assert.deepEqual(double.refused, []);
  });

  test(`${profile}: binds of SQL`, async (t) => {
    const { double, connect } = await start(t);
    const connection = await connect();
    const binds = ['řetěz', 281474976710655n, -7, 1.5, null, '', Buffer.from('beef', 'hex'), 'q'.repeat(9000)];
    const expected = [
      ['string', 'řetěz'],
      ['bigint', '281474976710655'],
      ['bigint', '-7'],
      ['string', '1.5'],
      ['object', null],
      ['object', null],
      ['buffer', 'beef'],
    ];
    for (let run = 0; run < 3; run++) {
      const rows = await read(connection, 'SELECT :1, :2, :3, :4, :5, :6, :7 FROM echo', binds.slice(0, 7));
      assert.deepEqual(rows, expected);
    }
    assert.deepEqual(await read(connection, 'SELECT :b, :a FROM echo', { a: 1n, b: 'one' }), [
      ['string', 'one'],
      ['bigint', '1'],
    ]);
    await assert.rejects(read(connection, 'SELECT :1, :2 FROM echo', [binds[7], 1n]), /ORA-00600/);
    assert.equal(double.refused.length, 1);
    assert.match(double.refused[0], /VALUE has 9000 bytes, its column 4000/);
  });

  test(`${profile}: PL/SQL, DML, commit and rollback`, async (t) => {
    const { store, double, connect } = await start(t);
    const connection = await connect();
    await connection.execute('BEGIN plain; END;');
    for (let run = 0; run < 3; run++) {
      const { outBinds } = await connection.execute('BEGIN next(:given, :text, :count); END;', {
        given: 'abc',
        text: { dir: oracledb.BIND_OUT, type: oracledb.STRING, maxSize: 100 },
        count: { dir: oracledb.BIND_INOUT, val: 41, type: oracledb.NUMBER },
      });
      assert.deepEqual(outBinds, { text: 'of abc', count: 42 });
    }
    const insert = 'INSERT INTO t (a, b) VALUES (:1, :2)';
    assert.equal((await connection.execute(insert, [1, 'a'])).rowsAffected, 1);
    assert.deepEqual(store.committed, []);
    await connection.commit();
    await connection.execute(insert, [2, 'b']);
    await connection.rollback();
    await connection.execute(insert, [3, null], { autoCommit: true });
    await assert.rejects(connection.execute(insert, [13, 'x']), { code: 'ORA-00001' });
    const batch = [
      [4, 'd'],
      [5, 'e'],
    ];
    assert.equal((await connection.executeMany(insert, batch)).rowsAffected, 2);
    await connection.commit();
    assert.deepEqual(store.committed, [
      [1n, 'a'],
      [3n, null],
      [4n, 'd'],
      [5n, 'e'],
    ]);
    await connection.close();
    assert.deepEqual(double.refused, []);
  });

  test(`${profile}: errors before, in the middle of, and instead of rows`, async (t) => {
    const { double, connect } = await start(t);
    const connection = await connect();
    const options = { resultSet: true, fetchArraySize: 10, prefetchRows: 10, fetchTypeHandler } as const;
    const { resultSet } = await connection.execute('SELECT id FROM torn', [], options);
    assert.equal((await resultSet?.getRows(10))?.length, 10);
    await assert.rejects(async () => resultSet?.getRows(10), { code: 'ORA-01555' });
    double.failNext(/numbers/, new OraError(1291, 'missing log file'), 2);
    double.failNext(/^COMMIT$/, new OraError(2091, 'transaction rolled back'));
    await assert.rejects(read(connection, 'SELECT n FROM numbers'), { code: 'ORA-01291', errorNum: 1291 });
    await assert.rejects(read(connection, 'SELECT n FROM numbers'), { code: 'ORA-01291' });
    assert.equal((await read(connection, 'SELECT n FROM numbers')).length, NUMBERS.length);
    await assert.rejects(connection.commit(), { code: 'ORA-02091' });
    assert.deepEqual(double.refused, []);
    await assert.rejects(connection.execute('SELECT unheard FROM of'), { code: 'ORA-00900' });
    // It ends the connection, for the driver.
    await assert.rejects(read(connection, 'SELECT broken FROM dual'), /ORA-00600/);
    assert.equal(double.refused.length, 2);
    assert.equal(double.refused[0], 'SELECT unheard FROM of');
    assert.match(double.refused[1], /^SELECT broken FROM dual: .*"no number" is not a NUMBER/);
  });

  test(`${profile}: connections that are cut off end with an error`, async (t) => {
    const { double, connect } = await start(t);
    const sql = 'SELECT id, text FROM many WHERE id < :1';
    const closed = { code: 'NJS-500' };
    const received = await connect();
    double.dropNext(/FROM many/);
    await assert.rejects(received.execute(sql, [10]), closed);
    for (const rows of [1000, 1500]) {
      const connection = await connect();
      double.dropNext(/FROM many/, { rows });
      const options = { resultSet: true, fetchArraySize: 1000, prefetchRows: 1000, fetchTypeHandler } as const;
      const { resultSet } = await connection.execute(sql, [5000], options);
      assert.equal((await resultSet?.getRows(1000))?.length, 1000);
      await assert.rejects(async () => resultSet?.getRows(1000), closed);
    }
    const held = await connect();
    double.hold(/FROM many/);
    const waiting = held.execute(sql, [10]);
    const dropped = assert.rejects(waiting, closed);
    await (await connect()).ping();
    double.dropAll();
    await dropped;
    assert.deepEqual(double.refused, []);
  });

  test(`${profile}: a call that takes too long is cancelled, and the connection goes on`, async (t) => {
    const { store, double, connect } = await start(t);
    const connection = await connect();
    const release = double.hold(/^SELECT id/);
    const sql = 'SELECT id, text FROM many WHERE id < :1';
    connection.callTimeout = 50;
    await assert.rejects(connection.execute(sql, [10]), { code: 'NJS-123' });
    connection.callTimeout = 0;
    await connection.ping();
    const waiting = connection.execute(sql, [10]);
    const broken = assert.rejects(waiting, { code: 'ORA-01013' });
    // The break must find the call under way: it has been sent when another connection has had an answer after it.
    await (await connect()).close();
    await connection.break();
    await broken;
    release();
    assert.equal(store.pulled, 0);
    assert.equal((await read(connection, sql, [10])).length, 10);
    await connection.close();
    assert.deepEqual(double.refused, []);
  });
}
