import { ValueKind } from '../../changes/change-log.ts';
import { messageName, protocolError } from './protocol-error.ts';

/**
 * Checks the TupleData that stands at `at` without decoding a value, in one pass and without allocating: rows are the
 * hot path. A value or count that does not fit raises OperatorError PG_PROTOCOL; lengths are never trusted.
 */
export class TupleChecker {
  /** Values that were left out as unchanged since this was last set to zero. */
  unchanged = 0;

  /**
   * Offset just past the tuple.
   * @param start offset of the message's type byte, for errors
   * @param end end of the message
   * @param columns columns that the table has
   */
  tupleEnd(buffer: Buffer, start: number, at: number, end: number, columns: number): number {
    if (at + 2 > end) throw malformed(buffer, start, at, 'the row is cut short');
    const count = (buffer[at] << 8) | buffer[at + 1];
    if (count !== columns) throw malformed(buffer, start, at, `${count} values for a table of ${columns} columns`);
    at += 2;
    for (let left = count; left > 0; left--) {
      if (at >= end) throw malformed(buffer, start, at, 'the row is cut short');
      switch (buffer[at]) {
        case ValueKind.text: {
          if (at + 5 > end) throw malformed(buffer, start, at, 'a value is cut short');
          const length = (buffer[at + 1] << 24) | (buffer[at + 2] << 16) | (buffer[at + 3] << 8) | buffer[at + 4];
          at += 5;
          if (length < 0 || length > end - at) throw malformed(buffer, start, at, `a value of ${length} bytes`);
          at += length;
          break;
        }
        case ValueKind.null:
          at++;
          break;
        case ValueKind.unchanged:
          this.unchanged++;
          at++;
          break;
        default:
          throw malformed(buffer, start, at, `a value of the kind ${messageName(buffer[at])}, which was not asked for`);
      }
    }
    return at;
  }
}

function malformed(buffer: Buffer, start: number, at: number, problem: string): Error {
  return protocolError(messageName(buffer[start]), at - start, problem);
}
