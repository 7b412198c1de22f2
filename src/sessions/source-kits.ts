import type { SourceKind } from './replication.ts';
import { MYSQL_KIT } from './mysql-kit.ts';
import { ORACLE_KIT } from './oracle-kit.ts';
import { POSTGRES_KIT } from './postgres-kit.ts';
import type { SourceKit } from './source-kit.ts';

const KITS: Readonly<Record<SourceKind, SourceKit>> = {
  pglogical: POSTGRES_KIT,
  mylogical: MYSQL_KIT,
  oraclelogminer: ORACLE_KIT,
};

/** The kit of a kind; of PostgreSQL where nothing was answered yet. */
export function kitOf(kind: SourceKind | undefined): SourceKit {
  return KITS[kind ?? 'pglogical'];
}
