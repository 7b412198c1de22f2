import { HOST_CLOCK } from '../../../../src/preflight/oracle-inquiry.ts';
import { WHO } from '../../../../src/preflight/oracle-source-facts.ts';
import { LOGMINING_PROBE, PACKAGE_PROBE } from '../../../../src/sources/oracle/privileges.ts';
import { SENTINEL } from '../../../../src/sources/oracle/sentinel.ts';
import {
  CONTAINER_NAME,
  LOG_SIZES,
  SENTINEL_COLUMNS,
  SERVER,
  SWITCHES,
  VERSION,
} from '../../../../src/sources/oracle/server-facts.ts';
import { OPEN_TRANSACTIONS, OPEN_TRANSACTIONS_OF_CLUSTER } from '../../../../src/sources/oracle/start-scn.ts';
import { type Answer, type AnswerColumn, OraError } from '../answer.ts';
import type { ModelSession } from '../model-session.ts';
import type { RedoModel } from '../redo-model.ts';

const texts = (...names: string[]): AnswerColumn[] => names.map((name) => ({ name, type: 'VARCHAR2', size: 512 }));

/** A session without containers is in the only database. */
function containerOf({ cdb, container }: RedoModel, { service }: ModelSession): string {
  if (!cdb) return service;
  return service === container ? service : 'CDB$ROOT';
}

/** A statement that changes the database, at its root, or something in the container that has the tables. */
function change(
  action: (model: RedoModel, match: RegExpExecArray) => void,
  sql: RegExp,
): Answer<RedoModel, ModelSession> {
  return {
    sql,
    answer(model, session, __, text) {
      const ofDatabase = text.startsWith('ALTER DATABASE');
      const inPdb = model.cdb && session.service === model.container;
      if (ofDatabase && inPdb) throw new OraError(65040, 'operation not allowed from within a pluggable database');
      if (!ofDatabase && model.cdb && !inPdb) throw new OraError(1918, "user 'APP' does not exist");
      const match = sql.exec(text);
      if (match !== null) action(model, match);
      return {};
    },
  };
}

/** What the server says of itself and its users, and the statements that mend it. */
export const SERVER_ANSWERS: readonly Answer<RedoModel, ModelSession>[] = [
  {
    sql: SERVER,
    answer(model, session) {
      const { logMode, minimal, key, all, force, openMode, role } = model.settings;
      const cdb = model.cdb ? 'YES' : 'NO';
      return {
        columns: texts('MODE', 'MIN', 'PK', 'ALL', 'FORCE', 'OPEN', 'ROLE', 'CDB', 'SCN', 'NAME'),
        rows: [
          [logMode, minimal, key, all, force, openMode, role, cdb, String(model.scn), containerOf(model, session)],
        ],
      };
    },
  },
  {
    sql: VERSION,
    answer: ({ settings }) => ({ columns: texts('VERSION'), rows: [[settings.version]] }),
  },
  {
    sql: CONTAINER_NAME,
    answer: (model, session) => ({ columns: texts('NAME'), rows: [[containerOf(model, session)]] }),
  },
  {
    sql: LOG_SIZES,
    answer: ({ settings }) => ({ columns: texts('BYTES', 'GROUPS'), rows: [[String(settings.logBytes), '3']] }),
  },
  {
    sql: SWITCHES,
    answer: ({ settings }) => ({ columns: texts('SWITCHES'), rows: [[String(settings.switches)]] }),
  },
  {
    sql: SENTINEL_COLUMNS,
    answer: (model, _, [owner]) => ({
      columns: texts('COLUMN_NAME'),
      rows: (model.tables.get(`${owner}.${SENTINEL}`)?.columns ?? []).map(({ name }) => [name]),
    }),
  },
  {
    sql: /^SELECT 1 FROM \S+ WHERE 1 = 0$/,
    answer: () => ({ columns: [{ name: '1', type: 'NUMBER' }], rows: [] }),
  },
  {
    sql: /^(SELECT|INSERT|UPDATE) .*"([^"]+)"\."REPLICATOR_SENTINEL" .*WHERE 1 = 0$/,
    answer({ denied, tables }, _, __, sql) {
      const [, verb, owner] = /^(\w+) .*"([^"]+)"\."REPLICATOR_SENTINEL"/.exec(sql) ?? [];
      if (!tables.has(`${owner}.${SENTINEL}`)) throw new OraError(942, 'table or view does not exist');
      if (denied.has(SENTINEL)) throw new OraError(1031, 'insufficient privileges');
      return verb === 'SELECT' ? { columns: texts('KEYCOL', 'LASTSCN'), rows: [] } : { affected: 0 };
    },
  },
  {
    sql: PACKAGE_PROBE,
    answer: ({ denied }) => ({
      columns: [{ name: '1', type: 'NUMBER' }],
      rows: denied.has('DBMS_LOGMNR') ? [] : [['1']],
    }),
  },
  {
    sql: LOGMINING_PROBE,
    answer: ({ denied }) => ({
      columns: [{ name: '1', type: 'NUMBER' }],
      rows: denied.has('LOGMINING') ? [] : [['1']],
    }),
  },
  ...[OPEN_TRANSACTIONS, OPEN_TRANSACTIONS_OF_CLUSTER].map(
    (sql): Answer<RedoModel, ModelSession> => ({
      sql,
      answer: (model) => ({
        columns: texts('START', 'USERNAME', 'TIME'),
        rows: [...model.open]
          .filter(({ changes }) => changes > 0)
          .map(({ firstScn, user }) => [String(firstScn), user, '11/23/26 02:00:00']),
      }),
    }),
  ),
  {
    sql: HOST_CLOCK,
    answer: () => ({ columns: texts('SECONDS'), rows: [[(Date.now() / 1000).toFixed(3)]] }),
  },
  {
    sql: WHO,
    answer: (model, session) => ({
      columns: texts('USER', 'NAME'),
      rows: [[session.user, containerOf(model, session)]],
    }),
  },
  change(({ settings }) => {
    settings.minimal = 'YES';
  }, /^ALTER DATABASE ADD SUPPLEMENTAL LOG DATA$/),
  change(({ settings }) => {
    settings.key = 'YES';
  }, /^ALTER DATABASE ADD SUPPLEMENTAL LOG DATA \(PRIMARY KEY\) COLUMNS$/),
  change(({ settings }) => {
    settings.all = 'YES';
  }, /^ALTER DATABASE ADD SUPPLEMENTAL LOG DATA \(ALL\) COLUMNS$/),
  change(({ settings }) => {
    settings.force = 'YES';
  }, /^ALTER DATABASE FORCE LOGGING$/),
  change((model, [, owner]) => {
    const number = (name: string, nullable: boolean) => ({ name, type: 'NUMBER', length: 22, nullable });
    model.createTable(owner, SENTINEL, [number('KEYCOL', false), number('LASTSCN', true)], ['KEYCOL']);
  }, /^CREATE TABLE "([^"]+)"\."REPLICATOR_SENTINEL" \(keycol NUMBER PRIMARY KEY, lastSCN NUMBER\)$/),
  change(({ tables }, [, owner, name]) => {
    const table = tables.get(`${owner}.${name}`);
    if (table !== undefined) table.allLogged = true;
  }, /^ALTER TABLE "([^"]+)"\."([^"]+)" ADD SUPPLEMENTAL LOG DATA \(ALL\) COLUMNS$/),
  change(() => {}, /^GRANT [A-Z, ]+ ON "[^"]+"\."REPLICATOR_SENTINEL" TO \S+$/),
];
