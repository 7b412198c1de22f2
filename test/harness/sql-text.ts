/** A look at SQL that is good enough for the statements of this program: it knows quotes and parentheses, and no grammar. */

type Token = { readonly kind: 'name' | 'word' | 'text' | 'other'; readonly text: string };

const TOKEN =
  /"((?:[^"]|"")*)"|'((?:[^']|'')*)'|\$\$[\s\S]*?\$\$|--[^\n]*|\/\*[\s\S]*?\*\/|[A-Za-z_]\w*|\$\d+|\s+|./gsu;

function tokens(sql: string): Token[] {
  const found: Token[] = [];
  for (const [text, name] of sql.matchAll(TOKEN)) {
    if (name !== undefined) found.push({ kind: 'name', text: name.replaceAll('""', '"') });
    else if (text.startsWith("'") || text.startsWith('$$')) found.push({ kind: 'text', text });
    else if (/^[A-Za-z_]/.test(text)) found.push({ kind: 'word', text });
    else if (/^(--|\/\*|\s)/.test(text)) found.push({ kind: 'other', text: ' ' });
    else found.push({ kind: 'other', text });
  }
  return found;
}

/** The statement in capitals, blanks made one, with `"…"` for quoted names and `''` for literals. */
export function bareText(sql: string): string {
  const parts = tokens(sql).map(({ kind, text }) =>
    kind === 'name' ? '"…"' : kind === 'text' ? "''" : text.toUpperCase(),
  );
  return parts.join('').replaceAll(/\s+/g, ' ').trim();
}

/** The placeholders, and whether each is cast at once. */
export function placeholders(sql: string): { text: string; number: number; cast: boolean }[] {
  const bare = bareText(sql);
  return [...bare.matchAll(/\$(\d+)/g)].map((match) => ({
    text: match[0],
    number: Number(match[1]),
    cast: bare.startsWith('::', match.index + match[0].length) || /\bCAST\($/.test(bare.slice(0, match.index)),
  }));
}

/** Words after which the name of a table comes. */
const BEFORE_TABLE = new Set(['FROM', 'JOIN', 'INTO', 'UPDATE', 'TABLE', 'COPY', 'USING', 'ON']);
const MAY_STAND_BETWEEN = new Set(['IF', 'NOT', 'EXISTS', 'ONLY', 'LATERAL']);
const NO_TABLE = new Set(['SET', 'STDIN', 'SELECT', 'CONFLICT', 'UNNEST', 'DELETE', 'UPDATE', 'TRUE']);

interface NamedTable {
  readonly name: readonly string[];
  readonly after: string;
}

function namedTables(sql: string): NamedTable[] {
  const all = tokens(sql).filter(({ text }) => text !== ' ');
  const bare = bareText(sql);
  const common = new Set(all.flatMap(({ text }, i) => (isCommonTable(all, i) ? [text] : [])));
  const found: NamedTable[] = [];
  for (let i = 0; i < all.length - 1; i++) {
    const after = all[i].kind === 'word' ? all[i].text.toUpperCase() : '';
    if (!BEFORE_TABLE.has(after)) continue;
    // ON names a table in CREATE INDEX alone.
    if (after === 'ON' && !/^CREATE (UNIQUE )?INDEX\b/.test(bare)) continue;
    let at = i + 1;
    while (all[at]?.kind === 'word' && MAY_STAND_BETWEEN.has(all[at].text.toUpperCase())) at++;
    const first = all[at];
    if (first === undefined || (first.kind !== 'name' && first.kind !== 'word')) continue;
    if (first.kind === 'word' && (NO_TABLE.has(first.text.toUpperCase()) || common.has(first.text))) continue;
    const name = [first.text];
    while (all[at + 1]?.text === '.' && all[at + 2] !== undefined) {
      name.push(all[at + 2].text);
      at += 2;
    }
    found.push({ name, after });
  }
  return found;
}

/** True at `x` of `WITH x AS (` and `, x AS (`. */
function isCommonTable(all: readonly Token[], i: number): boolean {
  const before = all[i - 1]?.text.toUpperCase();
  return (
    all[i].kind === 'word' &&
    (before === 'WITH' || before === 'RECURSIVE' || before === ',') &&
    all[i + 1]?.text.toUpperCase() === 'AS' &&
    all[i + 2]?.text === '('
  );
}

/** The tables that a statement names, each in its parts. */
export function tableNames(sql: string): (readonly string[])[] {
  return namedTables(sql).map(({ name }) => name);
}

/** The tables that a statement changes, as often as it does. */
export function modifiedTables(sql: string): string[] {
  const deleted = [...bareText(sql).matchAll(/\bDELETE FROM\b|\bUPDATE (?!SET)|\bINSERT INTO\b/g)].length;
  const tables = namedTables(sql);
  if (deleted < 2) return [];
  const all = tokens(sql).filter(({ text }) => text !== ' ');
  const isDelete = all.some(({ text }) => text.toUpperCase() === 'DELETE');
  return tables
    .filter(({ after }) => after === 'INTO' || after === 'UPDATE' || (after === 'FROM' && isDelete))
    .map(({ name }) => name.join('.'));
}

/** The words that make a statement a change of the schema; undefined for any other. */
export function ddl(sql: string): string | undefined {
  return /^(CREATE|ALTER|DROP|TRUNCATE|COMMENT|GRANT|REVOKE)\b/.exec(bareText(sql))?.[0];
}
