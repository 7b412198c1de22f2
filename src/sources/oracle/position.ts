import { OperatorError } from '../../errors.ts';
import type { Position } from '../source.ts';
import { parseScn, type Scn } from './scn.ts';

/**
 * How far the target is: it has every transaction that was committed before the SCN `applied`, and of those committed exactly at
 * it the ones named in `xids`, or all of them when none is named. What is missing has all its redo behind the SCN
 * `mineFrom`, which is earlier while transactions are open.
 *
 * As text `mineFrom:applied`, or `mineFrom:applied/XID,XID`, in the memo table as on screens. Several transactions can commit at one SCN.
 */
export class ScnPosition implements Position {
  readonly mineFrom: Scn;
  readonly applied: Scn;
  /** In hexadecimal, as LogMiner prints them. */
  readonly xids: readonly string[];

  constructor(mineFrom: Scn, applied: Scn, xids: readonly string[] = []) {
    this.mineFrom = mineFrom;
    this.applied = applied;
    this.xids = xids;
  }

  /** True when the target has the transaction of that number, committed at `scn`. */
  includes(xid: string, scn: Scn): boolean {
    return scn < this.applied || (scn === this.applied && (this.xids.length === 0 || this.xids.includes(xid)));
  }

  covers(other: Position): boolean {
    const { applied, xids } = asScnPosition(other);
    if (this.applied !== applied) return this.applied > applied;
    if (this.xids.length === 0) return true;
    return xids.length > 0 && xids.every((xid) => this.xids.includes(xid));
  }

  toString(): string {
    return `${this.mineFrom}:${this.applied}${this.xids.length > 0 ? `/${this.xids.join(',')}` : ''}`;
  }
}

/**
 * Reads a position as it is stored. A lone SCN is one at which nothing was open.
 * @throws OperatorError ORACLE_CHECKPOINT_SYNTAX
 */
export function parseScnPosition(text: string): ScnPosition {
  const parts = /^(\d{1,20})(?::(\d{1,20})(?:\/([0-9A-F]{16}(?:,[0-9A-F]{16})*))?)?$/i.exec(text.trim());
  if (parts === null) {
    throw new OperatorError('ORACLE_CHECKPOINT_SYNTAX', `"${text}" is no checkpoint of an Oracle source`, {
      fix: 'A checkpoint is two SCNs, as in 26685444:26685786. Somebody has edited the memo table, or another program has written it; to begin anew, delete its row and give --scn.',
    });
  }
  const [, mineFrom, applied = mineFrom, xids] = parts;
  return new ScnPosition(parseScn(mineFrom), parseScn(applied), xids?.toUpperCase().split(',') ?? []);
}

/** @throws TypeError for a position of another kind of source. */
export function asScnPosition(position: Position): ScnPosition {
  if (position instanceof ScnPosition) return position;
  throw new TypeError('the position is not one of an Oracle source');
}
