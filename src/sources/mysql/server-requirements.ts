import type { ErrorCode } from '../../explanations/table.ts';
import { OperatorError } from '../../errors.ts';
import type { Finding } from '../finding.ts';
import { productName } from './flavour.ts';
import { isOn, type ServerFacts, statusColumn, variable } from './server-facts.ts';
import { restartChange, type SettingChange, settingChange } from './server-settings.ts';

/** Servers before these do not send what is needed, or are not tested. */
const OLDEST = { mysql: 50700, mariadb: 100600 } as const;
const OLDEST_TEXT = { mysql: 'MySQL 5.7', mariadb: 'MariaDB 10.6' } as const;

/** They answer as MySQL does and have no binary log of its kind. */
const LOOK_ALIKE = /tidb|vitess|oceanbase|dolt|singlestore/i;

export function versionFinding({ version }: ServerFacts): Finding {
  const { flavour, number, text } = version;
  const plain = LOOK_ALIKE.test(text) ? undefined : /^\d+(?:\.\d+)*/.exec(text)?.[0];
  const found = `${productName(flavour)} ${plain ?? text}`;
  if (number >= OLDEST[flavour] && plain !== undefined) return { found };
  const expected = `${OLDEST_TEXT[flavour]} or newer`;
  return {
    found,
    refusal: {
      expected,
      error: new OperatorError('MYSQL_VERSION', `the source is ${found}; ${expected} is needed`, {
        fix: 'Upgrade the source, or replicate from a newer replica of it.',
      }),
    },
  };
}

export function logBinFinding(server: ServerFacts): Finding {
  if (isOn(variable(server, 'log_bin'))) return { found: 'on' };
  const settings = [
    ['log_bin', 'binlog'],
    ['server_id', variable(server, 'server_id') === '0' ? '1' : (variable(server, 'server_id') ?? '1')],
  ] as const;
  return refused('off', 'on', restartChange(server, ...settings), {
    code: 'MYSQL_LOG_BIN',
    message: 'the source writes no binary log (log_bin is off), so that there is nothing to read changes from',
  });
}

export function serverIdFinding(server: ServerFacts): Finding {
  const id = variable(server, 'server_id') ?? '0';
  if (id !== '0') return { found: id };
  return refused('0', 'another number than 0', settingChange(server, ['server_id', '1']), {
    code: 'MYSQL_SERVER_ID',
    message: 'the source has no server id (server_id is 0), and sends its binary log to nobody',
  });
}

/** The steps in which gtid_mode may be changed; each is refused while transactions of the one before are open. */
const GTID_MODES: readonly string[] = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'];

/** Only MySQL has the setting: MariaDB gives every transaction a GTID. */
export function gtidModeFinding(server: ServerFacts): Finding {
  if (server.version.flavour === 'mariadb') return { found: 'always on with MariaDB' };
  const mode = (variable(server, 'gtid_mode') ?? 'OFF').toUpperCase();
  if (mode === 'ON') return { found: 'ON' };
  const steps = GTID_MODES.slice(GTID_MODES.indexOf(mode) + 1);
  const consistency = isOn(variable(server, 'enforce_gtid_consistency'))
    ? []
    : ([['enforce_gtid_consistency', 'ON']] as const);
  const change = settingChange(server, ...consistency, ...steps.map((step) => ['gtid_mode', step] as const));
  return refused(
    mode,
    'ON',
    {
      ...change,
      fix: `${change.fix}\n-- on each server of a replication chain, one step on all of them before the next; a step is refused while transactions without a GTID are open`,
    },
    {
      code: 'MYSQL_GTID_MODE',
      message: `the source's gtid_mode is ${mode}: not every transaction has a GTID, by which a replication knows what it has and what it lacks; it must be ON`,
    },
  );
}

export function gtidConsistencyFinding(server: ServerFacts): Finding {
  if (server.version.flavour === 'mariadb') return { found: 'always on with MariaDB' };
  const found = variable(server, 'enforce_gtid_consistency') ?? 'OFF';
  if (isOn(found)) return { found };
  return refused(found, 'ON', settingChange(server, ['enforce_gtid_consistency', 'ON']), {
    code: 'MYSQL_GTID_CONSISTENCY',
    message: `the source's enforce_gtid_consistency is ${found}: it lets statements through that cannot be logged with one GTID; it must be ON`,
  });
}

/** A server that has no such setting any more logs rows. */
export function binlogFormatFinding(server: ServerFacts): Finding {
  const found = variable(server, 'binlog_format') ?? 'ROW';
  if (found.toUpperCase() === 'ROW') return { found };
  return refused(found, 'ROW', inNewSessions(settingChange(server, ['binlog_format', "'ROW'"])), {
    code: 'MYSQL_BINLOG_FORMAT',
    message: `the source's binlog_format is ${found}: it logs statements, which cannot be replicated, in place of the rows that they change; it must be ROW`,
  });
}

/** True when the names and types of columns have to be read from the catalogue: asked for, or the server is too old to log them. */
export function fetchesMetadata(server: ServerFacts, asked: boolean): boolean {
  return asked || variable(server, 'binlog_row_metadata') === undefined;
}

/** `fetchMetadata`: as the operator wishes (`--fetchMetadata`). */
export function rowMetadataFinding(server: ServerFacts, fetchMetadata: boolean): Finding {
  const found = variable(server, 'binlog_row_metadata');
  if (found === undefined) return { found: 'not there; read from the catalogue instead' };
  if (found.toUpperCase() === 'FULL') return { found };
  if (fetchMetadata) return { found: `${found}; read from the catalogue instead (--fetchMetadata)` };
  const change = settingChange(server, ['binlog_row_metadata', "'FULL'"]);
  return refused(
    found,
    'FULL, or --fetchMetadata',
    {
      ...change,
      fix: `${change.fix}\n-- what was logged before still lacks it: begin after this change, or use --fetchMetadata, which reads names and types from the catalogue as they are now`,
    },
    {
      code: 'MYSQL_ROW_METADATA',
      message: `the source's binlog_row_metadata is ${found}: its log does not say what the columns are called, nor all of their types`,
    },
  );
}

/** `database`: the one that is replicated; undefined for all of them. */
export function binlogFilterFinding({ status, variables }: ServerFacts, database: string | undefined): Finding {
  if (status === undefined) return { found: 'not to be seen by this user' };
  const list = (column: string) => (statusColumn(status, column) ?? '').split(',').filter((name) => name !== '');
  const only = list('Binlog_Do_DB');
  const without = list('Binlog_Ignore_DB');
  if (only.length === 0 && without.length === 0) return { found: 'none' };
  const folds = variables.get('lower_case_table_names') !== '0';
  const same = (a: string) => (b: string) => (folds ? a.toLowerCase() === b.toLowerCase() : a === b);
  const rules = [
    ...(only.length > 0 ? [`binlog_do_db ${only.join(', ')}`] : []),
    ...(without.length > 0 ? [`binlog_ignore_db ${without.join(', ')}`] : []),
  ].join('; ');
  // What binlog_do_db names is logged; binlog_ignore_db counts only without it.
  const logged =
    database !== undefined && (only.length > 0 ? only.some(same(database)) : !without.some(same(database)));
  if (logged) return { found: `${rules}: ${database} is logged` };
  return {
    found: rules,
    refusal: {
      expected: database === undefined ? 'no filter' : `a filter that lets ${database} through`,
      error: new OperatorError(
        'MYSQL_BINLOG_FILTER',
        `the source leaves ${database === undefined ? 'databases' : `database ${database}`} out of its binary log (${rules}): those changes are nowhere to be read`,
        { fix: 'Take binlog_do_db and binlog_ignore_db out of the configuration of the server, then restart it.' },
      ),
      restart: true,
    },
  };
}

/** A replica logs what it gets from its primary only with log_replica_updates. */
export function replicaFinding(server: ServerFacts): Finding {
  const names = ['log_replica_updates', 'log_slave_updates'] as const;
  const name = names.find((each) => variable(server, each) !== undefined) ?? 'log_replica_updates';
  const logs = isOn(variable(server, ...names));
  if (server.replica === 'no') return { found: 'primary' };
  if (server.replica === 'unknown') {
    return { found: logs ? 'not to be seen by this user; would be logged' : 'not to be seen by this user' };
  }
  if (logs) return { found: `replica, with ${name} on` };
  return refused('replica', `the primary, or ${name} on`, restartChange(server, [name, 'ON']), {
    code: 'MYSQL_REPLICA_NOT_LOGGING',
    message: `the source is a replica that does not log what it gets from its primary (${name} is off), so that those changes are not in its binary log`,
    otherwise: 'Or connect to the primary.',
  });
}

interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  /** Another way out. */
  readonly otherwise?: string;
}

function refused(found: string, expected: string, change: SettingChange, problem: Problem): Finding {
  const { fix, statements, restart } = change;
  const { code, message, otherwise } = problem;
  const error = new OperatorError(code, message, { fix: otherwise === undefined ? fix : `${fix}\n${otherwise}` });
  return { found, refusal: { expected, error, ...(statements && { statements }), ...(restart && { restart }) } };
}

/** Sessions that are open keep the value that they began with. */
function inNewSessions(change: SettingChange): SettingChange {
  return {
    ...change,
    fix: `${change.fix}\n-- sessions that are open keep the old value: restart the applications' connections`,
  };
}
