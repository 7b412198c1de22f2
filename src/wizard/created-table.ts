const PART = '(?:"(?:[^"]|"")+"|[^\\s".(]+)';
const CREATE = new RegExp(`^\\s*CREATE\\s+TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?(${PART}(?:\\.${PART})*)\\s*\\(`, 'i');

/** The table that a statement creates, as it is written there; undefined for any other statement. */
export function createdTable(statement: string): string | undefined {
  return CREATE.exec(statement)?.[1];
}
