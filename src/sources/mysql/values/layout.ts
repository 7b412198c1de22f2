import { type BinlogColumn, ColumnType, type ValueSkipper } from './column.ts';
import { cutValue, malformedValue, metadataMissing, typeUnsupported } from './value-errors.ts';

/** Bytes in front of a value that tell its length, and the bytes of values that have none; one of them is zero. */
export interface ValueLayout {
  readonly lengthBytes: number;
  readonly size: number;
}

/** Bytes that 0 to 9 decimal digits take. */
export const DECIMAL_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

/**
 * How values of the column lie in a row image. Raises OperatorError MYSQL_TYPE_UNSUPPORTED for types that this program does
 * not know, MYSQL_METADATA_MISSING where only the catalogue can tell.
 */
export function valueLayout(where: string, column: BinlogColumn): ValueLayout {
  const { type, meta } = column;
  if (!isPossible(type, meta)) throw malformedValue(where, `type ${type} with metadata ${meta}`);
  switch (type) {
    case ColumnType.tiny:
    case ColumnType.year:
      return fixed(1);
    case ColumnType.short:
      return fixed(2);
    case ColumnType.int24:
    case ColumnType.date:
    case ColumnType.newdate:
      return fixed(3);
    case ColumnType.long:
    case ColumnType.float:
      return fixed(4);
    case ColumnType.longlong:
    case ColumnType.double:
      return fixed(8);
    case ColumnType.time:
      return oldTemporal(where, column, 3);
    case ColumnType.timestamp:
      return oldTemporal(where, column, 4);
    case ColumnType.datetime:
      return oldTemporal(where, column, 8);
    case ColumnType.time2:
      return fixed(3 + fractionBytes(meta));
    case ColumnType.timestamp2:
      return fixed(4 + fractionBytes(meta));
    case ColumnType.datetime2:
      return fixed(5 + fractionBytes(meta));
    case ColumnType.newdecimal:
      return fixed(decimalBytes(meta >>> 8, meta & 0xff));
    case ColumnType.bit:
      return fixed((meta + 7) >>> 3);
    case ColumnType.enum:
    case ColumnType.set:
      return fixed(meta);
    case ColumnType.varchar:
    case ColumnType.varString:
    case ColumnType.string:
    case ColumnType.varcharCompressed:
      return { lengthBytes: meta > 255 ? 2 : 1, size: 0 };
    case ColumnType.tinyBlob:
    case ColumnType.mediumBlob:
    case ColumnType.longBlob:
    case ColumnType.blob:
    case ColumnType.blobCompressed:
    case ColumnType.json:
    case ColumnType.geometry:
    case ColumnType.vector:
      return { lengthBytes: meta, size: 0 };
    default:
      throw typeUnsupported(
        where,
        `its type has the code ${type}, which is not known here`,
        'Leave the table out, or change the type of the column.',
      );
  }
}

/** Returns the offset past a value without decoding it. */
export function valueSkipper(column: BinlogColumn): ValueSkipper {
  const where = `column ${column.name}`;
  const { lengthBytes, size } = valueLayout(where, column);
  return (input, at, end) => {
    const start = at + lengthBytes;
    if (start > end) throw cutValue(where, lengthBytes, end - at);
    const next = start + (lengthBytes === 0 ? size : readLength(input, at, lengthBytes));
    if (next > end) throw cutValue(where, next - at, end - at);
    return next;
  };
}

/** A little-endian number of 1 to 4 bytes. */
export function readLength(input: Buffer, at: number, bytes: number): number {
  if (bytes === 1) return input[at];
  if (bytes === 2) return input[at] | (input[at + 1] << 8);
  const low = input[at] | (input[at + 1] << 8) | (input[at + 2] << 16);
  return bytes === 3 ? low : (low | (input[at + 3] << 24)) >>> 0;
}

/** Bytes of the fraction of a second in `fsp` digits. */
export function fractionBytes(fsp: number): number {
  return (fsp + 1) >> 1;
}

/** What the metadata of a type can be; nothing else gives a size that can be trusted. */
function isPossible(type: number, meta: number): boolean {
  switch (type) {
    case ColumnType.time2:
    case ColumnType.timestamp2:
    case ColumnType.datetime2:
      return meta >= 0 && meta <= 6;
    case ColumnType.newdecimal:
      return meta >>> 8 >= 1 && meta >>> 8 <= 65 && (meta & 0xff) <= meta >>> 8;
    case ColumnType.bit:
      return meta >= 1 && meta <= 64;
    case ColumnType.enum:
      return meta === 1 || meta === 2;
    case ColumnType.set:
      return meta >= 1 && meta <= 8;
    case ColumnType.tinyBlob:
    case ColumnType.mediumBlob:
    case ColumnType.longBlob:
    case ColumnType.blob:
    case ColumnType.blobCompressed:
    case ColumnType.json:
    case ColumnType.geometry:
    case ColumnType.vector:
      return meta >= 1 && meta <= 4;
    default:
      return meta >= 0;
  }
}

/** Bytes of a packed DECIMAL. */
export function decimalBytes(precision: number, scale: number): number {
  const whole = precision - scale;
  return Math.floor(whole / 9) * 4 + DECIMAL_BYTES[whole % 9] + Math.floor(scale / 9) * 4 + DECIMAL_BYTES[scale % 9];
}

function fixed(size: number): ValueLayout {
  return { lengthBytes: 0, size };
}

/**
 * MariaDB keeps times with fractions that were made while mysql56_temporal_format was off under the same type codes in
 * another size, and the binlog does not tell.
 */
function oldTemporal(where: string, column: BinlogColumn, size: number): ValueLayout {
  if (column.flavour !== 'mariadb') return fixed(size);
  if (column.declared === undefined) throw metadataMissing(where, 'how many digits of a second the column keeps');
  if (!/\([1-6]\)/.test(column.declared)) return fixed(size);
  throw typeUnsupported(
    where,
    'it keeps times in the format of MariaDB 5.3, whose size the binlog does not tell',
    'SET GLOBAL mysql56_temporal_format = ON;\nALTER TABLE … FORCE;',
  );
}
