/** How a session wants dates and the like to be written; keys are NLS parameters. */
export type Nls = ReadonlyMap<string, string>;

export interface ModelColumn {
  readonly name: string;
  /** `NUMBER`, `VARCHAR2`, `TIMESTAMP(6) WITH TIME ZONE`… as ALL_TAB_COLS has it. */
  readonly type: string;
  readonly length: number;
  readonly precision?: number;
  readonly scale?: number;
  readonly nullable: boolean;
}

/**
 * A value of a column: NULL; digits of a NUMBER; `YYYY-MM-DD HH:MM:SS` of a DATE; the same with nine digits behind the point of a TIMESTAMP, and with
 * ` +HH:MM` where it has a time zone; hexadecimal digits of a RAW or BLOB; the text of everything else.
 */
export type ModelValue = string | null;

/** The longest part of a statement that a row of V$LOGMNR_CONTENTS holds, characters. */
const PART = 4000;

/** A statement as LogMiner cuts it into rows. */
export function parts(sql: string): string[] {
  if (sql.length <= PART) return [sql];
  const cut: string[] = [];
  for (let at = 0; at < sql.length; ) {
    let end = Math.min(at + PART, sql.length);
    // VARCHAR2 rows hold whole characters.
    if (end < sql.length && (sql.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    cut.push(sql.slice(at, end));
    at = end;
  }
  return cut;
}

/** A value as SQL_REDO has it. */
export function literal(column: ModelColumn, value: ModelValue, nls: Nls): string {
  if (value === null) return 'NULL';
  const { type } = column;
  if (type === 'NUMBER' || type === 'FLOAT') return `'${value.replace(/^(-?)0\./, '$1.')}'`;
  if (type === 'CHAR') return quote(value.padEnd(column.length));
  if (type === 'NVARCHAR2' || type === 'NCHAR' || type === 'NCLOB') return unistr(value);
  if (type === 'DATE') return date(value, nls);
  if (type.includes('WITH LOCAL TIME ZONE')) return `TO_TIMESTAMP_ITZ('${timestamp(value, nls)}')`;
  if (type.includes('WITH TIME ZONE')) return `TO_TIMESTAMP_TZ('${timestamp(value, nls, 'NLS_TIMESTAMP_TZ_FORMAT')}')`;
  if (type.startsWith('TIMESTAMP')) return `TO_TIMESTAMP('${timestamp(value, nls)}')`;
  if (type.startsWith('INTERVAL YEAR')) return `TO_YMINTERVAL('${value}')`;
  if (type.startsWith('INTERVAL DAY')) return `TO_DSINTERVAL('${value}')`;
  if (type === 'RAW' || type === 'BLOB') return `HEXTORAW('${value}')`;
  return quote(value);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function unistr(text: string): string {
  if (/^[ -~]*$/.test(text) && !text.includes('\\')) return quote(text);
  let escaped = '';
  for (const unit of Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))) {
    if (unit === 0x5c) escaped += '\\\\';
    else if (unit === 0x27) escaped += "''";
    else if (unit >= 0x20 && unit < 0x7f) escaped += String.fromCharCode(unit);
    else escaped += `\\${unit.toString(16).toUpperCase().padStart(4, '0')}`;
  }
  // Long ones come in several parts.
  if (escaped.length < 60 || escaped.includes("''")) return `UNISTR('${escaped}')`;
  const middle = escaped.lastIndexOf('\\', 40);
  const at = middle > 0 && escaped[middle - 1] !== '\\' && escaped[middle + 1] !== '\\' ? middle : 0;
  return at === 0 ? `UNISTR('${escaped}')` : `UNISTR('${escaped.slice(0, at)}') || UNISTR('${escaped.slice(at)}')`;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** Of the formats that a session can ask for: the one that loses nothing, and the server's default for a session that did not ask. */
function date(value: string, nls: Nls): string {
  const format = nls.get('NLS_DATE_FORMAT') ?? 'DD-MON-RR';
  const [day, time] = value.split(' ');
  const [year, month, dayOfMonth] = day.split('-');
  if (format === 'DD-MON-RR')
    return `TO_DATE('${dayOfMonth}-${MONTHS[Number(month) - 1]}-${year.slice(2)}', 'DD-MON-RR')`;
  const sign = format.startsWith('S') ? ' ' : '';
  return `TO_DATE('${sign}${day} ${time}', '${format}')`;
}

function timestamp(value: string, nls: Nls, parameter = 'NLS_TIMESTAMP_FORMAT'): string {
  const format = nls.get(parameter) ?? nls.get('NLS_TIMESTAMP_FORMAT');
  if (format === undefined)
    return `${value.slice(8, 10)}-${MONTHS[Number(value.slice(5, 7)) - 1]}-${value.slice(2, 4)} ${value.slice(11)}`;
  return `${format.startsWith('S') ? ' ' : ''}${value}`;
}
