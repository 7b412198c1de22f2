import type { OracleConnectionDescription } from '../config/oracle-connection.ts';

/** A publication or slot that a replication is to use. */
export interface Wish {
  readonly name: string;
  /** It is made at launch; else it has to be there. */
  readonly create: boolean;
}

/** What is to be replicated from an Oracle database. */
export interface OracleWishes {
  /** The pluggable database (`--sourcePDBConn`); undefined where there is none. */
  readonly pdb?: OracleConnectionDescription;
  /** Owner of the tables (`--sourceSchema`). */
  readonly schema: string;
  /** The SCN behind which redo is needed first: where the oldest transaction began that was open at `copied`. */
  readonly start?: bigint;
  /** The SCN as of which the rows were copied. */
  readonly copied?: bigint;
}

/** What is to be replicated from a source, as far as it is decided. Each kind reads what concerns it. */
export interface SourceWishes {
  /** PostgreSQL. Without a name: the only publication of the database, which has to be there. */
  readonly publication?: Wish | { readonly name?: undefined; readonly create: false };
  /** PostgreSQL. */
  readonly slot?: Wish;
  /** All unless given. As PostgreSQL prints names: `public.orders`; of MySQL the database stands in front. */
  readonly tables?: 'all' | readonly string[];
  /** MySQL: not only the database of the connection. */
  readonly allDatabases?: boolean;
  /** MySQL: names and types of columns are read from the catalogue (`--fetchMetadata`). */
  readonly fetchMetadata?: boolean;
  /** MySQL: the GTID set to begin with (`--defaultGTIDSet`), or a position of MariaDB. */
  readonly startSet?: string;
  /** MySQL: the id by which the source knows its readers (`--replicationProcessID`). */
  readonly serverId?: number;
  /** Oracle. */
  readonly oracle?: OracleWishes;
  /** The script that rows go through (`--userscript`), which lets the wanted tables through. */
  readonly script?: string;
}
