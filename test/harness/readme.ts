import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `file`: what is to be written into one. */
export type PieceKind = 'command' | 'sql' | 'file';

/** Something in the README that a reader would copy and run, or write into a file. */
export interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
  /** The heading above it. */
  readonly section: string;
}

/** Languages of fences that hold commands; a fence without a language does. */
const SHELLS = ['', 'sh', 'bash', 'shell', 'console'];

/** In running text the names of commands are mentions; with a flag or a second argument it is something to be run. */
const COMMAND_IN_TEXT =
  /^(?:(?:instar|replicator) (?:-|\S+ \S)|npm (?:run|ci|pack|install|test)\b|chmod \S+ \S|psql |curl )/;
const SQL_IN_TEXT = /^(?:SELECT|SET|SHOW|GRANT|REVOKE|CREATE|ALTER|DROP|DELETE|INSERT|UPDATE)\b.*;$/;

/** All of them, in order: each command, each SQL statement, each file; from fences and from spans of code. */
export function piecesOf(markdown: string): Piece[] {
  const pieces: Piece[] = [];
  let section = '';
  for (const part of markdown.matchAll(/^ *```(\w*)\n(.*?)^ *```$|^#+ ([^\n]+)$|`([^`\n]+)`/gms)) {
    const [, language, block, heading, span] = part;
    if (heading !== undefined) section = heading;
    else if (span !== undefined) {
      if (COMMAND_IN_TEXT.test(span)) pieces.push({ kind: 'command', text: span, section });
      else if (SQL_IN_TEXT.test(span)) pieces.push({ kind: 'sql', text: span.slice(0, -1), section });
    } else if (language === 'sql') {
      for (const text of statementsOf(block)) pieces.push({ kind: 'sql', text, section });
    } else if (SHELLS.includes(language)) {
      for (const text of block.replaceAll(/ *\\\n */g, ' ').split('\n')) {
        if (text.trim() !== '') pieces.push({ kind: 'command', text: text.trim(), section });
      }
    } else {
      pieces.push({ kind: 'file', text: block, section });
    }
  }
  return pieces;
}

/** The statements of a block, without comments. No text in quotes of the README holds a semicolon but in a format, which has no blank after it. */
function statementsOf(block: string): string[] {
  return block
    .replaceAll(/--.*$/gm, '')
    .split(/;(?=\s)/)
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim())
    .filter((statement) => statement !== '');
}

/** The README, and what of it has been run. */
export class Readme {
  readonly #pieces: readonly Piece[];
  readonly #run = new Set<Piece>();

  constructor(markdown = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')) {
    this.#pieces = piecesOf(markdown);
  }

  /** The one text that matches, which the caller is about to run; the same one may stand in several places. */
  take(kind: PieceKind, pattern: RegExp): string {
    const found = this.#pieces.filter((piece) => piece.kind === kind && pattern.test(piece.text));
    const texts = [...new Set(found.map(({ text }) => text))];
    assert(texts.length > 0, `the README has no ${kind} any more that matches ${pattern}: change this test with it`);
    assert(texts.length === 1, `several of the README match ${pattern}:\n${texts.join('\n')}`);
    for (const piece of found) this.#run.add(piece);
    return texts[0];
  }

  /** What nobody has run, and no exclusion is about; throws for an exclusion that is about nothing. */
  left(excluded: readonly Exclusion[]): Piece[] {
    const matches = ({ kind, pattern }: Exclusion, piece: Piece) => kind === piece.kind && pattern.test(piece.text);
    for (const exclusion of excluded) {
      const { kind, pattern, why } = exclusion;
      const about = this.#pieces.some((piece) => matches(exclusion, piece));
      assert(about, `the README has no ${kind} any more that matches ${pattern}, which was left out because: ${why}`);
    }
    return this.#pieces.filter((piece) => !this.#run.has(piece) && !excluded.some((each) => matches(each, piece)));
  }
}

/** Something that is not run here. */
export interface Exclusion {
  readonly kind: PieceKind;
  readonly pattern: RegExp;
  readonly why: string;
}
