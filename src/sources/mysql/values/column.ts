import type { Flavour } from '../flavour.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';

/** What a TABLE_MAP event (and the catalogue, where it was read) says of a column. */
export interface BinlogColumn {
  readonly name: string;
  /** The real type code (`ColumnType`): ENUM and SET are told from CHAR already. */
  readonly type: number;
  /**
   * The type's metadata: fsp of the temporal types; precision << 8 | scale of DECIMAL; the number of length bytes of BLOB, JSON,
   * GEOMETRY, VECTOR; the greatest number of bytes of VARCHAR and CHAR; the bits of BIT; the pack length of ENUM and SET.
   */
  readonly meta: number;
  readonly unsigned: boolean;
  /** MySQL's name (`utf8mb4`, `latin1`, `binary`); undefined when the column has none. */
  readonly charset: string | undefined;
  /** Of ENUM and SET, in order of their definition. */
  readonly members: readonly string[] | undefined;
  readonly nullable: boolean;
  /** information_schema's COLUMN_TYPE (`tinyint(1)`, `uuid`) where the catalogue was read. */
  readonly declared: string | undefined;
  readonly flavour: Flavour;
}

/** Type codes of TABLE_MAP events; 247 and 248 come out of 254's metadata. */
export const ColumnType = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newdate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  blobCompressed: 140,
  varcharCompressed: 141,
  vector: 242,
  json: 245,
  newdecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

export interface ValueOptions {
  /** What becomes of dates that do not exist: NULL, an error, or their own text, which the target may refuse. */
  readonly zeroDates: 'null' | 'error' | 'keep';
  /** Told when a value was given to the target with a change that an operator may want to count. */
  readonly onCounted?: (what: CountedValue) => void;
}

/** A date that does not exist and became NULL; a TINYINT that is neither 0 nor 1 and became a boolean. */
export type CountedValue = 'zeroDate' | 'boolOutOfRange';

/**
 * Reads the value at `at` of `input`, appends it to `out` as text (or NULL) and returns the offset just past it. Never reads
 * at or beyond `end`: a value that does not fit raises OperatorError MYSQL_PROTOCOL.
 */
export type ColumnDecoder = (input: Buffer, at: number, end: number, out: TupleWriter) => number;

/** Returns the offset just past the value at `at`. Raises OperatorError MYSQL_PROTOCOL when it does not end before `end`. */
export type ValueSkipper = (input: Buffer, at: number, end: number) => number;
