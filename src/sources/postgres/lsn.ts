import { OperatorError } from '../../errors.ts';
import type { Position } from '../source.ts';

/** A log sequence number: a byte position in PostgreSQL's write-ahead log, 64 bits wide. */
export class Lsn implements Position {
  static readonly zero = new Lsn(0n);

  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }

  /**
   * Reads the form that PostgreSQL prints, `0/1A2B3C`: two hexadecimal halves of up to eight digits.
   * Throws OperatorError PG_LSN for anything else.
   */
  static parse(text: string): Lsn {
    const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text.trim());
    if (match === null) {
      throw new OperatorError('PG_LSN', `${JSON.stringify(text)} is not a PostgreSQL log position such as 0/1A2B3C`);
    }
    return new Lsn((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`));
  }

  covers(other: Position): boolean {
    return this.value >= asLsn(other).value;
  }

  toString(): string {
    return `${(this.value >> 32n).toString(16)}/${(this.value & 0xffffffffn).toString(16)}`.toUpperCase();
  }
}

/** The position as an LSN; throws TypeError for a position of another kind of source, which only a program error yields. */
export function asLsn(position: Position): Lsn {
  if (position instanceof Lsn) return position;
  throw new TypeError(`${position} is not a PostgreSQL log position`);
}
