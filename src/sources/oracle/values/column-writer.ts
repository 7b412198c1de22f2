import type { TargetColumnFacts } from '../../../changes/table.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { OracleColumnType } from '../column-type.ts';
import { Literal } from '../redo/redo-statement.ts';
import { writeBinary } from './binaries.ts';
import { booleanWriter } from './booleans.ts';
import { writeDate, writeDay, writeTimestamp } from './datetimes.ts';
import { writeDouble, writeFloat } from './floats.ts';
import { writeDaySecond, writeYearMonth } from './intervals.ts';
import { numberWriter } from './numbers.ts';
import { textWriter } from './texts.ts';
import { valueError } from './value-error.ts';

/**
 * Writes one value of the tuple that is being built. The literal stands in `sql` from `start` to `end`, as `Literal` says of its kind.
 */
export type ColumnWriter = (sql: string, literal: Literal, start: number, end: number, out: TupleWriter) => void;

/** Writes the text between the quotes of a literal; false where it is none that the type has. */
export type LiteralWriter = (sql: string, literal: Literal, start: number, end: number, out: TupleWriter) => boolean;

/** How the redo of a column becomes the text that the target's column takes. */
export function columnWriter(column: OracleColumnType, target: TargetColumnFacts | undefined): ColumnWriter {
  const write = literalWriter(column, target);
  const long = column.type === 'LONG' || column.type === 'LONG RAW';
  return (sql, literal, start, end, out) => {
    if (literal === Literal.null) out.null();
    // Not told is not the same as NULL.
    else if (isUnavailable(literal) || (long && isLongElsewhere(sql, literal, start, end))) out.unchanged();
    else if (!write(sql, literal, start, end, out)) throw valueError(column);
  };
}

/** True where LogMiner does not tell a value, although there is one: it is written as one that did not change. */
export function isUnavailable(literal: Literal): boolean {
  return literal === Literal.unsupported;
}

/** What stands in the place of a LONG that was too long for its row's redo. One of just these letters is taken for that, too. */
const LONG_ELSEWHERE = 'LONG DATA';

function isLongElsewhere(sql: string, literal: Literal, start: number, end: number): boolean {
  return literal === Literal.plain && end - start === LONG_ELSEWHERE.length && sql.startsWith(LONG_ELSEWHERE, start);
}

/** Why the values of a column cannot be had from the redo; undefined for one whose values can. */
export function unsupportedType({ type }: OracleColumnType): string | undefined {
  if (type === 'XMLTYPE') return 'the redo of XMLTYPE has the documents in pieces without their order';
  if (type === 'BFILE') return 'a BFILE is a file of the server, of which the redo has the name alone';
  if (type === 'JSON' || type === 'VECTOR') return `LogMiner tells ${type} only with GoldenGate's logging`;
  if (type === 'LONG' || type === 'LONG RAW') return undefined;
  return isKnown(type) ? undefined : `LogMiner does not tell values of type ${type}`;
}

const KNOWN = new Set([
  'NUMBER',
  'FLOAT',
  'BINARY_FLOAT',
  'BINARY_DOUBLE',
  'CHAR',
  'NCHAR',
  'VARCHAR2',
  'NVARCHAR2',
  'DATE',
  'RAW',
  'CLOB',
  'NCLOB',
  'BLOB',
  'ROWID',
  'UROWID',
  'BOOLEAN',
]);

/** As Oracle spells them; an object type may have a name that begins like theirs. */
const WITH_SIZES = /^(?:TIMESTAMP(?:$|[ (])|INTERVAL (?:YEAR|DAY)[ (])/;

/** Types whose columns people use for what the target has a boolean for. */
const TAKEN_FOR_BOOLEANS = new Set(['NUMBER', 'FLOAT', 'CHAR', 'NCHAR', 'VARCHAR2', 'NVARCHAR2']);

function isKnown(type: string): boolean {
  return KNOWN.has(type) || WITH_SIZES.test(type);
}

function literalWriter(column: OracleColumnType, target: TargetColumnFacts | undefined): LiteralWriter {
  const { type } = column;
  const kind = target?.array === true ? 'other' : target?.kind;
  if (type === 'BOOLEAN' || (kind === 'bool' && TAKEN_FOR_BOOLEANS.has(type))) return booleanWriter(kind);
  if (type === 'NUMBER' || type === 'FLOAT') return numberWriter(kind);
  if (type === 'BINARY_FLOAT') return writeFloat;
  if (type === 'BINARY_DOUBLE') return writeDouble;
  if (type === 'DATE') return kind === 'date' ? writeDay : writeDate;
  if (type.startsWith('TIMESTAMP')) return writeTimestamp(type, kind);
  if (type.startsWith('INTERVAL YEAR')) return writeYearMonth;
  if (type.startsWith('INTERVAL DAY')) return writeDaySecond;
  if (type === 'RAW' || type === 'BLOB' || type === 'LONG RAW') return writeBinary(kind);
  return textWriter(column, kind);
}
