/** A column as ALL_TAB_COLS describes it. */
export interface OracleColumnType {
  readonly name: string;
  /** DATA_TYPE without its sizes: `NUMBER`, `VARCHAR2`, `TIMESTAMP(6) WITH TIME ZONE` as Oracle spells it. */
  readonly type: string;
  /** DATA_LENGTH, bytes: of RAW(16) 16. */
  readonly length: number;
  /** Of NUMBER; undefined where none was declared. */
  readonly precision: number | undefined;
  readonly scale: number | undefined;
  readonly nullable: boolean;
}
