import { uuidText } from '../gtid-set.ts';
import type { Gtid } from '../positions.ts';
import type { EventBytes } from './event-bytes.ts';
import { readVarint, readWideVarint, unzigzag } from './varint.ts';

/** What the event in front of a transaction says of it. */
export interface TransactionStart {
  readonly gtid: Gtid;
  /** Microseconds since the Unix epoch, by the source's clock. */
  readonly commitTime: number;
  /** MariaDB: it is one single event, and no other one ends it. */
  readonly standalone: boolean;
  /** MariaDB: its rows are those of a transaction that XA PREPARE leaves to be decided. */
  readonly prepares: boolean;
}

const UUID_BYTES = 16;
const LARGEST_NUMBER = (1n << 63n) - 2n;
/** Marks the only kind of logical clock that there is. */
const LOGICAL_CLOCK = 2;
/** Bytes of last_committed and sequence_number. */
const CLOCK_BYTES = 16;
const TIMESTAMP_BYTES = 7;

/** Flags of a MariaDB GTID. */
const STANDALONE = 0x01;
const PREPARED_XA = 0x40;

/** Fields of a GTID_TAGGED event that are read here. */
const TaggedField = { flags: 0, uuid: 1, number: 2, tag: 3, lastCommitted: 4, sequence: 5, time: 6 } as const;

/** Reads the events that begin transactions. Servers rarely change, so that the text of the last one's UUID is kept. */
export class GtidReader {
  readonly #uuid = Buffer.alloc(UUID_BYTES);
  #origin = '';

  /** GTID, by MySQL. `seconds`: when the event was made, for servers that do not tell the time of the commit. */
  plain(bytes: EventBytes, seconds: number): TransactionStart {
    bytes.skip(1);
    const uuid = bytes.skip(UUID_BYTES);
    const number = checkedNumber(bytes, bytes.uint64());
    if (this.#origin === '' || this.#uuid.compare(bytes.buffer, uuid, uuid + UUID_BYTES) !== 0) {
      bytes.buffer.copy(this.#uuid, 0, uuid, uuid + UUID_BYTES);
      this.#origin = uuidText(this.#uuid, 0);
    }
    return start({ flavour: 'mysql', origin: this.#origin, number }, readCommitTime(bytes) || seconds * 1e6);
  }

  /** GTID_TAGGED, by MySQL 8.3 and later: a list of numbered fields. */
  tagged(bytes: EventBytes, seconds: number): TransactionStart {
    const version = readVarint(bytes);
    if (version !== 1) throw bytes.malformed(`version ${version} of its format`);
    readVarint(bytes); // its size, which the header has told
    const required = readVarint(bytes);
    const uuid = Buffer.alloc(UUID_BYTES);
    let [tag, number, time, known] = ['', 0n, 0, -1];
    while (bytes.left > 0) {
      const field = readVarint(bytes);
      if (field <= known) throw bytes.malformed('its fields are out of order');
      known = field;
      if (field === TaggedField.uuid) for (let i = 0; i < UUID_BYTES; i++) uuid[i] = readVarint(bytes);
      else if (field === TaggedField.number) number = unzigzag(readWideVarint(bytes));
      else if (field === TaggedField.tag) tag = bytes.text(readVarint(bytes));
      else if (field === TaggedField.time) time = readVarint(bytes);
      else if (field <= TaggedField.sequence) readWideVarint(bytes);
      else if (field <= required) throw bytes.malformed(`a field ${field} that must be known, and is not`);
      else break;
    }
    if (known < TaggedField.number) throw bytes.malformed('it names no transaction');
    if (!/^(?:[a-z_][a-z0-9_]{0,31})?$/.test(tag)) throw bytes.malformed(`the tag ${JSON.stringify(tag)}`);
    const origin = tag === '' ? uuidText(uuid, 0) : `${uuidText(uuid, 0)}:${tag}`;
    return start({ flavour: 'mysql', origin, number: checkedNumber(bytes, number) }, time || seconds * 1e6);
  }

  /** GTID, by MariaDB. */
  mariadb(bytes: EventBytes, seconds: number, server: number): TransactionStart {
    const sequence = bytes.uint64();
    const domain = bytes.uint32();
    const flags = bytes.uint8();
    return {
      gtid: { flavour: 'mariadb', domain, server, sequence },
      commitTime: seconds * 1e6,
      standalone: (flags & STANDALONE) !== 0,
      prepares: (flags & PREPARED_XA) !== 0,
    };
  }
}

function start(gtid: Gtid, commitTime: number): TransactionStart {
  return { gtid, commitTime, standalone: false, prepares: false };
}

function checkedNumber(bytes: EventBytes, number: bigint): bigint {
  if (number < 1n || number > LARGEST_NUMBER) throw bytes.malformed(`the transaction number ${number}`);
  return number;
}

/** Microseconds; 0 where the server (before 8.0.1) does not tell. */
function readCommitTime(bytes: EventBytes): number {
  if (bytes.left < 1 + CLOCK_BYTES + TIMESTAMP_BYTES || bytes.uint8() !== LOGICAL_CLOCK) return 0;
  bytes.skip(CLOCK_BYTES);
  const low = bytes.uint32();
  const high = bytes.uint16() | (bytes.uint8() << 16);
  // The highest bit says that the time of the first server's commit follows.
  return low + (high & 0x7fffff) * 2 ** 32;
}
