import type { ErrorCode } from '../../explanations/table.ts';
import type { MysqlIdentity } from './identity.ts';

/** From where a replication is to start or to go on. */
export interface StartQuestion {
  /** Undefined: nothing is stored and nothing was given. Printed, it is a GTID set, or a position of MariaDB. */
  readonly position: { toString(): string } | undefined;
  /** What the source that is connected to is. */
  readonly identity: MysqlIdentity;
  /** What was kept with the checkpoint; undefined when another tool wrote it, or when there is none. */
  readonly stored: Readonly<Record<string, string>> | undefined;
  /** SQL for the staging schema that forgets the checkpoint. */
  readonly forget?: string;
}

/** Something that does not keep from starting, and that somebody should know. */
export interface StartWarning {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The position can be started from. */
export interface StartVerdict {
  readonly warnings: readonly StartWarning[];
}

/** How to begin anew, for the fix of a refusal. */
export function startOver(
  forget = "DELETE FROM <staging schema>.memo WHERE key = 'mysql-wal-offset-<target schema>';",
): string {
  return `Copy the data again, forget the checkpoint at the target, and give the GTID set of the copy with --defaultGTIDSet:\n${forget}`;
}

/** A GTID set for a message: long ones are cut. */
export function shortened(set: string, most = 300): string {
  return set.length <= most ? set : `${set.slice(0, most)}… (${set.length} characters)`;
}
