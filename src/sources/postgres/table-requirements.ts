import { escapeIdentifier } from 'pg';
import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import { type Finding, refuseFirst } from '../finding.ts';
import type { PublicationFacts } from './publication.ts';
import type { PublishedTable } from './published-tables.ts';
import { readableIdentifier } from '../readable-identifier.ts';
import { quotedTable, readableTable, type TableName } from '../table-name.ts';

/**
 * Refuses publications whose tables cannot be told apart on the target, or whose rows cannot be identified. A table that
 * merely lacks a replica identity is only warned of: PostgreSQL itself refuses to update or delete its rows, so nothing can
 * be lost, and its inserts are replicated.
 */
export function checkPublishedTables(
  publication: PublicationFacts,
  published: readonly PublishedTable[],
  log: Logger,
): void {
  refuseFirst([publishedFinding(publication, published), nameClashFinding(published, publication)]);
  if (!needsIdentity(publication)) return;
  refuseFirst([partitionFinding(published)]);
  const unidentified = withoutIdentity(published);
  if (unidentified.length > 0) {
    log.warn(
      'published tables without a replica identity: inserts are replicated, the source refuses updates and deletes',
      {
        code: 'PG_REPLICA_IDENTITY',
        tables: unidentified.map(readableTable).join(', '),
        fix: unidentified.map((table) => `ALTER TABLE ${readableTable(table)} REPLICA IDENTITY FULL;`).join(' '),
      },
    );
  }
}

/** True when the publication sends changes of rows that were there before. */
export function needsIdentity({ publishes }: PublicationFacts): boolean {
  return publishes.update || publishes.delete;
}

/** Whether the publication has tables at all. */
export function publishedFinding(publication: PublicationFacts, published: readonly PublishedTable[]): Finding {
  if (published.length > 0) return { found: published.length === 1 ? '1 table' : `${published.length} tables` };
  return {
    found: 'none',
    refusal: {
      expected: 'tables',
      error: new OperatorError(
        'PG_PUBLICATION_EMPTY',
        `publication ${publication.name} has no tables, so nothing would be replicated`,
        {
          fix: publication.allTables
            ? 'Create the tables in the source database first; the publication takes in all of them.'
            : `ALTER PUBLICATION ${readableIdentifier(publication.name)} ADD TABLE <table>;`,
        },
      ),
    },
  };
}

/** Whether any two have one name: tables go to one target schema, where only their names tell them apart. */
export function nameClashFinding(published: readonly PublishedTable[], publication?: PublicationFacts): Finding {
  const byName = new Map<string, TableName>();
  for (const { table } of published) {
    const other = byName.get(table.name);
    if (other !== undefined) {
      const drop =
        publication === undefined
          ? ''
          : `:\nALTER PUBLICATION ${readableIdentifier(publication.name)} DROP TABLE ${readableTable(table)};`;
      return {
        found: `${readableTable(other)} and ${readableTable(table)}`,
        refusal: {
          expected: 'no two tables of one name',
          error: new OperatorError(
            'PG_TABLE_NAME_CLASH',
            `${readableTable(other)} and ${readableTable(table)} are both published and would be mixed in one target table`,
            { fix: `Publish them through two publications and replicate each to a target schema of its own${drop}` },
          ),
        },
      };
    }
    byName.set(table.name, table);
  }
  return { found: 'no two tables of one name' };
}

/**
 * Whether partitions fit the table as which they are published: the server describes that one by its own replica identity
 * but sends old rows by that of the partition.
 */
export function partitionFinding(published: readonly PublishedTable[]): Finding {
  const wrong = published.filter((each) => each.mismatchedPartitions.length > 0);
  if (wrong.length === 0) return { found: 'each like its table' };
  const list = wrong.map((each) => `${readableTable(each.table)} (${each.mismatchedPartitions.join(', ')})`).join('; ');
  return {
    found: list,
    refusal: {
      expected: 'one replica identity for a table and its partitions',
      error: new OperatorError(
        'PG_REPLICA_IDENTITY',
        `partitions have another replica identity than the partitioned table as which they are published, so their updates and deletes could not be applied: ${list}`,
        {
          fix: wrong
            .flatMap((each) => [readableTable(each.table), ...each.mismatchedPartitions])
            .map((name) => `ALTER TABLE ${name} REPLICA IDENTITY FULL;`)
            .join('\n'),
        },
      ),
      statements: wrong.flatMap(partitionStatements),
    },
  };
}

/** Gives a partitioned table and those of its partitions that do not fit it the same replica identity. */
export function partitionStatements({ table, mismatchedPartitions }: PublishedTable): string[] {
  return [
    replicaIdentityStatement(table),
    // The server has quoted these names.
    ...mismatchedPartitions.map((name) => `ALTER TABLE ${name} REPLICA IDENTITY FULL`),
  ];
}

/** Tables of which only inserts can be replicated. */
export function withoutIdentity(published: readonly PublishedTable[]): TableName[] {
  return published.map(({ table }) => table).filter(({ identity }) => identity === 'nothing');
}

/** Makes the source log whole old rows of a table, by which they can be found on the target. */
export function replicaIdentityStatement(table: TableName): string {
  return `ALTER TABLE ${quotedTable(table)} REPLICA IDENTITY FULL`;
}

/** Adds tables to a publication. */
export function addTablesStatement(publication: string, tables: readonly TableName[]): string {
  return `ALTER PUBLICATION ${escapeIdentifier(publication)} ADD TABLE ${tables.map(quotedTable).join(', ')}`;
}
