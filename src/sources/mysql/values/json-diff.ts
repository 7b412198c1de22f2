import { JsonPrinter } from './json.ts';
import { isContainer, keyLength, keyOffset, readContainer, valueOffset, valueType } from './json-document.ts';
import { type PathLeg, parseJsonPath } from './json-path.ts';
import { writeJsonString } from './json-string.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { malformedValue } from './value-errors.ts';

const Operation = { replace: 0, insert: 1, remove: 2 } as const;

/** A value that stands in a binary document as it is, or one that diffs have been at. */
type Node =
  | { readonly input: Buffer; readonly type: number; readonly at: number; readonly end: number }
  | { readonly members: Map<string, Node> }
  | { readonly cells: Node[] };

/**
 * Applies the diffs [at, end) of a PARTIAL_UPDATE_ROWS event to the binary document [documentStart, documentEnd) of `document` and writes the
 * text of the result, equal to the server's, into the value that is open in `out`. Raises OperatorError MYSQL_PROTOCOL
 * when the diffs do not fit the document.
 */
export function writeJsonDiff(
  where: string,
  document: Buffer,
  documentStart: number,
  documentEnd: number,
  input: Buffer,
  at: number,
  end: number,
  out: TupleWriter,
): void {
  let root = documentNode(where, document, documentStart, documentEnd);
  const reader = new DiffReader(where, input, at, end);
  while (reader.at < end) {
    const operation = reader.byte();
    const path = parseJsonPath(reader.text());
    if (operation > Operation.remove || path === undefined) throw malformedValue(where, 'a JSON diff that is none');
    const value = operation === Operation.remove ? undefined : reader.document();
    root = applied(where, root, path, operation, value);
  }
  new NodePrinter(where).print(root, out, 0);
}

class DiffReader {
  readonly #where: string;
  readonly #input: Buffer;
  readonly #end: number;
  at: number;

  constructor(where: string, input: Buffer, at: number, end: number) {
    this.#where = where;
    this.#input = input;
    this.at = at;
    this.#end = end;
  }

  byte(): number {
    return this.#input[this.#take(1)];
  }

  text(): string {
    const length = this.#length();
    const start = this.#take(length);
    return this.#input.toString('utf8', start, start + length);
  }

  document(): Node {
    const length = this.#length();
    const start = this.#take(length);
    return documentNode(this.#where, this.#input, start, start + length);
  }

  /** A length-encoded integer. */
  #length(): number {
    const first = this.byte();
    if (first < 0xfb) return first;
    const bytes = first === 0xfc ? 2 : first === 0xfd ? 3 : 0;
    if (bytes > 0) return this.#input.readUIntLE(this.#take(bytes), bytes);
    if (first !== 0xfe) throw malformedValue(this.#where, 'a JSON diff without a length');
    const at = this.#take(8);
    return this.#input.readUInt32LE(at) + this.#input.readUInt32LE(at + 4) * 0x1_0000_0000;
  }

  #take(bytes: number): number {
    const at = this.at;
    if (at + bytes > this.#end) throw malformedValue(this.#where, 'a JSON diff beyond its event');
    this.at = at + bytes;
    return at;
  }
}

function documentNode(where: string, input: Buffer, start: number, end: number): Node {
  if (start >= end) throw malformedValue(where, 'a JSON diff of an empty document');
  return { input, type: input[start], at: start + 1, end };
}

/** The document after one operation. */
function applied(
  where: string,
  root: Node,
  path: readonly PathLeg[],
  operation: number,
  value: Node | undefined,
): Node {
  const last = path.at(-1);
  if (last === undefined) {
    if (value === undefined) throw malformedValue(where, 'a JSON diff that removes its document');
    return value;
  }
  const opened = expanded(where, root);
  let parent = opened;
  for (const leg of path.slice(0, -1)) {
    const child = childAt(parent, leg);
    if (child === undefined) throw unfit(where);
    const open = expanded(where, child);
    if (open !== child) setChild(parent, leg, open);
    parent = open;
  }
  change(where, parent, last, operation, value);
  return opened;
}

function change(where: string, parent: Node, leg: PathLeg, operation: number, value: Node | undefined): void {
  const present = childAt(parent, leg) !== undefined;
  if (operation !== Operation.insert && !present) throw unfit(where);
  if (value === undefined) removeChild(parent, leg);
  else if (operation === Operation.insert && 'cells' in parent && typeof leg === 'number')
    parent.cells.splice(leg, 0, value);
  else if (!setChild(parent, leg, value)) throw unfit(where);
}

function childAt(node: Node, leg: PathLeg): Node | undefined {
  if ('members' in node) return typeof leg === 'string' ? node.members.get(leg) : undefined;
  if ('cells' in node) return typeof leg === 'number' ? node.cells[leg] : undefined;
  return undefined;
}

function setChild(node: Node, leg: PathLeg, value: Node): boolean {
  if ('members' in node && typeof leg === 'string') node.members.set(leg, value);
  else if ('cells' in node && typeof leg === 'number') node.cells[leg] = value;
  else return false;
  return true;
}

function removeChild(node: Node, leg: PathLeg): void {
  if ('members' in node && typeof leg === 'string') node.members.delete(leg);
  else if ('cells' in node && typeof leg === 'number') node.cells.splice(leg, 1);
}

function unfit(where: string): Error {
  return malformedValue(where, 'a JSON diff that does not fit its document');
}

/** A container with its children in reach; a scalar as it is. */
function expanded(where: string, node: Node): Node {
  if (!('input' in node) || !isContainer(node.type)) return node;
  const { input } = node;
  const container = readContainer(where, input, node.type, node.at, node.end);
  const child = (i: number): Node => ({
    input,
    type: valueType(input, container, i),
    at: valueOffset(where, input, container, i),
    end: container.end,
  });
  if (!container.object) return { cells: Array.from({ length: container.count }, (_, i) => child(i)) };
  const members = new Map<string, Node>();
  for (let i = 0; i < container.count; i++) {
    const key = keyOffset(where, input, container, i);
    members.set(input.toString('utf8', key, key + keyLength(input, container, i)), child(i));
  }
  return { members };
}

class NodePrinter {
  readonly #printer: JsonPrinter;

  constructor(where: string) {
    this.#printer = new JsonPrinter(where);
  }

  print(node: Node, out: TupleWriter, depth: number): void {
    if ('input' in node) {
      this.#printer.value(node.input, node.type, node.at, node.end, out, depth);
    } else if ('cells' in node) {
      out.writeByte(0x5b);
      node.cells.forEach((cell, i) => {
        if (i > 0) out.writeAscii(', ');
        this.print(cell, out, depth + 1);
      });
      out.writeByte(0x5d);
    } else {
      out.writeByte(0x7b);
      const keys = [...node.members.keys()].map((key) => Buffer.from(key)).sort(byLengthThenBytes);
      keys.forEach((key, i) => {
        if (i > 0) out.writeAscii(', ');
        writeJsonString(key, 0, key.length, out);
        out.writeAscii(': ');
        this.print(node.members.get(key.toString()) as Node, out, depth + 1);
      });
      out.writeByte(0x7d);
    }
  }
}

/** The order in which the server keeps an object's members. */
function byLengthThenBytes(a: Buffer, b: Buffer): number {
  return a.length - b.length || Buffer.compare(a, b);
}
