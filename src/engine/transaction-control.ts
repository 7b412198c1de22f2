/**
 * Why a userscript's statement must not be sent: the transaction, the checkpoint in it and the session are the engine's.
 * Undefined when it may be. The protocol takes one statement at a time, so that its first words tell.
 */
export function refusedStatement(sql: string): string | undefined {
  const text = withoutComments(sql).toUpperCase();
  const words = text.split(/[^A-Z_]+/).filter(Boolean);
  const [first, second, third] = words;
  switch (first) {
    case 'ROLLBACK':
      return words.slice(1, 4).includes('TO') ? undefined : 'it would end the transaction that the rows are written in';
    case 'COMMIT':
    case 'END':
    case 'ABORT':
      return 'it would end the transaction that the rows are written in';
    case 'BEGIN':
    case 'START':
      return 'the rows are written in a transaction already';
    case 'PREPARE':
      return second === 'TRANSACTION'
        ? 'it would end the transaction that the rows are written in'
        : 'it would outlive the transaction';
    case 'SET':
      return second === 'LOCAL' || second === 'CONSTRAINTS' || (second === 'TRANSACTION' && third !== undefined)
        ? undefined
        : 'it would outlive the transaction; SET LOCAL would not';
    case 'RESET':
    case 'DISCARD':
    case 'DEALLOCATE':
    case 'LISTEN':
    case 'UNLISTEN':
      return 'it would outlive the transaction';
    case 'COPY':
      return 'its data has no way in or out of a userscript';
    default:
      return undefined;
  }
}

/** The text from its first word on. */
function withoutComments(sql: string): string {
  let text = sql;
  for (;;) {
    const rest = text.replace(/^[\s;(]+/, '').replace(/^--[^\n]*(?:\n|$)/, '');
    const stripped = rest.startsWith('/*') ? afterComment(rest) : rest;
    if (stripped === text) return text;
    text = stripped;
  }
}

/** Comments of PostgreSQL may hold comments. */
function afterComment(text: string): string {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.startsWith('/*', i)) {
      depth++;
      i++;
    } else if (text.startsWith('*/', i)) {
      i++;
      if (--depth === 0) return text.slice(i + 1);
    }
  }
  return '';
}
