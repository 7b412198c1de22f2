import {
  ADD_FIRST_LOG,
  ADD_LOG,
  CURRENT_SCN,
  END_LOGMINER,
  START_LOGMINER,
  windowQuery,
} from '../../../../src/sources/oracle/logminer-session.ts';
import { ARCHIVED_LOGS, ONLINE_LOGS, THREADS } from '../../../../src/sources/oracle/log-files.ts';
import { LOG_HORIZON } from '../../../../src/sources/oracle/log-horizon.ts';
import {
  type Answer,
  type AnswerColumn,
  type AnswerResult,
  type AnswerValue,
  type BindValue,
  OraError,
} from '../answer.ts';
import type { ModelLog } from '../redo-log.ts';
import type { RedoModel, RedoRecord } from '../redo-model.ts';
import { parts } from '../redo-text.ts';
import type { ModelSession } from '../model-session.ts';

const STATE = 'logminer';

/** What LogMiner keeps for a session. */
interface LogMinerState {
  files: ModelLog[];
  range: { readonly from: bigint; readonly to: bigint } | undefined;
}

function stateOf(session: ModelSession): LogMinerState {
  let state = session.state.get(STATE) as LogMinerState | undefined;
  if (state === undefined) {
    state = { files: [], range: undefined };
    session.state.set(STATE, state);
  }
  return state;
}

/** LogMiner belongs to the root container. */
function inRoot(model: RedoModel, session: ModelSession): void {
  if (model.cdb && session.service === model.container) {
    throw new OraError(65040, 'operation not allowed from within a pluggable database');
  }
}

function addLog(model: RedoModel, session: ModelSession, name: string, anew: boolean): AnswerResult {
  inRoot(model, session);
  if (model.denied.has('DBMS_LOGMNR')) {
    throw new OraError(6550, `line 1, column 7:\nPLS-00201: identifier 'DBMS_LOGMNR' must be declared`);
  }
  const state = stateOf(session);
  if (anew) state.files = [];
  state.range = undefined;
  const log = model.logs.byName(name);
  if (log === undefined) throw new OraError(1284, `file ${name} cannot be opened`);
  if (state.files.includes(log)) throw new OraError(1289, `cannot add duplicate logfile ${name}`);
  state.files.push(log);
  return {};
}

function start(model: RedoModel, session: ModelSession, from: bigint, to: bigint): AnswerResult {
  inRoot(model, session);
  const state = stateOf(session);
  if (state.files.length === 0)
    throw new OraError(1292, 'no log file has been specified for the current LogMiner session');
  if (to <= from) throw new OraError(1281, 'SCN range specified is invalid');
  if (from > model.scn) throw new OraError(1281, 'SCN range specified is invalid');
  for (let thread = 1; thread <= model.threads; thread++) {
    let at = from;
    const files = state.files.filter((log) => log.thread === thread).sort((a, b) => a.sequence - b.sequence);
    for (const log of files) if (log.first <= at && log.next > at) at = log.next;
    if (at <= to) throw new OraError(1291, 'missing log file');
  }
  state.range = { from, to };
  return {};
}

const WINDOW_COLUMNS: readonly AnswerColumn[] = [
  { name: 'SCN', type: 'VARCHAR2', size: 40 },
  { name: 'XID', type: 'VARCHAR2', size: 16 },
  { name: 'OPERATION', type: 'VARCHAR2', size: 40 },
  { name: 'ROLLBACK', type: 'VARCHAR2', size: 40 },
  { name: 'CSF', type: 'VARCHAR2', size: 40 },
  { name: 'SEG_OWNER', type: 'VARCHAR2', size: 384 },
  { name: 'TABLE_NAME', type: 'VARCHAR2', size: 384 },
  { name: 'ROW_ID', type: 'VARCHAR2', size: 18 },
  { name: 'STATUS', type: 'VARCHAR2', size: 40 },
  { name: 'INFO', type: 'VARCHAR2', size: 384 },
  { name: 'TIME', type: 'VARCHAR2', size: 19 },
  { name: 'SQL_REDO', type: 'VARCHAR2', size: 16000 },
];

/** Operations that the window query leaves out. */
const LEFT_OUT = new Set([0, 6, 25, 27]);
const MISSING = 34;
const ENDS = new Set([7, MISSING, 36]);
/** How the query asks for redo that cannot be seen, which is of no container. */
const HOLES_OF_ALL = /\bOR OPERATION_CODE = 34\)/;

function* windowRows(
  model: RedoModel,
  session: ModelSession,
  [after, to, owner, container]: readonly BindValue[],
  sql: string,
): Generator<readonly AnswerValue[]> {
  if (model.denied.has('LOGMINING')) throw new OraError(1031, 'insufficient privileges');
  const { range, files } = stateOf(session);
  if (range === undefined)
    throw new OraError(1306, 'dbms_logmnr.start_logmnr() must be invoked before selecting from v$logmnr_contents');
  const first = BigInt(String(after));
  const last = BigInt(String(to));
  for (let i = model.firstAfter(first); i < model.flushed; i++) {
    const record = model.redo[i];
    if (record.scn > last) break;
    if (model.slow?.thread === record.thread && i >= model.slow.from) continue;
    // Of the range that was started, one more at either end is shown.
    if (record.scn < range.from - 1n || record.scn > range.to + 1n) continue;
    const hole = record.operation === MISSING && HOLES_OF_ALL.test(sql);
    if (container !== undefined && record.container !== container && !hole) continue;
    const ours = (record.owner === owner || record.owner === 'UNKNOWN') && !LEFT_OUT.has(record.operation);
    if (!ours && !ENDS.has(record.operation)) continue;
    const file = files.find((log) => log.thread === record.thread && log.first <= record.scn && log.next > record.scn);
    if (file === undefined || (!file.online && file.archive !== 'there')) {
      throw new OraError(310, 'archived log contains sequence 4711; sequence 4708 required');
    }
    yield* rowsOf(model, session, record);
  }
}

function rowsOf(model: RedoModel, session: ModelSession, record: RedoRecord): AnswerValue[][] {
  const sql = model.render(record, session.settings, { rowIds: false });
  const pieces = parts(sql);
  const time = new Date(record.time + model.zone * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
  return pieces.map((piece, i) => [
    String(record.scn),
    record.xid,
    String(record.operation),
    record.rollback ? '1' : '0',
    i < pieces.length - 1 ? '1' : '0',
    record.owner,
    record.table,
    record.rowId,
    String(record.status),
    record.info,
    time,
    piece,
  ]);
}

const text = (name: string): AnswerColumn => ({ name, type: 'VARCHAR2', size: 512 });

function logRows(model: RedoModel, from: BindValue, to: BindValue, archived: boolean): AnswerValue[][] {
  const [first, last] = [BigInt(String(from)), BigInt(String(to))];
  const { logs } = model.logs;
  const found = logs.filter((log) => log.next > first && log.first <= last);
  if (!archived) {
    return found
      .filter((log) => log.online)
      .map((log) => [
        model.logs.onlineName(log),
        String(log.thread),
        String(log.sequence),
        String(log.first),
        String(log.next),
      ]);
  }
  return found
    .filter((log) => log.archive === 'there' || log.archive === 'deleted')
    .map((log) => [
      log.archive === 'there' ? model.logs.archiveName(log) : null,
      String(log.thread),
      String(log.sequence),
      String(log.first),
      String(log.next),
      log.archive === 'there' ? 'A' : 'D',
    ]);
}

/** How old a time is, in seconds, as a server tells it. */
function age(times: readonly number[]): string | null {
  return times.length === 0 ? null : String(Math.round((Date.now() - Math.max(...times)) / 1000));
}

function horizonOf({ logs: { logs } }: RedoModel, mineFrom: bigint): (string | null)[] {
  const archived = logs.filter(({ archive }) => archive === 'there' || archive === 'deleted');
  const nextOf = ({ thread, sequence }: ModelLog) =>
    logs.find((log) => log.thread === thread && log.sequence === sequence + 1)?.begun ?? 0;
  return [
    age(archived.filter(({ archive }) => archive === 'deleted').map(nextOf)),
    age(archived.filter(({ first }) => first <= mineFrom).map(({ begun }) => begun)),
  ];
}

/** LogMiner, and the views that tell which logs there are. */
export const LOGMINER_ANSWERS: readonly Answer<RedoModel, ModelSession>[] = [
  { sql: ADD_FIRST_LOG, answer: (model, session, [name]) => addLog(model, session, String(name), true) },
  { sql: ADD_LOG, answer: (model, session, [name]) => addLog(model, session, String(name), false) },
  {
    sql: START_LOGMINER,
    answer: (model, session, [from, to]) => start(model, session, BigInt(String(from)), BigInt(String(to))),
  },
  {
    sql: END_LOGMINER,
    answer(_, session) {
      const state = stateOf(session);
      if (state.range === undefined) throw new OraError(1307, 'no LogMiner session is currently active');
      session.state.delete(STATE);
      return {};
    },
  },
  {
    sql: windowQuery(false),
    answer: (model, session, binds, sql) => ({ columns: WINDOW_COLUMNS, rows: windowRows(model, session, binds, sql) }),
  },
  {
    sql: windowQuery(true),
    answer: (model, session, binds, sql) => ({ columns: WINDOW_COLUMNS, rows: windowRows(model, session, binds, sql) }),
  },
  {
    sql: CURRENT_SCN,
    answer: (model) => ({
      columns: [text('SCN'), text('ZONE')],
      rows: [[String(model.scn), `+${String(model.zone).padStart(2, '0')}:00`]],
    }),
  },
  {
    sql: THREADS,
    answer: (model) => ({
      columns: ['NUMBER', 'STATUS', 'ENABLED', 'CHECKPOINT', 'LAST', 'STATE'].map(text),
      rows: Array.from({ length: model.threads }, (_, i) => [
        String(i + 1),
        'OPEN',
        '1',
        String(model.scn - 500n),
        String(model.lastRedo(i + 1)),
        'PUBLIC',
      ]),
    }),
  },
  {
    sql: ONLINE_LOGS,
    answer: (model, _, [from, to]) => ({
      columns: ['MEMBER', 'THREAD', 'SEQUENCE', 'FIRST', 'NEXT'].map(text),
      rows: logRows(model, from, to, false),
    }),
  },
  {
    sql: LOG_HORIZON,
    answer: (model, _, [mineFrom]) => ({
      columns: ['KEPT', 'NEEDED'].map(text),
      rows: [horizonOf(model, BigInt(String(mineFrom)))],
    }),
  },
  {
    sql: ARCHIVED_LOGS,
    answer: (model, _, [from, to]) => ({
      columns: ['NAME', 'THREAD', 'SEQUENCE', 'FIRST', 'NEXT', 'STATUS'].map(text),
      rows: logRows(model, from, to, true),
    }),
  },
];
