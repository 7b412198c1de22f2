/** An identifier as statements take it: in backticks, those inside doubled. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A text as statements take it, whatever the sql_mode says of backslashes, as long as it holds none. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** An account as GRANT takes it. `name` as CURRENT_USER() prints it: `user@host`; the user may hold an @ itself. */
export function quoteAccount(name: string): string {
  const at = name.lastIndexOf('@');
  if (at < 0) return quoteText(name);
  return `${quoteText(name.slice(0, at))}@${quoteText(name.slice(at + 1))}`;
}
