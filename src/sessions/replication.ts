import type { SourceKind } from '../sources/kind.ts';

export type { SourceKind };

/**
 * A connection as it is saved: never with its password. `reference` names a variable of the environment (`$SOURCE`) that
 * holds the whole connection string; without one the string is in the secrets file, under the replication's name.
 */
export interface SavedConnection {
  readonly reference?: string;
  /** The connection without its password, for people: `postgresql://app@db1:5432/shop`. */
  readonly display: string;
}

/** What a person has answered so far; each answer is saved when it is given, so all of them may be missing. */
export interface Answers {
  kind?: SourceKind;
  source?: SavedConnection;
  target?: SavedConnection;
  staging?: SavedConnection;
  /** `all`, or `schema.table` names as PostgreSQL prints them; of MySQL the database stands in front, of Oracle the owner, as those spell them. */
  tables?: 'all' | readonly string[];
  /** PostgreSQL. `create`: made at launch; else one that exists. */
  publication?: { readonly name: string; readonly create: boolean };
  /** PostgreSQL. */
  slot?: { readonly name: string; readonly create: boolean };
  /** MySQL: the GTID set to begin with, or a position of MariaDB; empty for the beginning of a log that is whole. */
  startSet?: string;
  /** MySQL, Oracle: path of the script that lets only the chosen tables through; it is written at launch. */
  script?: string;
  /** Oracle: owner of the tables, as Oracle spells it. */
  sourceSchema?: string;
  /** Oracle: the SCN to begin with, and the one at which the oldest transaction began that was open then. */
  startScn?: string;
  backfillScn?: string;
  targetSchema?: string;
  /** Flags that differ from their defaults, by name, as typed: `{ flushSize: '500' }`. Checked against the table of flags. */
  options?: Readonly<Record<string, string>>;
}

/** Something that this program has made, and so may be asked to remove. */
export interface Created {
  readonly what: 'publication' | 'slot' | 'staging schema' | 'table' | 'script';
  /** `here`: on this machine. */
  readonly side: 'source' | 'target' | 'here';
  /** Of a script: its path. */
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  /** A slot's first position. */
  readonly lsn?: string;
  /** The connection it was made on, without its password: a reference may lead elsewhere another day. */
  readonly place?: string;
}

/** Why an engine is not running any more. */
export interface Ending {
  /** ISO 8601. */
  readonly at: string;
  /** `stopped`: it was asked to. `failed`: it gave up, with a code. `killed`: it vanished without a word. */
  readonly how: 'stopped' | 'failed' | 'killed';
  readonly code?: string;
  readonly message?: string;
  readonly fix?: string;
}

/** A run of the engine. */
export interface Run {
  readonly pid: number;
  /** Tells this process from another that has its number by now: see `processIdentity`. */
  readonly identity: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
  /** `127.0.0.1:41234`. */
  readonly metricsAddr: string;
  readonly logFile: string;
}

/** What was seen of a run last; kept up while somebody watches, for "how long to catch up" on resume. */
export interface Seen {
  /** ISO 8601. */
  readonly at: string;
  readonly checkpoint?: string;
  /** Bytes of source log per second that were applied while catching up. */
  readonly bytesPerSecond?: number;
  readonly lagBytes?: number;
  /** Source transactions per second that were applied while catching up, and how many waited: where log is not counted in bytes. */
  readonly transactionsPerSecond?: number;
  readonly lagTransactions?: number;
}

/** What a source sends, as far as it can be told to send less. */
export interface Sent {
  /** Tables, as the source prints them. */
  readonly tables: readonly string[];
  /** What is left out of them, a line each; undefined where an older version has saved it. */
  readonly leftOut?: readonly string[];
}

/** A saved replication: everything but secrets. */
export interface Replication {
  /** Letters, digits, `-`, `_` and `.`; unique. */
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
  readonly answers: Answers;
  /** The setup step that was open last; undefined once it was launched. */
  readonly step?: string;
  /** What was typed in the forms of the setup and is no answer yet, by form and field; never a password. */
  readonly drafts?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly made: readonly Created[];
  /** What was published at the last start: what a resume is compared with. */
  readonly facts?: Sent;
  /** An engine was seen replicating, so the staging schema has to be there. */
  readonly replicated?: boolean;
  /** The newest run, whether or not it is still going. */
  readonly run?: Run;
  readonly ending?: Ending;
  readonly seen?: Seen;
}
