import type { EventBytes } from './event-bytes.ts';
import type { Token } from './statement-tokens.ts';

/** The name of an XA transaction, as a text that is the same for the same name. */
export type Xid = string & { readonly brand: 'xid' };

/** Bytes that either part of a name can have. */
const LONGEST_PART = 64;

/** What XA PREPARE left in the log: the end of a transaction's rows. */
export interface XaPrepare {
  readonly xid: Xid;
  /** It is committed with this, as XA COMMIT … ONE PHASE was said. */
  readonly onePhase: boolean;
}

/** `X'6f6e65',X'',1`, as servers write the name in statements; undefined for other texts. */
export function readXid(tokens: readonly Token[]): Xid | undefined {
  const text = tokens.map(({ kind, text }) => (kind === 'text' ? `'${text}'` : text)).join('');
  const match = /^x'([0-9a-f]*)'(?:,x'([0-9a-f]*)'(?:,(?:0x)?(\d+))?)?/i.exec(text);
  return match === null ? undefined : xidOf(match[1].toLowerCase(), (match[2] ?? '').toLowerCase(), match[3] ?? '1');
}

/** Reads an XA_PREPARE event's body. Raises OperatorError MYSQL_PROTOCOL. */
export function readXaPrepare(bytes: EventBytes): XaPrepare {
  const onePhase = bytes.uint8() !== 0;
  const format = bytes.uint32();
  const globalLength = bytes.uint32();
  const branchLength = bytes.uint32();
  if (globalLength > LONGEST_PART || branchLength > LONGEST_PART) {
    throw bytes.malformed(`a name of ${globalLength} and ${branchLength} bytes`);
  }
  const globalPart = bytes.copy(globalLength).toString('hex');
  return { xid: xidOf(globalPart, bytes.copy(branchLength).toString('hex'), String(format)), onePhase };
}

function xidOf(globalPart: string, branch: string, format: string): Xid {
  return `X'${globalPart}',X'${branch}',${format}` as Xid;
}
