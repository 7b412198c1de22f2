import type { TargetColumnFacts, TargetKind } from '../../../changes/table.ts';
import type { Charsets } from '../charsets.ts';
import type { BinlogColumn, ValueOptions } from './column.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';

/**
 * Appends the value whose bytes are exactly [start, end) of `input`, its length prefix not included, to `out`. Whether the
 * range lies within the event is checked before.
 */
export type ValueWriter = (input: Buffer, start: number, end: number, out: TupleWriter) => void;

/** What decides how a column's values are written. */
export interface ValueContext {
  readonly column: BinlogColumn;
  /** `column note of shop.orders`, for messages. */
  readonly where: string;
  /** Undefined when the target has no such column: then the text is the natural one of the source's type. */
  readonly target: TargetColumnFacts | undefined;
  /** The target's kind; undefined for arrays and where there is no target. */
  readonly kind: TargetKind | undefined;
  readonly options: ValueOptions;
  readonly charsets: Charsets;
}
