import { getHeapSnapshot } from 'node:v8';

/** Objects of one kind: how many, and the bytes that they take themselves, without what they refer to. */
export interface HeapGroup {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
}

/** Nodes whose name is that of a constructor, or of a part of the runtime; those of others may be data. */
const NAMED = new Set(['object', 'native']);
/** What a constructor can be called; whatever else is counted without its name. */
const NAME = /^[A-Za-z_$][\w$ ./:()<>-]{0,79}$/;
const UNNAMED = '(other objects)';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const CLOSING = 0x5d;
const ZERO = 0x30;

/** What stands in front of the two arrays that are read. */
const NODES = Buffer.from('"nodes":[');
const STRINGS = Buffer.from('"strings":[');

interface Meta {
  readonly node_fields: readonly string[];
  readonly node_types: readonly [readonly string[], ...unknown[]];
}

/**
 * Counts the objects of this process by constructor, the largest first. V8 stops everything while it looks at them, about a
 * second for each 100 MB, and needs as much memory again. Its snapshot is read as a stream and never kept: no string of the
 * heap gets out but names of constructors.
 */
export async function heapByConstructor(signal: AbortSignal): Promise<HeapGroup[]> {
  const stream = getHeapSnapshot();
  const reader = new HeapReader();
  try {
    for await (const chunk of stream) {
      signal.throwIfAborted();
      reader.read(typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer));
    }
  } finally {
    stream.destroy();
  }
  return reader.groups();
}

/** Sums by type, and by the number of the name for types that have names. */
interface Sum {
  count: number;
  bytes: number;
}

/** Reads a heap snapshot piece by piece: the header, the nodes, and of the strings those that name constructors. */
export class HeapReader {
  #part: 'header' | 'nodes' | 'edges' | 'strings' | 'rest' = 'header';
  /** In header and edges: what may hold the beginning of what is looked for. */
  #held: Buffer = Buffer.alloc(0);
  #fields: { width: number; type: number; name: number; size: number } | undefined;
  #types: readonly string[] = [];
  #node: number[] = [];
  #number = -1;
  readonly #byType = new Map<string, Sum>();
  readonly #byName = new Map<number, Sum>();
  readonly #names = new Map<number, string>();
  #string = 0;
  #inString = false;
  #escaped = false;
  #text: number[] | undefined;

  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#part) {
        case 'header':
        case 'edges':
          at = this.#skip(chunk, at);
          break;
        case 'nodes':
          at = this.#readNodes(chunk, at);
          break;
        case 'strings':
          at = this.#readStrings(chunk, at);
          break;
        case 'rest':
          return;
      }
    }
  }

  /** The largest in front. */
  groups(): HeapGroup[] {
    const sums = new Map<string, Sum>();
    for (const [type, sum] of this.#byType) addTo(sums, `(${type})`, sum);
    for (const [index, sum] of this.#byName) addTo(sums, this.#names.get(index) ?? UNNAMED, sum);
    return Array.from(sums, ([name, { count, bytes }]) => ({ name, count, bytes })).sort((a, b) => b.bytes - a.bytes);
  }

  /** Looks for the next array; of what is in front of the first one the description of the nodes is taken. */
  #skip(chunk: Buffer, at: number): number {
    const wanted = this.#part === 'header' ? NODES : STRINGS;
    const text = Buffer.concat([this.#held, chunk.subarray(at)]);
    const found = text.indexOf(wanted);
    if (found < 0) {
      this.#held = this.#part === 'header' ? text : text.subarray(-(wanted.length - 1));
      return chunk.length;
    }
    const next = at + found + wanted.length - this.#held.length;
    this.#held = Buffer.alloc(0);
    if (this.#part === 'header') this.#describe(text.toString('utf8', 0, found));
    this.#part = this.#part === 'header' ? 'nodes' : 'strings';
    return next;
  }

  #describe(header: string): void {
    const { snapshot } = JSON.parse(`${header.replace(/,\s*$/, '')}}`) as { snapshot: { meta: Meta } };
    const { node_fields: fields, node_types: types } = snapshot.meta;
    const place = (name: string) => fields.indexOf(name);
    this.#fields = { width: fields.length, type: place('type'), name: place('name'), size: place('self_size') };
    this.#types = types[place('type')] as readonly string[];
  }

  #readNodes(chunk: Buffer, at: number): number {
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte >= ZERO && byte <= ZERO + 9) {
        this.#number = Math.max(0, this.#number) * 10 + byte - ZERO;
        continue;
      }
      if (this.#number >= 0 && (byte === COMMA || byte === CLOSING)) {
        this.#node.push(this.#number);
        this.#number = -1;
        if (this.#node.length === this.#fields?.width) this.#countNode();
      }
      if (byte === CLOSING) {
        this.#part = 'edges';
        return at + 1;
      }
    }
    return at;
  }

  #countNode(): void {
    const fields = this.#fields!;
    const type = this.#types[this.#node[fields.type]] ?? 'unknown';
    const sum = { count: 1, bytes: this.#node[fields.size] };
    if (NAMED.has(type)) addTo(this.#byName, this.#node[fields.name], sum);
    else addTo(this.#byType, type, sum);
    this.#node.length = 0;
  }

  #readStrings(chunk: Buffer, at: number): number {
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) {
          this.#endString();
          continue;
        }
        // One byte more than a name may have tells that it is none.
        if (this.#text !== undefined && this.#text.length <= 80) this.#text.push(byte);
      } else if (byte === QUOTE) {
        this.#inString = true;
        this.#text = this.#byName.has(this.#string) ? [] : undefined;
      } else if (byte === CLOSING) {
        this.#part = 'rest';
        return at + 1;
      }
    }
    return at;
  }

  #endString(): void {
    if (this.#text !== undefined) {
      const text = Buffer.from(this.#text).toString('latin1');
      if (NAME.test(text)) this.#names.set(this.#string, text);
    }
    this.#inString = false;
    this.#string++;
  }
}

function addTo<Key>(sums: Map<Key, Sum>, key: Key, { count, bytes }: Sum): void {
  const sum = sums.get(key);
  if (sum === undefined) {
    sums.set(key, { count, bytes });
    return;
  }
  sum.count += count;
  sum.bytes += bytes;
}
