/** Asks for the settings by which a server removes its binary logs; those that a version does not have are not in the answer. */
export const EXPIRY_VARIABLES =
  "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('binlog_expire_logs_seconds', 'expire_logs_days', 'binlog_expire_logs_auto_purge')";

const DAY = 24 * 60 * 60;

/**
 * For how many seconds a server keeps its binary logs by its settings; undefined when it keeps them until somebody removes them.
 * Services remove them by rules of their own besides (on RDS `binlog retention hours`), which no variable shows.
 *
 * @see https://dev.mysql.com/doc/refman/8.4/en/replication-options-binary-log.html#sysvar_binlog_expire_logs_seconds
 */
export function keptSeconds(variables: ReadonlyMap<string, string>): number | undefined {
  if (/^(off|0)$/i.test(variables.get('binlog_expire_logs_auto_purge') ?? '')) return undefined;
  const seconds = Number(variables.get('binlog_expire_logs_seconds') ?? 0);
  // MySQL 8 takes the days only where no seconds are set; MariaDB shows one setting under both names.
  const days = Number(variables.get('expire_logs_days') ?? 0);
  return seconds || days * DAY || undefined;
}
