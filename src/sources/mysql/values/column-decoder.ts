import type { TargetColumnFacts } from '../../../changes/table.ts';
import type { Charsets } from '../charsets.ts';
import { writeInet, writeUuid } from './addresses.ts';
import { binaryWriter, convertedToBytes, padded } from './binaries.ts';
import { bitWriter } from './bits.ts';
import { type BinlogColumn, type ColumnDecoder, ColumnType, type ValueOptions } from './column.ts';
import { compressedWriter } from './compressed.ts';
import { dateWriter } from './dates.ts';
import { decimalWriter } from './decimals.ts';
import { floatWriter } from './floats.ts';
import { geometryWriter } from './geometries.ts';
import { integerWriter, yearWriter } from './integers.ts';
import { jsonWriter } from './json.ts';
import { writeJsonDiff } from './json-diff.ts';
import { readLength, valueLayout } from './layout.ts';
import { enumWriter, setWriter } from './members.ts';
import { textWriter } from './texts.ts';
import { timeWriter } from './times.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { columnName, cutValue } from './value-errors.ts';
import { vectorWriter } from './vectors.ts';

/**
 * Makes the decoder of one column: once per version of its table and of the target's. `target` undefined gives the text that is
 * natural for the source's type. The column's charset must have been prepared in `charsets`. Raises OperatorError
 * MYSQL_TYPE_UNSUPPORTED or MYSQL_METADATA_MISSING when values of the column cannot be read.
 */
export function columnDecoder(
  table: string,
  column: BinlogColumn,
  target: TargetColumnFacts | undefined,
  options: ValueOptions,
  charsets: Charsets,
): ColumnDecoder {
  const where = columnName(table, column.name);
  const kind = target === undefined || target.array ? undefined : target.kind;
  const write = valueWriter({ column, where, target, kind, options, charsets });
  const { lengthBytes, size } = valueLayout(where, column);
  if (lengthBytes > 0) return prefixed(where, lengthBytes, write);
  return (input, at, end, out) => {
    const next = at + size;
    if (next > end) throw cutValue(where, size, end - at);
    write(input, at, next, out);
    return next;
  };
}

/**
 * Reads the diffs at `at` of `input` (their length in four bytes in front), applies them to the JSON value that stands, with its length, at
 * `before` of `document`, and appends the whole new document to `out`, or "unchanged" when there are no diffs. Returns the
 * offset past the diffs.
 */
export type PartialJsonDecoder = (
  document: Buffer,
  before: number,
  documentEnd: number,
  input: Buffer,
  at: number,
  end: number,
  out: TupleWriter,
) => number;

/** The decoder of a JSON column's partial update. */
export function partialJsonDecoder(
  table: string,
  column: BinlogColumn,
  target: TargetColumnFacts | undefined,
): PartialJsonDecoder {
  const where = columnName(table, column.name);
  const bytes = target?.kind === 'bytes' && !target.array;
  return (document, before, documentEnd, input, at, end, out) => {
    const start = before + column.meta;
    if (start > documentEnd) throw cutValue(where, column.meta, documentEnd - before);
    const stop = start + readLength(document, before, column.meta);
    if (stop > documentEnd) throw cutValue(where, stop - before, documentEnd - before);
    const next = at + 4 > end ? at + 4 : at + 4 + readLength(input, at, 4);
    if (next > end) throw cutValue(where, next - at, end - at);
    if (next === at + 4) out.unchanged();
    else {
      const write: ValueWriter = (diffs, from, to, target) => {
        const opened = target.open();
        writeJsonDiff(where, document, start, stop, diffs, from, to, target);
        target.close(opened);
      };
      (bytes ? convertedToBytes(write) : write)(input, at + 4, next, out);
    }
    return next;
  };
}

function prefixed(where: string, lengthBytes: number, write: ValueWriter): ColumnDecoder {
  return (input, at, end, out) => {
    const start = at + lengthBytes;
    if (start > end) throw cutValue(where, lengthBytes, end - at);
    const next = start + readLength(input, at, lengthBytes);
    if (next > end) throw cutValue(where, next - at, end - at);
    write(input, start, next, out);
    return next;
  };
}

function valueWriter(context: ValueContext): ValueWriter {
  const { column, kind, where } = context;
  switch (column.type) {
    case ColumnType.tiny:
    case ColumnType.short:
    case ColumnType.int24:
    case ColumnType.long:
    case ColumnType.longlong:
      return integerWriter(context);
    case ColumnType.year:
      return yearWriter(context);
    case ColumnType.float:
    case ColumnType.double:
      return floatWriter(context);
    case ColumnType.newdecimal:
      return decimalWriter(context);
    case ColumnType.bit:
      return bitWriter(context);
    case ColumnType.enum:
      return enumWriter(context);
    case ColumnType.set:
      return setWriter(context);
    case ColumnType.time:
    case ColumnType.time2:
      return timeWriter(context);
    case ColumnType.json:
      return kind === 'bytes' ? convertedToBytes(jsonWriter(where)) : jsonWriter(where);
    case ColumnType.geometry:
      return geometryWriter(context);
    case ColumnType.vector:
      return vectorWriter(context);
    case ColumnType.varcharCompressed:
    case ColumnType.blobCompressed:
      return compressedWriter(where, bytesWriter(context));
    case ColumnType.string:
    case ColumnType.varchar:
    case ColumnType.varString:
    case ColumnType.tinyBlob:
    case ColumnType.mediumBlob:
    case ColumnType.longBlob:
    case ColumnType.blob:
      return bytesWriter(context);
    default:
      return dateWriter(context);
  }
}

/** Text or bytes, as the charset says, or what MariaDB keeps in bytes under a name of its own. */
function bytesWriter(context: ValueContext): ValueWriter {
  const { column, kind } = context;
  if (column.charset !== 'binary') return textWriter(context);
  const declared = kind === 'bytes' ? undefined : declaredWriter(context);
  const write = declared ?? binaryWriter(context);
  return column.type === ColumnType.string ? padded(column.meta, write) : write;
}

/** MariaDB's UUID, INET4, INET6 and VECTOR look like BINARY in the binlog; only the catalogue knows them. */
function declaredWriter(context: ValueContext): ValueWriter | undefined {
  const name = /^\w+/.exec(context.column.declared ?? '')?.[0].toLowerCase();
  switch (name) {
    case 'uuid':
      return (input, start, _end, out) => writeUuid(input, start, out);
    case 'inet4':
    case 'inet6':
      return writeInet;
    case 'vector':
      return vectorWriter(context);
    default:
      return undefined;
  }
}
