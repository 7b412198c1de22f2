import type { SourceTable } from '../changes/table.ts';
import type { SourceKind } from '../sources/kind.ts';
import type { TableName } from '../sources/table-name.ts';
import type { ConnectionFacts } from './connection-test.ts';
import type { Outcome } from './look.ts';

/** A checkpoint that is stored for a target schema, and how to be rid of it. */
export interface EarlierProgress {
  readonly checkpoint: string;
  /** What it was written for; undefined for those of another tool. */
  readonly identity: Readonly<Record<string, string>> | undefined;
  /** SQL for the target that makes the next start begin anew. Nobody does that with one key. */
  readonly forget: string;
}

/** A table of the source that holds rows. */
export interface FilledTable {
  readonly table: TableName;
  /** About how many; 0 when nobody has counted. */
  readonly rows: number;
}

/**
 * What the checks of a target have to know of the source, whatever its kind. Each fact is asked for once; a rejection is the
 * OperatorError of a connection or a refusal of the server. Made by `SourcePreflight.inquire`.
 */
export interface SourceInquiry {
  readonly kind: SourceKind;
  /** Memo key of the checkpoint for a target schema in raw dotted form. */
  checkpointKey(targetSchema: string): string;
  readonly connection: () => Promise<ConnectionFacts>;
  /** What will be sent. */
  readonly tables: () => Promise<readonly SourceTable[]>;
  /** Which of them hold rows. */
  readonly filled: () => Promise<readonly FilledTable[]>;
  /** Seconds by which the server's clock is ahead of this machine's. */
  readonly clockOffset: () => Promise<number>;
  /** Where a first start begins: "where the slot does". */
  readonly begins: string;
  /** What has to be done about rows that are only at the source. */
  readonly loading: { readonly expected: string; readonly text: string };
  /** What a start would make of a checkpoint that is there already. */
  lookAtProgress(progress: EarlierProgress): Promise<Outcome>;
  /** Ends its connections. */
  close(): void;
}
