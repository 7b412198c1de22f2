/** A publication or slot that a replication is to use. */
export interface Wish {
  readonly name: string;
  /** It is made at launch; else it has to be there. */
  readonly create: boolean;
}

/** What is to be replicated from a source, as far as it is decided. Each kind reads what concerns it. */
export interface SourceWishes {
  /** PostgreSQL. Without a name: the only publication of the database, which has to be there. */
  readonly publication?: Wish | { readonly name?: undefined; readonly create: false };
  /** PostgreSQL. */
  readonly slot?: Wish;
  /** All unless given. */
  readonly tables?: 'all' | readonly string[];
}
