import type { SourceTable, TargetColumnFacts } from '../../../changes/table.ts';
import { OperatorError } from '../../../errors.ts';
import type { ChangeSink } from '../../source.ts';
import type { Charsets } from '../charsets.ts';
import type { TableDefinition } from '../definitions.ts';
import { type BinlogColumn, ColumnType, type CountedValue, type ValueOptions } from '../values/column.ts';
import { columnDecoder, partialJsonDecoder } from '../values/column-decoder.ts';
import { valueLayout, valueSkipper } from '../values/layout.ts';
import { sourceTypeText } from '../values/source-type.ts';
import { columnName } from '../values/value-errors.ts';
import { defaultValue } from './default-values.ts';
import { type DescribedTable, isSequence } from './described-table.ts';
import { type AbsentColumns, type ColumnPlan, RowDecoder } from './row-decoder.ts';

type Facts = readonly (TargetColumnFacts | undefined)[];

/** What all tables of a stream are decoded by. */
export interface DecodingContext {
  readonly targetColumns: ChangeSink['targetColumns'];
  readonly values: ValueOptions;
  readonly charsets: Charsets;
  readonly counted: Record<CountedValue, number>;
  /** Such a value has come for the first time since a column's decoder was made. */
  readonly firstCounted: (column: string, what: CountedValue) => void;
  /** A table whose UPDATEs are logged in part, by MariaDB, has been met. */
  readonly partlyLogged: (table: string) => void;
}

/** What of a catalogue's definition the rows need: nothing, the defaults of columns that they leave out, or all of it. */
export type Reliance = 'nothing' | 'defaults' | 'names';

/** One version of a table: as it was described until the next ALTER TABLE. */
export class TableVersion {
  readonly described: DescribedTable;
  /** The catalogue's part in the description; undefined when it has none. */
  readonly definition: TableDefinition | undefined;
  /** The catalogue was asked for its definition. */
  readonly asked: boolean;
  /** What its rows cannot be read without, and would be read wrong by another definition than that of their time. */
  readonly relies: Reliance;
  /** Its rows are of no interest. */
  readonly ignored: boolean;
  /** With all columns, and without the key that the server made; the same where it made none. */
  readonly #whole: SourceTable;
  readonly #visible: SourceTable;
  readonly #raw: Buffer;
  #decoder: RowDecoder | undefined;
  #facts: Facts = [];

  /**
   * @param raw the TABLE_MAP event from its flags on
   * @param former the version that it takes the place of: what did not change stays the same object
   */
  constructor(
    described: DescribedTable,
    definition: TableDefinition | undefined,
    asked: boolean,
    relies: Reliance,
    raw: Buffer,
    former: TableVersion | undefined,
  ) {
    this.described = described;
    this.definition = definition;
    this.asked = asked;
    this.relies = relies;
    this.ignored = isSequence(described);
    this.#raw = raw;
    const { whole, visible } = sourceTables(described);
    this.#whole = interned(former === undefined ? undefined : former.#whole, whole);
    this.#visible =
      whole === visible ? this.#whole : interned(former === undefined ? undefined : former.#visible, visible);
  }

  /** True when [start, end) of `buffer` describes the table as it is described here. */
  matches(buffer: Buffer, start: number, end: number): boolean {
    return this.#raw.compare(buffer, start, end) === 0;
  }

  /** The table as the target is to know it. */
  table({ targetColumns }: Pick<DecodingContext, 'targetColumns'>): SourceTable {
    if (this.#whole === this.#visible) return this.#whole;
    return targetColumns(this.#whole)[0] === undefined ? this.#visible : this.#whole;
  }

  /** The decoder of its rows, made anew when the target's columns have changed. Throws OperatorErrors of its columns. */
  decoder(context: DecodingContext): RowDecoder {
    const facts = context.targetColumns(this.#whole);
    if (this.#decoder === undefined || !sameFacts(facts, this.#facts)) {
      this.#decoder = this.#makeDecoder(context, facts);
    }
    this.#facts = facts;
    return this.#decoder;
  }

  /** The same version with the catalogue's definition, which tells what INSERTs leave out. Undefined: it has none. */
  with(definition: TableDefinition | undefined): TableVersion {
    const relies = definition === undefined || this.relies === 'names' ? this.relies : 'defaults';
    return new TableVersion(this.described, definition, true, relies, this.#raw, this);
  }

  #makeDecoder(context: DecodingContext, facts: Facts): RowDecoder {
    const { columns, key } = this.described;
    const name = nameOf(this.described);
    const table = this.table(context);
    const hidden = table === this.#whole ? -1 : 0;
    const plans = columns.map((column, i): ColumnPlan => {
      const layout = valueLayout(columnName(name, column.name), column);
      if (i === hidden) {
        const skip = valueSkipper(column);
        return { decode: skip, decodePartial: undefined, layout, written: false, key: false };
      }
      const decode = columnDecoder(
        name,
        column,
        facts[i],
        counting(columnName(name, column.name), context),
        context.charsets,
      );
      const decodePartial = column.type === ColumnType.json ? partialJsonDecoder(name, column, facts[i]) : undefined;
      return { decode, decodePartial, layout, written: true, key: hidden < 0 && key.includes(i) };
    });
    return new RowDecoder(table, plans, this.#absentColumns(context, facts));
  }

  #absentColumns(context: DecodingContext, facts: Facts): AbsentColumns {
    const { columns } = this.described;
    const table = nameOf(this.described);
    const defined = (column: number) => {
      const found = this.definition?.columns.find(({ name }) => name === columns[column].name);
      return found?.column.type === columns[column].type ? found : undefined;
    };
    return {
      onInsert: (column) => {
        const target = facts[column];
        // What the source computes the target has to compute, too, or not to have.
        if (defined(column)?.generated === true && target !== undefined) throw computedMissing(table, columns[column]);
        const values = counting(columnName(table, columns[column].name), context);
        const value = defaultValue(table, columns[column], defined(column), target, values, context.charsets);
        if (value === undefined && target !== undefined) throw defaultUnknown(table, columns[column]);
        return value ?? null;
      },
      onUpdate: (column, inOldRow) => {
        if (columns[column].flavour !== 'mariadb') return;
        if (facts[column] !== undefined && defined(column)?.virtual === true) {
          throw computedMissing(table, columns[column]);
        }
        if (!inOldRow) context.partlyLogged(table);
      },
      inOldRow: (column) => {
        if (facts[column] !== undefined || this.described.key.includes(column)) {
          throw oldValueMissing(table, columns[column]);
        }
      },
      partialWithoutOld: (column) => partialJson(table, columns[column]),
    };
  }
}

/** How the values of a column are decoded, so that those that are changed on their way are counted and told of. */
function counting(column: string, { values, counted, firstCounted }: DecodingContext): ValueOptions {
  let first = true;
  const onCounted = (what: CountedValue) => {
    counted[what]++;
    if (!first) return;
    first = false;
    firstCounted(column, what);
  };
  return { ...values, onCounted };
}

/** The table in the words that all sources share: with the key that the server made for lack of one, and without. */
export function sourceTables(described: DescribedTable): { whole: SourceTable; visible: SourceTable } {
  const { database, name, columns, key, generatedKey } = described;
  const make = (from: number, identityColumns: readonly number[]): SourceTable => ({
    schema: database,
    name,
    identity: identityColumns.length > 0 ? 'key' : 'full',
    columns: columns.slice(from).map((column, i) => ({
      name: column.name,
      identity: identityColumns.length === 0 || identityColumns.includes(from + i),
      type: sourceTypeText(column),
    })),
  });
  const whole = make(0, key);
  return { whole, visible: generatedKey ? make(1, []) : whole };
}

/** `table`, or `known` when it is the same in every respect. */
function interned(known: SourceTable | undefined, table: SourceTable): SourceTable {
  if (known === undefined || known.identity !== table.identity || known.columns.length !== table.columns.length) {
    return table;
  }
  const same = known.columns.every(({ name, identity, type }, i) => {
    const other = table.columns[i];
    return name === other.name && identity === other.identity && type === other.type;
  });
  return same && known.schema === table.schema && known.name === table.name ? known : table;
}

function nameOf({ database, name }: DescribedTable): string {
  return `${database}.${name}`;
}

function sameFacts(a: Facts, b: Facts): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((facts, i) => {
      const other = b[i];
      return facts?.kind === other?.kind && facts?.array === other?.array && facts?.nullable === other?.nullable;
    })
  );
}

const FULL_IMAGES = 'SET GLOBAL binlog_row_image = FULL; -- and end the sessions that have it otherwise';
const START_OVER = 'Then copy the data again and start from the GTID set of that copy.';

function computedMissing(table: string, { name }: BinlogColumn): OperatorError {
  return new OperatorError(
    'MYSQL_GENERATED_MISSING',
    `${columnName(table, name)} is computed by the source, which does not log its values (binlog_row_image is not FULL), and the target keeps it as an ordinary column; the row was not applied`,
    {
      fix: `${FULL_IMAGES}\nOr let the target compute the column, too: GENERATED ALWAYS AS (…) STORED.\n${START_OVER}`,
    },
  );
}

function defaultUnknown(table: string, { name }: BinlogColumn): OperatorError {
  return new OperatorError(
    'MYSQL_DEFAULT_UNKNOWN',
    `${columnName(table, name)} was left out of a row by the source (binlog_row_image is not FULL), and its default cannot be found out; the row was not applied`,
    { fix: `${FULL_IMAGES}\n${START_OVER}` },
  );
}

function oldValueMissing(table: string, { name }: BinlogColumn): OperatorError {
  return new OperatorError(
    'MYSQL_OLD_ROW_INCOMPLETE',
    `the log does not say which row of ${table} was changed: the old value of its column ${name} is missing; the change was not applied`,
    { fix: `Give the table a primary key, or log whole rows:\n${FULL_IMAGES}\n${START_OVER}` },
  );
}

function partialJson(table: string, { name }: BinlogColumn): OperatorError {
  return new OperatorError(
    'MYSQL_PARTIAL_JSON',
    `${columnName(table, name)}: the log says only what changed within a JSON value and not what it was, as binlog_row_value_options is PARTIAL_JSON and binlog_row_image is not FULL; the change was not applied`,
    {
      fix: `SET GLOBAL binlog_row_value_options = ''; -- and end the sessions that have it otherwise\n${START_OVER}`,
    },
  );
}
