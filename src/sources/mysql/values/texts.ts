import { OperatorError } from '../../../errors.ts';
import { writeBytea } from './hex.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { metadataMissing, typeUnsupported } from './value-errors.ts';

/** CHAR, VARCHAR and TEXT: their characters in UTF-8; the bytes that the source keeps for a bytes target. */
export function textWriter({ column, kind, where, charsets }: ValueContext): ValueWriter {
  if (kind === 'bytes') return writeBytea;
  const { charset } = column;
  if (charset === undefined) throw metadataMissing(where, 'its character set');
  const convert = charsets.converter(charset);
  if (convert === undefined) {
    throw typeUnsupported(
      where,
      `its character set ${charset} is not known here`,
      'ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4;',
    );
  }
  return (input, start, end, out) => {
    const at = out.open();
    const invalid = convert(input, start, end, out);
    if (invalid >= 0) throw invalidText(where, charset, input, start, invalid, end);
    out.close(at);
  };
}

/** Bytes that are no text in the column's character set. Shows only the bytes that are wrong. */
export function invalidText(
  where: string,
  charset: string,
  input: Buffer,
  start: number,
  invalid: number,
  end: number,
): OperatorError {
  const bytes = input.toString('hex', invalid, Math.min(invalid + 4, end));
  return new OperatorError(
    'MYSQL_TEXT_INVALID',
    `${where} holds bytes that are no ${charset}: ${bytes} at byte ${invalid - start} of ${end - start}; nothing of its transaction was applied`,
    { fix: 'Mend the value at the source, or change the target column to BYTES (bytea), which takes every byte.' },
  );
}
