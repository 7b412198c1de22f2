import type { TargetKind } from '../../../changes/table.ts';
import { Literal } from '../redo/redo-statement.ts';
import type { LiteralWriter } from './column-writer.ts';

/** Hexadecimal digits of a RAW or BLOB: bytes at the target, or for 16 of them a uuid where there is one. */
export function writeBinary(kind: TargetKind | undefined): LiteralWriter {
  return (sql, literal, start, end, out) => {
    if (literal === Literal.emptyLob) {
      out.ascii(kind === 'bytes' || kind === undefined ? '\\x' : '');
      return true;
    }
    if (literal !== Literal.hex && literal !== Literal.plain) return false;
    if ((end - start) % 2 !== 0 || !isHex(sql, start, end)) return false;
    const hex = sql.slice(start, end);
    if (kind === 'uuid') {
      if (hex.length !== 32) return false;
      const lower = hex.toLowerCase();
      out.ascii(
        `${lower.slice(0, 8)}-${lower.slice(8, 12)}-${lower.slice(12, 16)}-${lower.slice(16, 20)}-${lower.slice(20)}`,
      );
      return true;
    }
    // In a text column the digits are what Oracle's own tools show.
    if (kind === 'string') {
      out.ascii(hex);
      return true;
    }
    const open = out.open();
    out.writeByte(0x5c);
    out.writeByte(0x78);
    out.writeAscii(hex);
    out.close(open);
    return true;
  };
}

function isHex(sql: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = sql.charCodeAt(at);
    const letter = code | 0x20;
    if (!((code >= 0x30 && code <= 0x39) || (letter >= 0x61 && letter <= 0x66))) return false;
  }
  return true;
}
