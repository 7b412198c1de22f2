import type { CheckSide } from '../preflight/check.ts';
import type { ConnectionFacts } from '../preflight/connection-test.ts';
import type { SourceKind } from '../sessions/replication.ts';
import { MYSQL_SETUP } from './mysql-setup.ts';
import { ORACLE_SETUP } from './oracle-setup.ts';
import { POSTGRES_SETUP } from './postgres-setup.ts';
import type { SourceSetup } from './source-setup.ts';

/** Every kind of source, in the order in which they are offered. */
export const SOURCE_SETUPS: readonly SourceSetup[] = [POSTGRES_SETUP, MYSQL_SETUP, ORACLE_SETUP];

/** The setup of a kind; of PostgreSQL where nothing was answered yet. */
export function setupOf(kind: SourceKind | undefined): SourceSetup {
  return SOURCE_SETUPS.find((each) => each.kind === kind) ?? POSTGRES_SETUP;
}

/** The kind whose connection strings begin as `text` does; undefined when that does not tell. */
export function kindOfText(text: string): SourceKind | undefined {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
  return SOURCE_SETUPS.find(({ form }) => scheme !== undefined && form.schemes.includes(scheme))?.kind;
}

/** Why what answers cannot be on this side of a replication from that kind of source. */
export function unfitness(
  side: CheckSide,
  kind: SourceKind | undefined,
  { product }: ConnectionFacts,
): string | undefined {
  const { products, otherProduct } = setupOf(kind);
  return side === 'target' || products.includes(product) ? undefined : otherProduct;
}
