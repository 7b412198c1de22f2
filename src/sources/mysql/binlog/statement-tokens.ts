/** A piece of a statement that means something. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'sign';
  /** As written; names and texts without their quotes. */
  readonly text: string;
}

/**
 * The pieces of a statement, one after the other; comments are left out, and what stands in comments for certain versions is
 * not. A quote that is never closed runs to the end.
 * @param ansiQuotes whether `"` is for names (sql_mode ANSI_QUOTES)
 */
export function* tokens(sql: string, ansiQuotes: boolean): Generator<Token> {
  const pattern =
    /\s+|#[^\n]*|--(?=\s|$)[^\n]*|\/\*M?!\d*|\*\/|\/\*.*?(?:\*\/|$)|`((?:[^`]+|``)*)`?|'((?:[^'\\]+|''|\\.)*)'?|"((?:[^"\\]+|""|\\.)*)"?|([\w$@\u0080-\uffff]+)|(.)/gs;
  for (const [, backquoted, single, double, word, sign] of sql.matchAll(pattern)) {
    if (word !== undefined) yield { kind: 'word', text: word };
    else if (sign !== undefined) yield { kind: 'sign', text: sign };
    else if (backquoted !== undefined) yield { kind: 'name', text: backquoted.replaceAll('``', '`') };
    else if (double !== undefined && ansiQuotes) yield { kind: 'name', text: double.replaceAll('""', '"') };
    else if (single !== undefined || double !== undefined) yield { kind: 'text', text: single ?? double };
  }
}
