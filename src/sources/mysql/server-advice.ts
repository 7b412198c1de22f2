import type { ErrorCode } from '../../explanations/table.ts';
import { OperatorError } from '../../errors.ts';
import type { Finding } from '../finding.ts';
import { isOn, type ServerFacts, variable } from './server-facts.ts';
import { settingChange } from './server-settings.ts';

/*
 * Settings with which a replication works, but not as well as it could. Their refusals are advice: the engine warns of them.
 */

/** Seconds: an interruption over a weekend, with a Monday to notice it. */
export const USUAL_RETENTION = 3 * 86_400;

/** Seconds for which the server keeps its binary logs; undefined when it removes none for their age. */
export function retentionSeconds(server: ServerFacts): number | undefined {
  const purge = variable(server, 'binlog_expire_logs_auto_purge');
  if (purge !== undefined && !isOn(purge)) return undefined;
  const seconds = Number(variable(server, 'binlog_expire_logs_seconds') ?? 0);
  if (seconds > 0) return seconds;
  const days = Number(variable(server, 'expire_logs_days') ?? 0);
  return days > 0 ? Math.round(days * 86_400) : undefined;
}

/** Whether the binary logs are kept for `wanted` seconds, as an interruption of that length needs. */
export function retentionFinding(server: ServerFacts, wanted: number = USUAL_RETENTION): Finding {
  const bytes = Number(variable(server, 'max_binlog_total_size', 'binlog_space_limit') ?? 0);
  const limited = bytes > 0 ? `, and at most ${bytes} bytes of them` : '';
  if (server.provider === 'rds') return rdsFinding();
  const seconds = retentionSeconds(server);
  if (seconds === undefined) return { found: `without limit of time${limited}` };
  const found = `kept for ${span(seconds)}${limited}`;
  if (seconds >= wanted) return { found };
  const known = variable(server, 'binlog_expire_logs_seconds') !== undefined;
  const change = known
    ? settingChange(server, ['binlog_expire_logs_seconds', String(wanted)])
    : settingChange(server, ['expire_logs_days', String(Math.ceil(wanted / 86_400))]);
  return advice(found, `${span(wanted)} or longer`, change, {
    code: 'MYSQL_RETENTION',
    message: `the source removes binary logs after ${span(seconds)}: a replication that stands still for longer has lost changes, and has to begin anew with a copy of the data`,
  });
}

/** Any image can be replicated; less than the whole row leaves less to go by. */
export function rowImageFinding(server: ServerFacts): Finding {
  const found = variable(server, 'binlog_row_image') ?? 'FULL';
  if (/^FULL/i.test(found)) return { found };
  return advice(found, 'FULL', settingChange(server, ['binlog_row_image', "'FULL'"]), {
    code: 'MYSQL_ROW_IMAGE',
    message: `the source's binlog_row_image is ${found}: only what changed is logged, so that an update of a row that the target lacks cannot make it whole there`,
  });
}

/** Partial updates of JSON values are applied to the old value, which has to be in the log then. */
export function partialJsonFinding(server: ServerFacts): Finding {
  const found = variable(server, 'binlog_row_value_options') ?? '';
  if (!/PARTIAL_JSON/i.test(found)) return { found: found === '' ? 'whole values' : found };
  const image = variable(server, 'binlog_row_image') ?? 'FULL';
  if (/^FULL/i.test(image)) return { found: `${found}, with binlog_row_image ${image}` };
  return advice(
    `${found}, with binlog_row_image ${image}`,
    "'', or binlog_row_image FULL",
    settingChange(server, ['binlog_row_value_options', "''"]),
    {
      code: 'MYSQL_PARTIAL_JSON',
      message: `the source logs only what changed within JSON values, and with binlog_row_image ${image} not the old values: the new ones cannot be put together, and the first such update stops the replication`,
    },
  );
}

/** A replica works as a source, and is behind its primary. */
export function replicaAdvice(server: ServerFacts): Finding {
  if (server.replica !== 'yes') return { found: server.replica === 'no' ? 'primary' : 'not to be seen by this user' };
  return {
    found: 'replica',
    refusal: {
      expected: 'the primary',
      error: new OperatorError(
        'MYSQL_REPLICA',
        'the source is a replica: changes arrive when it has applied them itself, and stand still when it does',
        { fix: 'Connect to the primary, unless this is meant.' },
      ),
    },
  };
}

/** Amazon's own job removes logs as soon as nobody of theirs needs them, whatever the variables say. */
function rdsFinding(): Finding {
  return {
    found: 'on Amazon RDS, where the variables do not count',
    refusal: {
      expected: 'binlog retention hours set',
      error: new OperatorError(
        'MYSQL_RETENTION',
        'the source is on Amazon RDS, which removes binary logs as soon as it can unless told to keep them',
        { fix: "CALL mysql.rds_show_configuration;\nCALL mysql.rds_set_configuration('binlog retention hours', 168);" },
      ),
    },
  };
}

function advice(
  found: string,
  expected: string,
  { fix, statements }: { readonly fix: string; readonly statements?: readonly string[] },
  { code, message }: { readonly code: ErrorCode; readonly message: string },
): Finding {
  return {
    found,
    refusal: { expected, error: new OperatorError(code, message, { fix }), ...(statements && { statements }) },
  };
}

/** "3 days", "36 hours", "90 seconds". */
function span(seconds: number): string {
  const [count, unit] =
    seconds % 86_400 === 0
      ? [seconds / 86_400, 'day']
      : seconds % 3600 === 0
        ? [seconds / 3600, 'hour']
        : [seconds, 'second'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
